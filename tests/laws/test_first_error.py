"""Law 8: nothing outlives `open()`; the first error comes out, with its origin."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given

from tests.laws.drawing import episodes
from tests.laws.performance import Performance, perform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.laws.wirings import Episode


def leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


@given(episodes(raises=True))
def test_what_was_raised_comes_out_in_the_order_in_which_it_was(episode: Episode) -> None:
    """The group has what left the subsystems' own tasks directly, in order; groups of user code stay whole."""
    performance = perform(episode, raises=True)
    group = performance.group
    raised = performance.recorder.raised
    assert (group is not None) == bool(raised)
    if group is None:
        return
    direct = [error for error in group.exceptions if not isinstance(error, BaseExceptionGroup)]
    assert direct == [error for error, _, is_direct in raised if is_direct]
    wrapped = [leaf for error in group.exceptions if isinstance(error, BaseExceptionGroup) for leaf in leaves(error)]
    assert Counter(map(id, wrapped)) == Counter(id(error) for error, _, is_direct in raised if not is_direct)
    assert isinstance(group, ExceptionGroup)
    assert performance.closed_at == performance.recorder.raised_at, "not all were cancelled at once"


@given(episodes(one_receiver=True, raises=True))
def test_an_error_names_its_origin(episode: Episode) -> None:
    """The note names subsystem and orchestra, and the type of the last message that the context had handed out."""
    performance = perform(episode, raises=True)
    for error, who, is_direct in performance.recorder.raised:
        if is_direct:
            (note,) = error.__notes__
            assert f"raised in {who!r} of Drawn" in note
            in_hand = performance.recorder.hands[error]
            assert note.endswith(f", with a {in_hand.__qualname__} in hand") if in_hand else "in hand" not in note


@given(episodes(raises=True))
def test_nothing_outlives_open(episode: Episode) -> None:
    """All tasks have ended, what lay in the lanes is dead, and nothing is noted afterwards."""
    performance = perform(episode, raises=True)
    assert performance.tasks_left == 0
    trace = performance.recorder.trace
    assert [place for place, entry in enumerate(trace) if entry.what == "closed"] == [len(trace) - 1]
    alive = Counter[str | None]()
    for entry in trace:
        alive[entry.who] += {"begin": 1, "exit": -1}.get(entry.what, 0)
    assert not +alive
    assert all(readout.channel_len == 0 for readout in performance.lanes.values())
    assert_conserved(performance)


def assert_conserved(performance: Performance) -> None:
    """Conservation holds on the way down, too."""
    fates = Counter(entry.number for entry in performance.recorder.trace if entry.what in {"got", "dead"})
    for number, attempt in performance.recorder.attempts.items():
        if attempt.outcome in {"sent", "unanswered"}:
            assert fates[number] == 1, attempt
        elif attempt.outcome == "refused":
            assert fates[number] == 0, attempt
