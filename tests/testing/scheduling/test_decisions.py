"""What is told of a run, for people."""

from __future__ import annotations

from orchestra_trio.testing.scheduling.decisions import Cancellation, Decision, describe


def ran(step: int, chosen: str, *passed: str) -> Decision:
    return Decision(step, len(passed), len(passed) + 1, chosen, passed)


def test_one_line_for_each_decision() -> None:
    deviations = [ran(4, "parser", "fetcher"), ran(9, "store", "fetcher", "parser")]
    assert describe(deviations, None, narrow=False) == [
        "step 4: ran 'parser' before 'fetcher'",
        "step 9: ran 'store' before 'fetcher' and 'parser'",
    ]


def test_what_waits_for_long_is_told_once() -> None:
    deviations = [ran(step, "parser" if step % 2 else "store", "fetcher") for step in range(14, 20)]
    deviations += [ran(20, "fetcher", "parser"), ran(22, "fetcher", "parser")]
    assert describe(deviations, None, narrow=False) == [
        "steps 14 to 19: ran 'store' and 'parser' before 'fetcher'",
        "step 20: ran 'fetcher' before 'parser'",
        "step 22: ran 'fetcher' before 'parser'",
    ]


def test_faults_are_told_in_their_place() -> None:
    lines = describe([ran(3, "a", "b"), ran(9, "a", "b")], Cancellation(9, 0, "fetch"), narrow=True)
    assert lines == [
        "no lane holds more than one item",
        "step 3: ran 'a' before 'b'",
        "step 9: cancelled 'fetch'",
        "step 9: ran 'a' before 'b'",
    ]
    assert describe([], Cancellation(2, 0, None), narrow=False) == ["step 2: cancelled the run"]


def test_no_deviation_is_said_to_be_none() -> None:
    assert describe([], None, narrow=False) == ["trio's plain order"]


def test_much_is_cut_short() -> None:
    lines = describe([ran(2 * step, "a", *"bcdefgh") for step in range(100)], None, narrow=False)
    assert len(lines) == 21
    assert lines[0] == "step 0: ran 'a' before 'b', 'c', 'd' and 4 more"
    assert lines[-1] == "and 80 more"
