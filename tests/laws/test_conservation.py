"""Law 1: every accepted message is received exactly once, by its consumer, or is a dead letter at the end.

That the meters agree with it at every moment is checked after each step of a task: see `performance.Watch`.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from tests.laws.drawing import episodes
from tests.laws.performance import Performance, perform
from tests.laws.wirings import Episode, Message


def fates(performance: Performance) -> tuple[Counter[int], Counter[int]]:
    """How often each message was received, and how often it became a dead letter."""
    received = Counter(entry.number for entry in performance.recorder.trace if entry.what == "got")
    dead = Counter(entry.number for entry in performance.recorder.trace if entry.what == "dead")
    return received, dead


@given(episodes())
def test_every_accepted_message_is_received_once_or_dead(episode: Episode) -> None:
    """What a send refused, or was cancelled out of, is nowhere; what it accepted is in one place."""
    performance = perform(episode)
    received, dead = fates(performance)
    for number, attempt in performance.recorder.attempts.items():
        places = received[number] + dead[number]
        assert places <= 1, attempt
        match attempt.outcome:
            case "sent" | "unanswered":
                assert places == 1, attempt
            case "refused":
                assert places == 0, attempt
            case "cancelled" if attempt.batch is None and attempt.how != "request":
                assert places == 0, attempt
        assert attempt.outcome != "pending", attempt
    assert_at_their_consumer(performance)


def assert_at_their_consumer(performance: Performance) -> None:
    """Nobody receives what is for others, and dead letters tell what they were."""
    attempts = performance.recorder.attempts
    for entry in performance.recorder.trace:
        if entry.what in {"got", "dead"}:
            assert attempts[entry.number].consumer == entry.who
    for letter in performance.recorder.letters:
        assert isinstance(letter.message, Message)
        attempt = attempts[letter.message.number]
        assert letter.sender == attempt.sender
        if letter.reason != "wip":
            assert letter.lane == attempt.lane


@given(episodes())
def test_the_meters_say_at_the_end_what_happened(episode: Episode) -> None:
    """By lane: what was received, what was left over, and nothing in the channel; and the report of `terminate`."""
    performance = perform(episode)
    recorder = performance.recorder
    received, _ = fates(performance)
    counts = Counter((recorder.attempts[one].consumer, recorder.attempts[one].lane) for one in received.elements())
    for where, readout in performance.lanes.items():
        assert readout.channel_len == 0
        assert readout.received == counts[where]
        assert readout.sent == counts[where] + recorder.left_over[where]
    if not performance.is_opened:
        return
    assert performance.reasons == Counter(letter.reason for letter in recorder.letters)
    assert performance.epoch == recorder.epochs[None]
    if performance.report is not None:
        names = {f"s{number}" for number, plan in enumerate(episode.slots) if not plan.wip}
        left = Counter[str]()
        for (name, _), count in recorder.left_over.items():
            left[name] += count
        assert performance.report.undelivered == +left
        assert {*performance.report.finished, *performance.report.cancelled} == names
        assert not {*performance.report.finished} & {*performance.report.cancelled}
