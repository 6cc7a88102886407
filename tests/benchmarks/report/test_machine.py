"""What is said of the machine."""

from __future__ import annotations

from benchmarks.report.machine import describe_machine
from tests.benchmarks.report.samples import MACHINE


def test_the_machine_is_told_in_one_line() -> None:
    assert str(MACHINE) == "Abacus, 2 cores, Linux x86_64; CPython 3.11.0 (and its asyncio); trio 0.35.0"
    here = describe_machine()
    assert here.cpu
    assert "trio" in here.packages
    assert len(str(here).splitlines()) == 1


def test_the_versions_of_peers_are_told_where_they_are_installed() -> None:
    here = describe_machine(["attrs", "no_such_package", "trio"])
    assert list(here.packages) == ["orchestra-trio", "trio", "attrs"]
