"""Performing plans of wirings with threads: the same scripts in tasks and in threads, on the system clock."""

from __future__ import annotations

import inspect
import sys
import types
from typing import TYPE_CHECKING, Any, Never, cast

import trio

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem, subsystem
from tests.delivery.crowds import PATIENCE, Stumbling, hasty
from tests.laws.threads import MESSAGES, Tick, World, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio import DeadLetter
    from tests.laws.threads import Call, Plan, Script

__all__ = ["perform"]


def advance(script: Script, box: list[Any], error: BaseException | None) -> Call | None:
    """Tell a script what came of its call; return the next one, None where it has ended."""
    try:
        return script.send(box) if error is None else script.throw(error)
    except StopIteration:
        return None


def play_in_thread(ctx: Any, script: Script, seed: int) -> None:  # noqa: ANN401 - a context of any types
    """Run a script in this thread, which stumbles on its way through lanes and mailboxes."""
    previous = sys.gettrace()
    sys.settrace(Stumbling(seed).trace)
    try:
        call: Call | None = next(script)
        while call is not None:
            box, error = [], None
            try:
                box.append(call(ctx))
            except BaseException as fault:  # noqa: ASYNC103, BLE001 - the script's to deal with
                error = fault
            call = advance(script, box, error)
            del error
    finally:
        sys.settrace(previous)


async def play_in_task(ctx: Any, script: Script) -> None:  # noqa: ANN401 - as above
    call: Call | None = next(script)
    while call is not None:
        box, error = [], None
        try:
            result = call(ctx)
            box.append(await result if inspect.isawaitable(result) else result)
            del result
        except BaseException as fault:  # noqa: ASYNC103, BLE001 - as above
            error = fault
        call = advance(script, box, error)
        del error


def blocking_subsystem(world: World, place: int) -> Callable[[Any], None]:
    plan = world.plan.slots[place]

    def main(ctx: Any) -> None:  # noqa: ANN401 - as above
        def receiver(number: int) -> None:
            play_in_thread(ctx, world.serve(place, f"{ctx.name}.{number}"), world.plan.seed + number)

        for number in range(1, plan.receivers):
            ctx.start_soon(receiver, number)
        receiver(0)

    return main


def async_subsystem(world: World, place: int) -> Callable[[Any], Any]:
    plan = world.plan.slots[place]

    async def main(ctx: Any) -> None:  # noqa: ANN401 - as above
        for number in range(1, plan.receivers):
            ctx.start_soon(play_in_task, ctx, world.serve(place, f"{ctx.name}.{number}"))
        await play_in_task(ctx, world.serve(place, f"{ctx.name}.0"))

    return main


def make_orchestra(world: World) -> Orchestra[Tick]:
    """Declare the orchestra of a plan, and hold the subsystems that play it."""
    kinds: dict[bool, Any] = {True: BlockingSubsystem, False: Subsystem}
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for place, plan in enumerate(world.plan.slots):
        targets = tuple(MESSAGES[target] for target in plan.edges)
        annotations[name_of(place)] = kinds[plan.blocking][MESSAGES[place]]
        body[name_of(place)] = subsystem(
            sends=targets,
            signals=Tick if plan.hears else Never,
            message_capacity=plan.capacity,
            signal_capacity=1,
            priority=plan.priority,
            unbounded=dict.fromkeys(targets, "the plan"),
        )

    def on_dead_letter(_: object, letter: DeadLetter) -> None:
        world.letters.append(letter)

    body["on_dead_letter"] = on_dead_letter
    options = {"signal_timeout": PATIENCE, "message_timeout": PATIENCE, "yield_every": 3}
    base: Any = Orchestra
    drawn: Any = types.new_class("Drawn", (base[Tick],), options, lambda namespace: namespace.update(body))
    makers: dict[bool, Any] = {True: blocking_subsystem, False: async_subsystem}
    players = {name_of(place): makers[plan.blocking](world, place) for place, plan in enumerate(world.plan.slots)}
    return cast("Orchestra[Tick]", drawn(**players))


def perform(plan: Plan) -> World:
    """Perform a plan.

    Raises:
        AssertionError: The meters did not add up at some moment.
        trio.TooSlowError: It hangs.
        BaseExceptionGroup: What no script has raised.
    """
    world = World(plan)
    with hasty():
        trio.run(_play, world)
    return world


async def _play(world: World) -> None:
    with trio.fail_after(PATIENCE):
        async with make_orchestra(world).open() as running:
            for step in world.plan.load:
                await world.take_step(running, step)
                world.check_meters(running)
            match world.plan.ending:
                case "terminate":
                    world.broadcasts.append(len(world.broadcasts) + 1)
                    world.report = await running.terminate(Tick(len(world.broadcasts)), grace=PATIENCE)
                case "stop":
                    world.report = await running.terminate(grace=0)
                case "cancel":
                    running.cancel()
                case _:
                    pass
    world.read(running)
