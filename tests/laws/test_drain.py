"""Law 10: end-of-input reaches a component only after all upstream of it have ended.

Against networkx, which finds the components of the wiring in its own way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import networkx as nx
import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, RunningOrchestra, Subsystem, SubsystemContext, subsystem
from tests.laws.drawing import CALM, episodes
from tests.laws.performance import perform, run
from tests.laws.wirings import MESSAGES, Episode, Message, Signal, name_of

if TYPE_CHECKING:
    from tests.laws.performance import Performance


def wiring(episode: Episode) -> nx.DiGraph[str]:
    """The built slots and the edges between them."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for number, plan in enumerate(episode.slots):
        if not plan.wip:
            graph.add_node(name_of(number))
    for number, plan in enumerate(episode.slots):
        for edge in plan.edges:
            if not plan.wip and not episode.slots[edge.consumer].wip:
                graph.add_edge(name_of(number), name_of(edge.consumer))
    return graph


def first_ends(performance: Performance) -> dict[str, int]:
    """Where in the trace each subsystem was first told that its input has ended."""
    ends: dict[str, int] = {}
    for place, entry in enumerate(performance.recorder.trace):
        if entry.what == "end" and entry.who is not None:
            ends.setdefault(entry.who, place)
    return ends


def is_alive_at(performance: Performance, name: str, place: int) -> bool:
    """Whether a task of a subsystem runs at some place of the trace; one that has not begun does."""
    events = Counter(entry.what for entry in performance.recorder.trace[:place] if entry.who == name)
    return events["begin"] == 0 or events["begin"] > events["exit"]


def is_cyclic(graph: nx.DiGraph[str], component: set[str]) -> bool:
    return len(component) > 1 or any(graph.has_edge(name, name) for name in component)


@given(episodes(endings=CALM))
def test_the_input_ends_after_all_upstream_have_ended(episode: Episode) -> None:
    performance = perform(episode)
    graph = wiring(episode)
    ends = first_ends(performance)
    for component in nx.strongly_connected_components(graph):
        upstream = nx.ancestors(graph, next(iter(component))) - component
        for name in component & ends.keys():
            for one in upstream:
                assert not is_alive_at(performance, one, ends[name]), f"{name} ended before {one}"
    assert_nothing_left(performance, ends)


@given(episodes(endings=CALM, focus="cycles"))
def test_members_of_a_cycle_end_one_at_a_time(episode: Episode) -> None:
    """In declaration order; the first only once no message is on its way between them."""
    performance = perform(episode)
    recorder = performance.recorder
    graph = wiring(episode)
    ends = first_ends(performance)
    for component in nx.strongly_connected_components(graph):
        if not is_cyclic(graph, component):
            continue
        for name in component & ends.keys():
            place = ends[name]
            for earlier in sorted(component):
                if earlier < name:
                    assert not is_alive_at(performance, earlier, place), f"{name} ended before {earlier}"
            if any(other < name for other in component & ends.keys()):
                continue  # its jobs may go on after an earlier one has ended
            there = {number for number, attempt in recorder.attempts.items() if attempt.consumer in component}
            gone = {entry.number for entry in recorder.trace[:place] if entry.what in {"got", "dead"}}
            sent = {entry.number for entry in recorder.trace[:place] if entry.what == "sent"}
            assert not (there & sent) - gone, f"{name} ended while messages were on their way"
            assert_at_rest(performance, component, place)


def assert_at_rest(performance: Performance, component: set[str], place: int) -> None:
    """At this place of the trace all tasks of a component wait to receive, or for tasks that do."""
    last = {entry.task: entry.what for entry in performance.recorder.trace[:place] if entry.who in component}
    busy = [what for what in last.values() if what not in {"call", "nursery", "exit", "dead"}]
    assert not busy


def assert_nothing_left(performance: Performance, ends: dict[str, int]) -> None:
    """Who receives to the end leaves nothing over that was sent before it was told the end.

    A member of a cycle is told so at some moment between its last call and the note of it: meanwhile others of the
    cycle may be moved by a broadcast, and send to it.
    """
    trace = performance.recorder.trace
    graph = wiring(performance.episode)
    cyclic = {
        one for component in nx.strongly_connected_components(graph) if is_cyclic(graph, component) for one in component
    }
    begun = {entry.number: place for place, entry in enumerate(trace) if entry.what == "try"}
    stopped = performance.report.cancelled if performance.report is not None else ()
    for letter in performance.recorder.letters:
        name = letter.consumer
        number = letter.message.number  # type: ignore[attr-defined]  # a message
        if letter.reason == "left over" and name is not None and name in ends and name not in stopped:
            end = ends[name]
            if name in cyclic:
                end = max(place for place in range(end) if trace[place][:2] == ("call", name))
            assert begun[number] > end, letter


@given(episodes(endings=("leave",), cancelled=False, focus="cycles"))
def test_a_wiring_that_is_left_alone_ends(episode: Episode) -> None:
    """Whatever cycles it has, everybody who receives to the end is told it, and all tasks have ended."""
    performance = perform(episode)
    ends = first_ends(performance)
    for number, plan in enumerate(episode.slots):
        if not plan.wip and plan.script.serve != "no":
            assert name_of(number) in ends
    assert performance.tasks_left == 0


@given(st.integers(1, 6), st.sampled_from(["pitcher", "catcher"]), st.integers(0, 2**32))
def test_a_cycle_is_not_at_rest_while_a_message_lies_in_it(hops: int, who: str, seed: int) -> None:
    """Who waits for signals alone leaves messages where they are; none ends before they went all the way round."""
    received: list[int] = []

    async def play(ctx: SubsystemContext[Message, Message, Signal]) -> None:
        if ctx.name == who:
            await ctx.receive_signal()
        back = MESSAGES[1 if ctx.name == "pitcher" else 0]
        async for ball in ctx:
            if isinstance(ball, Message):
                received.append(ball.hops)
                if ball.hops:
                    await ctx.send(back(0, ball.hops - 1))

    class Game(Orchestra[Signal]):
        pitcher: Subsystem[Message, Message, Signal] = subsystem(consumes=MESSAGES[0], sends=MESSAGES[1])
        catcher: Subsystem[Message, Message, Signal] = subsystem(consumes=MESSAGES[1], sends=MESSAGES[0])

    async def main() -> None:
        async with Game(pitcher=play, catcher=play).open() as running, trio.open_nursery() as nursery:
            nursery.start_soon(broadcast_late, running)
            await running.route_message(MESSAGES[0](0, hops))
            running.close_input()

    async def broadcast_late(running: RunningOrchestra[Signal, Any]) -> None:
        await trio.sleep(5)
        await running.broadcast_signal(Signal(1))

    run(main, seed)
    assert received == [*range(hops, -1, -1)]
