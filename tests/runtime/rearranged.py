"""Orchestras filled in every way that there is, and played with a small load.

The load is such that its outcome does not depend on the schedule: no messages go round, and everyone receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Builder, DeclarationError, Orchestra, Priority
from tests.runtime.plans import Event, Tick, Tock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra_trio.wiring.declaration import Declaration
    from orchestra_trio.wiring.slots import Slot
    from tests.runtime.plans import Plan
    from tests.runtime.samples import AnyContext

__all__ = ["built", "declared", "fields_of", "outcome"]


def declared(declare: Callable[[Plan], type[Orchestra[Any, Any]]], plan: Plan) -> object:
    """All that a declaration says; or the error, where the plan is unsound."""
    try:
        said: Declaration = declare(plan).__declaration__
    except DeclarationError as error:
        return str(error)
    graph, boundary = said.graph, said.graph.boundary
    assert boundary is not None
    return {
        "class": (said.name, said.signal_types, said.event_types, said.options, said.message_types, said.features),
        "slots": list(said.slots.items()),
        "baggage": (list(said.baggage.items()), said.baggage_without_default),
        "routes": (list(said.routes.declared.items()), said.routes.reach),
        "graph": (graph, graph.cycles, graph.blocking_cycles),
        "boundary": (boundary, dict(boundary.hearing), dict(boundary.conditional)),
    }


def fields_of(plan: Plan, cls: type[Orchestra[Any, Any]], subsystem_of: Callable[[str], Any]) -> dict[str, Any]:
    """What the constructor gets; baggage with a default only sometimes, and disabled slots too."""
    declaration = cls.__declaration__
    given = {name: subsystem_of(name) for name, slot in declaration.slots.items() if not slot.wip}
    baggage = {
        name: value
        for name, value in zip(declaration.baggage, plan.values, strict=True)
        if name in declaration.baggage_without_default or value % 2
    }
    return given | baggage | {"features": plan.features & set(declaration.features)}


def built(plan: Plan, builder: Builder[Any], fields: Mapping[str, Any]) -> Orchestra[Any, Any]:
    """Fill the fields by a builder, in the order and by the methods that the plan says."""
    slots = [name for name in fields if name.startswith("s")]
    steps = dict(zip(sorted(fields), plan.steps, strict=False))
    replacing: dict[str, Any] = {}
    for name in sorted(fields, key=lambda one: steps[one] // 3):
        value, way = fields[name], steps[name] % 3
        if name not in slots:
            builder = getattr(getattr(builder, name)(()), name)(value)  # set again
        elif way == 0:
            builder = getattr(builder, name)(value)
        elif way == 1:
            builder = getattr(builder, f"{name}_with")(lambda _, value=value: value)
        else:
            builder = getattr(builder, name)(trio.sleep_forever)
            replacing[name] = value
    for name, value in replacing.items():
        builder = getattr(builder, f"replace_{name}")(lambda _, value=value: value)
    made: Orchestra[Any, Any] = builder.build()
    return made


class Part:
    """Stands in any slot: passes each message on as every type that the slot sends, and notes what came."""

    def __init__(self, slots: Mapping[str, Slot]) -> None:
        self.slots = slots
        self.got: list[str] = []

    async def __call__(self, ctx: AnyContext) -> None:
        ctx.started()
        async for incoming in ctx:
            self.got.append(repr(incoming))
            if not isinstance(incoming, Tock):
                await self.pass_on(ctx, getattr(incoming, "path", "tick"))

    async def pass_on(self, ctx: AnyContext, path: str) -> None:
        slot = self.slots[ctx.name]
        for one in slot.sends:
            message: Any = one(f"{path}>{ctx.name}")
            if one in slot.unbounded:
                ctx.send_unbounded(message)
            else:
                await ctx.send(message)


def outcome(make: Callable[[Callable[[str], Any]], Orchestra[Any, Any]], slots: Mapping[str, Slot]) -> object:
    """Make an orchestra with parts in its slots, and return what comes of a small load and how much fits into it."""
    parts = {name: Part(slots) for name in slots}
    orchestra = make(parts.__getitem__)
    return (
        trio.run(_play, orchestra, clock=MockClock(autojump_threshold=0)),
        {name: sorted(part.got) for name, part in parts.items()},
        trio.run(_room, make(parts.__getitem__), clock=MockClock(autojump_threshold=0)),
        {name: getattr(orchestra, name) for name in orchestra.__declaration__.baggage},
    )


def _routed(orchestra: Orchestra[Any, Any]) -> list[Any]:
    return [one for one, route in orchestra.__declaration__.routes.declared.items() if route.consumer is not None]


async def _play(orchestra: Orchestra[Any, Any]) -> object:
    """Put the load on; return all that does not depend on the schedule."""
    out: list[str] = []

    async def read() -> None:
        out.extend([repr(message) async for message in running.outgoing])

    async with orchestra.open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for number, one in enumerate(_routed(orchestra)):
            await running.route_message(one(f"{number}"), priority=Priority.HIGH if number % 2 else Priority.NORMAL)
            await running.broadcast_signal(Tick(number))
            await wait_all_tasks_blocked()
            await running.broadcast_signal(Tock(number))
            await running.handle.send(Event(one("event")))
            await wait_all_tasks_blocked()
        running.close_input()
    numbers = running.statistics()
    return {
        "out": sorted(out),
        "letters": sorted(repr(letter) for letter in running.dead_letters),
        "counts": (numbers.dead_letters, numbers.epoch, numbers.events.received),
        "subsystems": {
            name: (one.state, one.epoch, *(lane.received for lane in (one.signals, one.priority, one.bounded)))
            for name, one in numbers.subsystems.items()
        },
    }


async def _room(orchestra: Orchestra[Any, Any]) -> object:
    """Fill the lanes of subsystems that never receive."""

    async def sleeping(ctx: AnyContext) -> None:
        ctx.started()
        await trio.sleep_forever()

    names = orchestra.__declaration__.needed(orchestra.features)
    async with orchestra.replace(**dict.fromkeys(names, sleeping)).open() as running:
        room = {
            (one, priority): _most(lambda: running.route_message_nowait(one("x"), priority=priority))  # noqa: B023 - called at once
            for one in _routed(orchestra)
            for priority in Priority
        }
        signals = {
            name: _most(lambda: running.send_signal_nowait(name, Tick(1)))  # noqa: B023 - as above
            for name in names
            if orchestra.__declaration__.slots[name].signals
        }
        running.cancel()
    return room, signals


def _most(put: Callable[[], None]) -> int | None:
    """How often something can be put until there is no room; None where nothing holds it."""
    for count in range(20):
        try:
            put()
        except trio.WouldBlock:
            return count
    return None
