"""Dead letters: which are kept, how they are counted, and who is told."""

from __future__ import annotations

from typing import Never

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import DeadLetter, Orchestra, Subsystem, SubsystemContext, subsystem
from tests.runtime.samples import Item, Sends, forever, idle, stopped


class Lossy(Orchestra, message_capacity=2000):
    """Sends to a subsystem that is not built yet, and tells of it."""

    source: Subsystem[str, Item]
    later: Subsystem[Item] = subsystem(wip=True)
    told: list[DeadLetter]

    def on_dead_letter(self, letter: DeadLetter) -> None:
        self.told.append(letter)


async def test_the_last_thousand_are_kept_and_all_are_counted(autojump_clock: MockClock) -> None:
    """Oldest first; the hook is told of every one, in the step in which it dies."""
    lossy = Lossy(source=Sends(*map(Item, range(1234))), told=[])
    async with lossy.open() as running:
        await wait_all_tasks_blocked()
        assert len(lossy.told) == 1234
    assert len(running.dead_letters) == 1000
    assert running.dead_letters[0] == DeadLetter(Item(234), "source", "later", "bounded", "wip")
    assert running.dead_letters == tuple(lossy.told[234:])
    assert running.statistics().dead_letters == {"wip": 1234}


async def test_counts_are_by_reason_and_complete_where_letters_are_not(autojump_clock: MockClock) -> None:
    """`statistics()` has a snapshot of them."""

    class Mixed(Orchestra, unconsumed="allow"):
        source: Subsystem[str, Item | bytes]
        later: Subsystem[Item] = subsystem(wip=True)

    async def source(ctx: SubsystemContext[str, Item | bytes]) -> None:
        await ctx.send_many([Item(number) for number in range(1500)])
        await ctx.send_many([b"x"] * 10)

    async with Mixed(source=source).open() as running:
        await wait_all_tasks_blocked()
        running.statistics().dead_letters.clear()
    assert running.statistics().dead_letters == {"wip": 1500, "unconsumed": 10}
    assert [one.reason for one in running.dead_letters[-11:]] == ["wip"] + ["unconsumed"] * 10


async def test_the_hook_sees_itself_in_the_letters_already(autojump_clock: MockClock) -> None:
    """It is kept and counted before the hook is called, so that a hook that fails loses nothing."""

    class Failing(Orchestra):
        source: Subsystem[Never, Item]
        later: Subsystem[Item] = subsystem(wip=True)

        def on_dead_letter(self, letter: DeadLetter) -> None:
            raise ValueError(letter.reason)

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        await trio.sleep(1)
        await ctx.send_many([Item(1)])
        await ctx.send(Item(2))

    with stopped() as errors:
        async with Failing(source=source).open() as running:
            await trio.sleep_forever()
    assert [str(one) for one in errors] == ["wip"]
    assert running.statistics().dead_letters == {"wip": 1}


async def test_a_hook_that_fails_while_all_is_cancelled_is_in_the_group_too(autojump_clock: MockClock) -> None:
    """For what lay in the lanes at the end, whoever ended it; also while the block is being left."""

    class Failing(Orchestra, outgoing=str):
        source: Subsystem[Item, str]

        def on_dead_letter(self, letter: DeadLetter) -> None:
            raise ValueError(letter.reason)

    async def sends(ctx: SubsystemContext[Item, str]) -> None:
        await ctx.send("text")
        await idle(ctx)

    with stopped() as errors:
        async with Failing(source=forever).open() as running:
            await running.route_message(Item(1))
            running.cancel()
    assert [str(one) for one in errors] == ["left over"]
    with stopped() as errors:
        async with Failing(source=sends).open():
            await wait_all_tasks_blocked()
    assert [str(one) for one in errors] == ["outgoing closed"]


async def test_no_letter_without_loss(autojump_clock: MockClock) -> None:
    """Nothing that was received, and nothing that was refused, is a dead letter."""

    class Sound(Orchestra):
        source: Subsystem[str, Item]
        sink: Subsystem[Item]

    async with Sound(source=Sends(Item(1)), sink=idle).open() as running:
        await running.route_message("x")
        await trio.sleep(1)
    assert [one.message for one in running.dead_letters] == ["x"]
