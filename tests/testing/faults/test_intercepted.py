"""Hooks, and what is refused as a subsystem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import DeclarationError, UndeclaredMessage, feature, fresh, make_orchestra, subsystem, subsystem_if
from orchestra_trio import Subsystem as Slot
from orchestra_trio.testing.faults.chances import drop
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.faults.stages import Instead
from tests.runtime.samples import (
    Ask,
    Collect,
    Duo,
    Fails,
    Item,
    Other,
    Playing,
    Sends,
    Solo,
    Tick,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from orchestra_trio.testing.faults.chances import Direction

THREE = [Item(1), Item(2), Item(3)]


async def run_duo(source: Any, sink: Any) -> None:  # noqa: ANN401 - subsystems
    await Duo(source=source, sink=sink).run()


async def test_a_hook_that_returns_nothing_just_looks(autojump_clock: MockClock) -> None:
    """At what is sent and at what is received, each once."""
    sent: list[object] = []
    received: list[object] = []
    sink = Collect()
    await run_duo(
        intercept(Sends(*THREE), on_send=sent.append, on_receive=received.append),
        intercept(sink, on_receive=received.append, on_send=sent.append),
    )
    assert sent == received == sink.got == THREE


def doubled(message: Item) -> Item:
    return Item(2 * message.number)


def without_two(message: Item) -> Instead[Item] | None:
    return Instead() if message.number == 2 else None


def thrice(message: Item) -> Instead[Item | Other]:
    return Instead(message, Other(message.number), message)


@pytest.mark.parametrize("on", ["on_send", "on_receive"])
@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        (doubled, [Item(2), Item(4), Item(6)]),
        (without_two, [Item(1), Item(3)]),
        (thrice, [one for n in (1, 2, 3) for one in (Item(n), Other(n), Item(n))]),
    ],
)
async def test_what_a_hook_returns_goes_on(
    autojump_clock: MockClock, hook: Callable[[Any], Any], expected: list[Any], on: str
) -> None:
    """One message, none, or several in their order, also beyond the capacity of the lane."""
    sink = Collect(delay=1)
    faulty: Any
    if on == "on_send":
        faulty = intercept(Sends(*THREE), on_send=hook)
        await run_duo(faulty, sink)
    else:
        faulty = intercept(sink, on_receive=hook)
        await run_duo(Sends(*THREE), faulty)
    assert sink.got == expected
    tally = faulty.sent if on == "on_send" else faulty.received
    assert (tally.seen, tally.passed, tally.held, tally.lost) == (3, len(expected), 0, 0)
    assert tally.added - tally.dropped == len(expected) - 3
    assert faulty.dropped == tally.dropped


async def test_hooks_see_signals_but_cannot_change_them(autojump_clock: MockClock) -> None:
    """They are no messages for `on_receive`."""
    signals: list[object] = []
    messages: list[object] = []
    worker = Collect()
    faulty = intercept(worker, on_receive=messages.append, on_signal=signals.append)
    async with Solo(worker=faulty).open() as running:
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick(1))
        await running.send_signal("worker", Tick(2))
    assert signals == [Tick(1), Tick(2)]
    assert messages == [Item(1)]
    assert sorted(worker.numbers) == [1, 1, 2]


async def test_what_the_slot_does_not_send_is_refused_before_anything_is_sent(autojump_clock: MockClock) -> None:
    """Also as the second of several."""
    sink = Collect()

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        with pytest.raises(TypeError) as caught:
            await ctx.send(Item(1))
        assert str(caught.value) == (
            "a hook returned a str in the place of an Item, which 'source' does not send: "
            "return None, a message, or Instead(...)"
        )
        assert isinstance(caught.value.__cause__, UndeclaredMessage)
        with pytest.raises(TypeError, match="a hook returned a str"):
            ctx.send_nowait(Item(2))

    faulty = intercept(Playing(main), on_send=lambda one: Instead(one, "x"))
    await run_duo(faulty, sink)
    assert sink.got == []
    assert faulty.sent.seen == 0


async def test_what_the_slot_does_not_send_unbounded_is_refused_as_such(autojump_clock: MockClock) -> None:
    made: Any = make_orchestra("Loop", {"worker": (Slot[Item | Other, Item | Other], subsystem(unbounded={Item: "x"}))})

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        with pytest.raises(TypeError, match="an Other in the place of an Item, which 'worker' does not send unbounded"):
            ctx.send_unbounded(Item(1))
        await trio.lowlevel.checkpoint()

    await made(worker=intercept(main, on_send=lambda _: Other(1))).run()


@pytest.mark.parametrize("answer", [True, "x", (Item(1),)])
async def test_what_the_slot_does_not_consume_is_refused(autojump_clock: MockClock, answer: object) -> None:
    """A condition is no answer of a hook, and neither is a tuple of messages."""
    hook: Any = lambda _: answer  # noqa: E731 - of any type
    with stopped() as errors:
        await run_duo(Sends(Item(1)), intercept(Collect(), on_receive=hook))
    assert str(errors[0]) == (
        f"a hook returned a {type(answer).__name__} in the place of an Item, which 'sink' does not consume: "
        f"return None, a message, or Instead(...)"
    )


@pytest.mark.parametrize("on", ["on_send", "on_receive"])
async def test_an_async_hook_is_refused(autojump_clock: MockClock, on: str) -> None:
    """It would have to wait amid a step."""

    async def hook(_: object) -> None: ...

    hooks: dict[str, Any] = {on: hook}
    with stopped() as errors:
        await run_duo(intercept(Sends(Item(1)), **hooks), intercept(Collect(), **hooks))
    assert isinstance(errors[0], TypeError)
    assert "must not be async" in str(errors[0])


async def test_what_a_hook_raises_is_an_error_of_the_subsystem(autojump_clock: MockClock) -> None:
    """The message that it was called with is lost, and counted."""

    def hook(_: object) -> None:
        raise LookupError

    faulty = intercept(Collect(), on_receive=hook)
    with stopped() as errors:
        await run_duo(Sends(Item(1)), faulty)
    assert isinstance(errors[0], LookupError)
    assert "raised in 'sink' of Duo" in errors[0].__notes__[0]
    assert (faulty.received.seen, faulty.received.lost) == (1, 1)


async def test_a_hook_that_raises_amid_a_batch_loses_its_message_alone(autojump_clock: MockClock) -> None:
    """Those before it are received by the next call."""
    batches: list[Any] = []

    def hook(message: Any) -> None:  # noqa: ANN401 - of any types
        if message == Item(2):
            raise LookupError

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        await trio.sleep(1)
        with pytest.raises(LookupError):
            await ctx.receive_many(9)
        batches.append(await ctx.receive_many(9))

    faulty = intercept(Playing(main), on_receive=hook)
    duo = Duo.builder().source(Sends(*THREE)).sink(faulty).message_channel_capacity(9).build()
    await duo.run()
    assert batches == [[Item(1), Item(3)]]
    assert (faulty.received.seen, faulty.received.passed, faulty.received.lost) == (3, 2, 1)


async def test_a_factory_makes_the_original_for_each_incarnation(autojump_clock: MockClock) -> None:
    made: list[Collect] = []

    def factory() -> Collect:
        made.append(Collect())
        return made[-1]

    hook: Any = doubled  # of this message alone, as the test sends
    faulty = intercept(fresh(factory), on_receive=hook)
    duo = Duo(source=Sends(Item(1)), sink=faulty)
    await duo.run()
    await duo.run()
    assert [one.numbers for one in made] == [[2], [2]]


async def test_an_intercepted_subsystem_takes_the_place_of_the_original(autojump_clock: MockClock) -> None:
    """By `replace`, of which the original orchestra knows nothing."""
    sink = Collect()
    original = Duo(source=Sends(*THREE), sink=sink)
    await original.replace(sink=drop(original.sink, Item, every=2)).run()
    assert sink.numbers == [1, 3]
    await original.run()
    assert sink.numbers == [1, 3, 1, 2, 3]


def test_what_is_no_subsystem_is_refused() -> None:
    """With words that say what to give instead."""
    anything: Any = None
    with pytest.raises(TypeError, match=r"^drop: None is no subsystem: the slot is not set$"):
        drop(anything)
    anything = Collect
    with pytest.raises(TypeError, match=r"give an object, Collect\(\.\.\.\), or fresh\(Collect\)$"):
        intercept(anything)
    anything = idle(anything)
    with pytest.raises(TypeError, match="a coroutine is no subsystem"):
        intercept(anything)
    anything = 3
    with pytest.raises(TypeError, match="an int is no subsystem"):
        intercept(anything)


def test_a_slot_that_is_not_set_is_refused() -> None:
    made: Any = make_orchestra("P", {"worker": Slot[Item], "more": (Slot[Other], subsystem_if(feature("x")))})
    with pytest.raises(TypeError, match="the slot is not set"):
        drop(made(worker=idle).more)


async def test_it_must_be_called_with_a_context() -> None:
    anything: Any = 3
    with pytest.raises(TypeError, match="a subsystem is called with a context, not an int"):
        await drop(idle)(anything)


@pytest.mark.parametrize(
    ("types", "on", "words"),
    [
        ((Tick,), "both", "drop() is to change the signal Tick; signals always come through: name messages"),
        ((Item, Other), "receive", "drop() is to change Other, which it does not receive; name some of Item"),
        ((Tick,), "send", "drop() is to change the signal Tick; signals always come through: name messages"),
        ((Ask,), "both", "drop() is to change Ask, which it does not receive or send; name some of Item, Other"),
    ],
)
async def test_types_that_never_come_by_are_refused_when_it_runs(
    autojump_clock: MockClock, types: tuple[type, ...], on: Direction, words: str
) -> None:
    """A fault that does nothing would go unnoticed."""
    made: Any = make_orchestra("P", {"ping": Slot[Item, Other, Tick], "pong": Slot[Other, Item]}, signals=Tick)
    with stopped() as errors:
        await made(ping=drop(idle, *types, on=on), pong=idle).run()
    assert isinstance(errors[0], DeclarationError)
    assert str(errors[0]) == f"P.ping: {words}"


async def test_subclasses_and_bases_of_declared_types_may_be_named(autojump_clock: MockClock) -> None:
    sink = Collect()
    await run_duo(Sends(Item(1), Other(2)), drop(sink, tuple))
    assert sink.got == []


async def test_errors_of_the_original_are_as_without(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        await Solo(worker=intercept(Fails(KeyError("x")))).run()
    assert isinstance(errors[0], KeyError)


async def test_one_object_in_two_orchestras_at_once(autojump_clock: MockClock) -> None:
    """They share the counts, and nothing else."""
    seen: list[Any] = []

    async def note(ctx: Any) -> None:  # noqa: ANN401 - of any types
        async for one in ctx:
            seen.append(one.number)
            await trio.sleep(1)

    faulty = drop(note, every=2)
    async with Solo(worker=faulty).open() as one, Solo(worker=faulty).open() as other:
        for number in range(4):
            await one.route_message(Item(number))
            await other.route_message(Item(10 + number))
    assert sorted(seen) == [0, 2, 10, 12]
    assert faulty.dropped == 4


def test_representations_say_what_is_done() -> None:
    inner = Playing(idle)
    faulty = drop(intercept(inner, on_send=print), Item, Other, probability=0.5, seed=3, on="receive")
    text = f"drop(intercept({inner!r}, on_send={print!r}), Item, Other, probability=0.5, seed=3, on='receive')"
    assert repr(faulty) == text
    assert repr(Instead(Item(1), 2)) == "Instead(Item(number=1), 2)"
