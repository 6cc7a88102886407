"""The process that measures."""

from __future__ import annotations

import json
import subprocess

import pytest

from benchmarks import child
from benchmarks.child import measure_in_child
from benchmarks.harness import OURS, Growth, Quantity, Suite, Work
from benchmarks.works import SUITE


@pytest.mark.parametrize("public_only", [False, True])
def test_a_child_measures_the_works_that_are_meant_for_it(public_only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set around it; and the public interface alone is really what it uses then."""
    monkeypatch.setenv("ORCHESTRA_TRIO_PUBLIC_ONLY", "" if public_only else "1")
    works = Suite(SUITE.works)
    measured = measure_in_child(works.names, public_only=public_only, rounds=2, scale=0.001)

    assert list(measured.works) == [work.name for work in SUITE.works if work.public_only == public_only]
    assert all(len(rounds) == 2 for work in measured.works.values() for rounds in work.values())
    assert (measured.growths, measured.quantities) == ({}, {})
    if public_only:
        assert not measured.private_in_use


def test_a_child_measures_only_what_it_is_told() -> None:
    measured = measure_in_child(["ping-pong"], public_only=False, rounds=1, scale=0.001)
    assert list(measured.works) == ["ping-pong"]


def test_a_child_measures_all_kinds_of_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it prints is what its parent reads."""
    suite = Suite(
        [Work("work", float, [], 100)],
        [Growth("growth", float, [10, 20], "thing")],
        [Quantity("quantity", lambda count: {"p50": float(count)}, "us", 100)],
    )
    monkeypatch.setattr(child, "SUITE", suite)
    monkeypatch.delenv("ORCHESTRA_TRIO_PUBLIC_ONLY", raising=False)
    child.main(2, 1.0, suite.names)

    measured = child.Measured(**json.loads(capsys.readouterr().out))
    assert measured.works == {"work": {OURS: [1.0, 1.0]}}
    assert measured.growths == {"growth": {"10": [10.0, 10.0], "20": [20.0, 20.0]}}
    assert measured.quantities == {"quantity": {OURS: [{"p50": 100.0}] * 2}}


def test_a_child_that_fails_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """It says itself what went wrong."""
    with pytest.raises(subprocess.CalledProcessError):
        measure_in_child(SUITE.names, public_only=True, rounds=2, scale=float("nan"))
    assert "ValueError" in capfd.readouterr().err
