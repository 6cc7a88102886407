"""Laws 3, 4 and 5: signals first; all in the same order; no message overtakes a broadcast that its sender had received.

A plain model replays the notes: a queue of signals per subsystem, and the messages that may be received. One task of
each subsystem receives, so that the notes have the order of the mailbox.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs
from hypothesis import given

from tests.laws.drawing import episodes
from tests.laws.performance import perform
from tests.laws.wirings import Episode, name_of

if TYPE_CHECKING:
    from tests.laws.performance import Performance
    from tests.laws.recorder import Entry, Recorder


@attrs.define
class Ear:
    """What one subsystem is to hear."""

    subscribes: set[int]
    queued: deque[int] = attrs.Factory(deque)
    """Signals that it has not received."""
    is_due: bool = False
    """Whether a signal was queued when the call began that now receives."""


def replay(performance: Performance) -> list[str]:
    """Return what broke a law."""
    recorder = performance.recorder
    ears = {
        name_of(number): Ear(set(plan.signals)) for number, plan in enumerate(performance.episode.slots) if not plan.wip
    }
    faults: list[str] = []
    for entry in recorder.trace:
        if entry.what == "broadcast":
            for ear in ears.values():
                if recorder.kinds[entry.number] in ear.subscribes:
                    ear.queued.append(entry.number)
        elif entry.who in ears:
            faults += listen(ears[entry.who], entry, recorder)
    return faults


def listen(ear: Ear, entry: Entry, recorder: Recorder) -> list[str]:
    """Replay what one subsystem did."""
    match entry.what:
        case "signal":
            ear.queued.append(entry.number)
        case "unsignalled":
            ear.queued.remove(entry.number)
        case "call":
            ear.is_due = bool(ear.queued)
        case "heard" if not ear.queued or ear.queued.popleft() != entry.number:
            return [f"law 4: {entry} is not the signal whose turn it was"]
        case "got" if ear.is_due:
            return [f"law 3: {entry} came before signals {[*ear.queued]}"]
        case "got":
            seen = recorder.attempts[entry.number].epoch
            late = [one for one in ear.queued if recorder.signals.get(one, seen + 1) <= seen]
            return [f"law 5: {entry} came before signals {late}, which its sender had received"] if late else []
        case "nothing" | "end" if ear.is_due:
            return [f"law 3: {entry} came before signals {[*ear.queued]}"]
    return []


@given(episodes(one_receiver=True))
def test_signals_first_in_order_and_no_message_overtakes_them(episode: Episode) -> None:
    performance = perform(episode)
    faults = replay(performance)
    assert not faults
    assert_alone(performance)


def assert_alone(performance: Performance) -> None:
    """From one call, a signal and anything else never come together."""
    together: dict[str | None, list[str]] = {}
    for entry in performance.recorder.trace:
        if entry.what == "call":
            together[entry.who] = []
        elif entry.what in {"got", "heard"}:
            together[entry.who].append(entry.what)
            assert together[entry.who] == ["heard"] or "heard" not in together[entry.who], entry


@given(episodes(one_receiver=True, endings=("leave",)))
def test_who_receives_to_the_end_misses_no_broadcast(episode: Episode) -> None:
    """What was broadcast while the input was open is received, whatever became of the broadcaster."""
    performance = perform(episode)
    trace = performance.recorder.trace
    kinds = performance.recorder.kinds
    open_until = next(
        place for place, entry in enumerate(trace) if entry.what == "left" or (entry.what == "exit" and entry.who)
    )
    early = [entry.number for entry in trace[:open_until] if entry.what == "broadcast"]
    for number, plan in enumerate(episode.slots):
        heard = {entry.number for entry in trace if entry[:2] == ("heard", name_of(number))}
        if any(entry[:2] == ("end", name_of(number)) for entry in trace):
            assert heard.issuperset(one for one in early if kinds[one] in plan.signals)
