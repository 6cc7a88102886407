"""Drop, duplicate and reorder do to messages what plain models do to lists, alone and around one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testing.faults import models
from tests.testing.faults.lines import LANES, Blue, Lane, Message, Red, Sink, Source, run_line
from tests.testing.faults.models import Fault, Struck, as_the_lanes_are_served

if TYPE_CHECKING:
    from orchestra_trio.testing.faults.chances import Direction
    from orchestra_trio.testing.faults.intercepted import Intercepted

seeds = st.integers(0, 5)
kinds = st.sampled_from([(), (Red,), (Blue,), (Red, Blue)])
chances = st.one_of(
    st.builds(Struck, kinds, st.none() | st.sampled_from([0, 0.3, 0.7, 1]), st.none(), seeds),
    st.builds(Struck, kinds, st.none(), st.integers(1, 4), seeds),
)


@st.composite
def loads(draw: st.DrawFn, lanes: tuple[Lane, ...] = LANES) -> list[Message]:
    """Messages of both kinds, numbered as they are sent."""
    drawn = draw(st.lists(st.tuples(st.booleans(), st.sampled_from(lanes)), max_size=25))
    return [Red(number, lane) if is_red else Blue(number, lane) for number, (is_red, lane) in enumerate(drawn)]


def faults(on: Direction, *, with_reorder: bool = True) -> st.SearchStrategy[Fault]:
    drawn = [st.builds(models.drops, chances, st.just(on)), st.builds(models.duplicates, chances, st.just(on))]
    if with_reorder:
        drawn.append(st.builds(models.reorders, kinds, st.integers(2, 5), seeds, st.just(on)))
    return st.one_of(drawn)


def around(subsystem: object, stack: list[Fault]) -> Any:  # noqa: ANN401 - of any types
    """Put faults around a subsystem, the last one outermost."""
    for one in stack:
        subsystem = one.wrap(subsystem)
    return subsystem


def applied(stack: list[Fault], messages: list[Any]) -> list[Any]:
    for one in stack:
        messages = one.model(messages)
    return messages


@given(loads(), faults("send", with_reorder=False) | faults("both", with_reorder=False), st.sampled_from([1, 2, 1000]))
def test_what_is_sent_is_as_the_model_says(load: list[Message], fault: Fault, capacity: int) -> None:
    """In each lane, whatever its capacity: a fault draws for one message after another, as they are sent."""
    sink = Sink()
    run_line(fault.wrap(Source(load)), sink, capacity=capacity)
    expected = fault.model(load)
    for lane in LANES:
        assert sink.through(lane) == [one for one in expected if one.lane == lane]


@given(loads(), faults("receive") | faults("both"))
def test_what_is_received_is_as_the_model_says(load: list[Message], fault: Fault) -> None:
    """Of messages that are all there; the order of the lanes is the strategy's."""
    sink = Sink()
    run_line(Source(load), fault.wrap(sink))
    assert sink.got == fault.model(as_the_lanes_are_served(load))


@given(loads(("bounded",)), st.lists(faults("send"), max_size=4), st.sampled_from([1, 3, 1000]))
def test_faults_around_one_another_send_from_the_innermost_on(
    load: list[Message], stack: list[Fault], capacity: int
) -> None:
    sink = Sink(is_eager=True)
    run_line(around(Source(load), stack), sink, capacity=capacity)
    assert sink.got == applied(stack, load)


@pytest.mark.parametrize("depth", [2, 3])
def test_what_is_held_back_by_several_goes_on_from_the_innermost_on(depth: int) -> None:
    """What the inner ones still hold back changes places in the outer ones, too."""
    load: list[Message] = [Red(number) for number in range(7)]
    for seed in range(20):
        stack = [models.reorders((), 3, seed + layer, "send") for layer in range(depth)]
        sink = Sink(is_eager=True)
        run_line(around(Source(load), stack), sink)
        assert sink.got == applied(stack, load)


@given(loads(), st.lists(faults("receive"), max_size=4))
def test_faults_around_one_another_receive_from_the_outermost_on(load: list[Message], stack: list[Fault]) -> None:
    sink = Sink()
    run_line(Source(load), around(sink, stack))
    assert sink.got == applied(stack[::-1], as_the_lanes_are_served(load))


@given(loads(), faults("send"), faults("receive"))
def test_the_same_seed_gives_the_same_faults(load: list[Message], sending: Fault, receiving: Fault) -> None:
    """Also where the same faults are used again."""
    source, sink = sending.wrap(Source(load)), Sink()
    receiver = receiving.wrap(sink)
    run_line(source, receiver)
    first = list(sink.got)
    sink.got.clear()
    run_line(source, receiver)
    assert sink.got == first


@given(loads(), kinds, st.integers(2, 6), seeds, st.sampled_from([1, 3, 1000]))
def test_what_is_sent_changes_places_in_each_lane_by_itself(
    load: list[Message], types: tuple[type, ...], window: int, seed: int, capacity: int
) -> None:
    """Whatever goes through the others, and whatever the capacity is; at most `window - 1` are held back."""
    sink = Sink(is_eager=True)
    fault = models.reorders(types, window, seed, "send")
    run_line(fault.wrap(Source(load)), sink, capacity=capacity)
    for lane in LANES:
        sent = [one for one in load if one.lane == lane]
        got = sink.through(lane)
        assert got == fault.model(sent)
        for place, one in enumerate(got):
            assert sent.index(one) < place + window


def balance(fault: Intercepted[Any, Any], *, sent: bool) -> tuple[int, int, int, int, int]:
    tally = fault.sent if sent else fault.received
    assert tally.seen + tally.added == tally.passed + tally.dropped + tally.held + tally.lost
    return tally.seen, tally.added, tally.passed, tally.dropped, tally.held + tally.lost


@given(loads(), faults("send"), faults("receive"))
def test_every_message_is_counted(load: list[Message], sending: Fault, receiving: Fault) -> None:
    """What one fault passes on is what the next one sees, and what the sink gets is what the last one passes on."""
    source, sink = sending.wrap(Source(load)), Sink()
    receiver = receiving.wrap(sink)
    run_line(source, receiver)
    seen, added, passed, dropped, kept = balance(source, sent=True)
    assert (seen, kept) == (len(load), 0)
    assert (dropped, added) == (source.dropped, passed - seen + dropped)
    seen, added, passed, dropped, kept = balance(receiver, sent=False)
    assert (seen, passed, kept) == (source.sent.passed, len(sink.got), 0)
    assert added == passed + dropped - seen
    assert balance(source, sent=False) == balance(receiver, sent=True) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("on", ["send", "receive"])
def test_a_fault_leaves_the_other_direction_alone(on: Direction) -> None:
    load = [Red(number) for number in range(5)]
    sink = Sink()
    fault = models.drops(Struck((), None, None, 0), on)
    if on == "send":
        run_line(Source(load), fault.wrap(sink))
    else:
        run_line(fault.wrap(Source(load)), sink)
    assert sink.got == load
