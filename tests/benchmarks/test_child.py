"""The process that measures."""

from __future__ import annotations

import subprocess

import pytest

from benchmarks.child import measure_in_child
from benchmarks.works import WORKS


@pytest.mark.parametrize("public_only", [False, True])
def test_a_child_measures_the_works_that_are_meant_for_it(public_only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set around it; and the public interface alone is really what it uses then."""
    monkeypatch.setenv("ORCHESTRA_TRIO_PUBLIC_ONLY", "" if public_only else "1")
    measured = measure_in_child(public_only=public_only, rounds=2, scale=0.001)

    assert list(measured.samples) == [work.name for work in WORKS if work.public_only == public_only]
    assert all(len(rounds) == 2 for work in measured.samples.values() for rounds in work.values())
    if public_only:
        assert not measured.private_in_use


def test_a_child_that_fails_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """It says itself what went wrong."""
    with pytest.raises(subprocess.CalledProcessError):
        measure_in_child(public_only=True, rounds=2, scale=float("nan"))
    assert "ValueError" in capfd.readouterr().err
