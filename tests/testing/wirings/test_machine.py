"""Routing machines: they play with an orchestra, find what is wrong with it, and shrink it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Never

import attrs
import pytest
import trio
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from orchestra_trio import OneshotSender, Orchestra, Priority, Restart, Subsystem, subsystem
from orchestra_trio.testing import Hang, RoutingMachine, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from orchestra_trio import RunningOrchestra

Context = Any


@attrs.frozen
class Item:
    number: int


@attrs.frozen
class Ask:
    reply: OneshotSender[int]
    number: int


@attrs.frozen
class Done:
    number: int


@attrs.frozen
class Tick:
    number: int


class Shop(Orchestra[Tick, int], message_capacity=2, outgoing=Done):
    clerk: Subsystem[Item, Ask | Done, Tick] = subsystem(priority=True, restart=Restart(max_restarts=2, within=5))
    till: Subsystem[Ask, Never, Tick]

    async def on_event(self, event: int, running: RunningOrchestra[Tick, int]) -> None:
        await running.route_message(Item(event))


async def clerk(ctx: Context) -> None:
    async for incoming in ctx:
        if isinstance(incoming, Item):
            await ctx.send(Done(await ctx.request(Ask, incoming.number)))


async def till(ctx: Context) -> None:
    async for incoming in ctx:
        if isinstance(incoming, Ask):
            incoming.reply.send(incoming.number)


class ShopMachine(RoutingMachine):
    messages: ClassVar[SearchStrategy[Any]] = st.builds(Item, st.integers(0, 9))
    signals: ClassVar[SearchStrategy[Any]] = st.builds(Tick, st.integers(0, 9))
    events: ClassVar[SearchStrategy[Any]] = st.integers(0, 9)

    clerk: Callable[..., Any] = staticmethod(clerk)
    till: Callable[..., Any] = staticmethod(till)

    def hold(self) -> Shop:
        return Shop(clerk=self.clerk, till=self.till)


def play(machine: type[RuleBasedStateMachine], examples: int = 60) -> None:
    """Play with a machine, the same each time."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            derandomize=True,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_an_orchestra_without_faults_is_played_with_and_all_rules_are_used() -> None:
    used: set[str] = set()

    class Counted(ShopMachine):
        def do(self, async_fn: Callable[..., Any], *args: object, then_rest: bool = False) -> Any:  # noqa: ANN401 - as there
            used.add(getattr(getattr(async_fn, "func", async_fn), "__name__", ""))
            return super().do(async_fn, *args, then_rest=then_rest)

    play(Counted, 100)
    assert used >= {"route_message", "broadcast_signal", "send", "sleep", "close", "terminate", "cancel", "_start"}


def test_a_subsystem_that_fails_is_found() -> None:
    async def choosy(ctx: Context) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Ask):
                if incoming.number == 7:
                    raise LookupError
                incoming.reply.send(incoming.number)

    class Choosy(ShopMachine):
        till = staticmethod(choosy)

    with pytest.RaisesGroup(LookupError):
        play(Choosy, 200)


def test_a_hang_is_found_and_says_who_waits() -> None:
    async def forgetful(ctx: Context) -> None:
        _ = [incoming async for incoming in ctx]  # with reply ends, which it keeps and does not use
        await trio.sleep_forever()

    class Forgetful(ShopMachine):
        till = staticmethod(forgetful)

    with pytest.raises(Hang, match="all tasks wait"):
        play(Forgetful)


def test_rules_of_ones_own_find_an_ordering_bug_and_it_shrinks() -> None:
    async def hasty(ctx: Context) -> None:
        async def work(item: Item) -> None:
            await ctx.send(Done(await ctx.request(Ask, item.number)))

        async for incoming in ctx:
            if isinstance(incoming, Item):
                ctx.start_soon(work, incoming)

    class Hasty(ShopMachine):
        clerk = staticmethod(hasty)
        restartable: ClassVar[list[str]] = []  # what fails has lost a message

        @rule(number=st.integers(0, 9))
        def two_in_order(self, number: int) -> None:
            if self.is_open:
                self.outgoing()
                for one in (number, number + 1):
                    self.do(self.running.route_message, Item(one))
                got = [done.number for done in self.outgoing()]
                assert got == sorted(got), got

    with pytest.raises(AssertionError, match=r"^\[1, 0\]") as caught:
        play(Hasty, 200)
    notes = "\n".join(caught.value.__notes__)
    assert "two_in_order(number=0)" in notes
    assert "route(" not in notes, "what does not matter was left out"


def test_a_request_is_answered() -> None:
    class Asking(ShopMachine):
        @rule(number=st.integers(0, 9))
        def ask(self, number: int) -> None:
            if self.is_open:
                assert self.request(Ask, number) == number

    play(Asking)


def test_what_is_made_to_fail_begins_anew_until_its_limit() -> None:
    """A machine can be played with by hand, too."""
    machine = ShopMachine()
    machine.begin(Schedule())
    assert machine.restartable == ["clerk"]
    for number in range(2):
        machine.fail("clerk")
        machine.route(Item(number), Priority.NORMAL, then_rest=True)
        machine.let_work(1)
        assert machine.running.statistics().subsystems["clerk"].restarts == number + 1
    machine.route(Item(7), Priority.HIGH, then_rest=True)
    assert machine.outgoing() == [Done(7)]
    machine.fail("clerk")
    machine.route(Item(3), Priority.NORMAL, then_rest=True)  # beyond the limit: what was induced is no failure
    states = [machine.is_open]
    machine.open()
    states.append(machine.is_open)
    assert states == [False, True]
    machine.teardown()


def test_a_machine_must_say_what_it_plays_with() -> None:
    class Nothing(RoutingMachine):
        pass

    with pytest.raises(NotImplementedError, match=r"^Nothing does not say which orchestra it plays with: define hold"):
        play(Nothing, 1)


def test_nothing_can_be_asked_before_it_has_begun() -> None:
    machine = ShopMachine()
    with pytest.raises(RuntimeError, match="the rule `begin` comes first"):
        machine.do(trio.sleep, 1)
    with pytest.raises(RuntimeError, match="the rule `begin` comes first"):
        _ = machine.running
