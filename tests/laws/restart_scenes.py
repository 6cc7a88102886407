"""Small orchestras whose subsystems fail at drawn times and messages, played under a mock clock; what they noted."""

from __future__ import annotations

import logging
import types
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import attrs
import trio
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Restart, Subsystem, SubsystemExited, subsystem
from tests.laws.performance import run
from tests.laws.wirings import MESSAGES, SIGNALS, Message, Signal, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio import DeadLetter, RunningOrchestra, SubsystemContext, SubsystemStatistics

__all__ = ["Entry", "Life", "Member", "Performance", "Scene", "make_class", "play", "scenes"]

TICK = SIGNALS[0]


@attrs.frozen
class Life:
    """What one incarnation does, beside receiving until its input ends."""

    after: int | None = None
    """Its main task, or a job, fails after so many seconds."""
    in_job: bool = False
    at: int | None = None
    """Its main task fails with this message in hand, counted from 1."""
    error: type[Exception] = ValueError
    """A `ValueError` may be survived, others are not."""
    slow: int = 0
    """How many seconds its main task takes to end once it is cancelled."""
    tidy: int | None = None
    """It has a job in the background that takes so many seconds then."""
    bitter: type[Exception] | None = None
    """What that job raises then."""


@attrs.frozen
class Member:
    """One slot, and the incarnations of its subsystem, the last of which does nothing special."""

    restart: Restart | None = None
    group: str | None = None
    lives: tuple[Life, ...] = ()
    edges: tuple[int, ...] = ()
    """To which slots it sends on what it receives."""
    hears: bool = False


@attrs.frozen
class Scene:
    members: tuple[Member, ...]
    load: tuple[tuple[int, int], ...] = ()
    """When which slot gets a message from outside."""
    broadcasts: tuple[int, ...] = ()
    """When a signal is broadcast."""
    ends_at: int = 0
    is_cancelled: bool = False
    """Whether it is cancelled then, not left."""
    seed: int = 0


@attrs.frozen
class Entry:
    """Something that a subsystem did, or that the log said about one; `stop` is about all."""

    at: float
    what: str
    who: str
    detail: Any = None


@attrs.define(eq=False)
class Performance:
    """What came of a scene."""

    scene: Scene
    trace: list[Entry] = attrs.Factory(list)
    begun: Counter[str] = attrs.Factory(Counter)
    """How many incarnations each subsystem saw begin."""
    got: list[int] = attrs.Factory(list)
    dead: list[int] = attrs.Factory(list)
    made: int = 0
    accepted: list[int] = attrs.Factory(list)
    epochs: defaultdict[str, list[int]] = attrs.Factory(lambda: defaultdict(list))
    """What the epoch of each was whenever it received something."""
    heard: defaultdict[str, list[int]] = attrs.Factory(lambda: defaultdict(list))
    """Which signals each received."""
    sent_signals: int = 0
    errors: tuple[BaseException, ...] = ()
    """Those that `open()` raised."""
    statistics: dict[str, SubsystemStatistics] = attrs.Factory(dict)

    def note(self, what: str, who: str, detail: object = None) -> None:
        self.trace.append(Entry(trio.current_time(), what, who, detail))

    @contextmanager
    def task(self, who: str, *, background: bool = False) -> Iterator[None]:
        """Note that a task has ended; that it is to begin has been noted when it was started."""
        try:
            yield
        finally:
            self.note("leave", who, background)

    def fail(self, who: str, kind: type[Exception]) -> None:
        error = kind(f"{who} at {trio.current_time()}")
        self.note("raise", who, error)
        raise error

    def make(self, slot: int, hops: int) -> Message:
        self.made += 1
        return MESSAGES[slot](self.made, hops)


def play(scene: Scene) -> Performance:
    """Play a scene.

    Raises:
        trio.TooSlowError: It hangs.
    """
    performance = Performance(scene)
    handler = _Noting(performance)
    logger = logging.getLogger("orchestra_trio")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        run(_Stage(performance).open, scene.seed)
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
    return performance


class _Noting(logging.Handler):
    """Notes what the log says about restarts: at the moment at which an old incarnation has ended."""

    def __init__(self, performance: Performance) -> None:
        super().__init__()
        self.performance = performance

    def emit(self, record: logging.LogRecord) -> None:
        if "begins anew" in record.getMessage():
            self.performance.note("record", vars(record)["subsystem"])


def make_class(scene: Scene, performance: Performance | None = None) -> type[Orchestra[Signal]]:
    """Declare the orchestra of a scene."""
    slot_class: Any = Subsystem
    body: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for number, member in enumerate(scene.members):
        body["__annotations__"][name_of(number)] = slot_class[MESSAGES[number]]
        body[name_of(number)] = subsystem(
            sends=tuple(MESSAGES[edge] for edge in member.edges),
            signals=(TICK,) if member.hears else (),
            message_capacity=2,
            restart=member.restart,
            restart_group=member.group,
        )

    def on_dead_letter(_: object, letter: DeadLetter) -> None:
        if performance is not None:
            performance.dead.append(cast("Message", letter.message).number)

    body["on_dead_letter"] = on_dead_letter
    options = {"yield_every": 2, "signal_timeout": 10_000, "message_timeout": 10_000}
    made = types.new_class("Drawn", (cast("Any", Orchestra)[Signal],), options, lambda names: names.update(body))
    return cast("type[Orchestra[Signal]]", made)


@attrs.define(eq=False)
class _Stage:
    performance: Performance

    async def open(self) -> None:
        performance, scene = self.performance, self.performance.scene
        running: RunningOrchestra[Signal] | None = None
        try:
            orchestra = make_class(scene, performance)(**self.subsystems())
            async with orchestra.open() as running, trio.open_nursery() as nursery:
                for at, slot in scene.load:
                    nursery.start_soon(self.route, running, at, slot)
                for at in scene.broadcasts:
                    nursery.start_soon(self.broadcast, running, at)
                await trio.sleep_until(scene.ends_at)
                if scene.is_cancelled:
                    performance.note("stop", "")
                    running.cancel()
        except BaseExceptionGroup as group:
            performance.errors = group.exceptions
        if running is not None:
            performance.statistics = running.statistics().subsystems

    async def route(self, running: RunningOrchestra[Signal], at: int, slot: int) -> None:
        await trio.sleep_until(at)
        message = self.performance.make(slot, hops=2)
        with suppress(trio.ClosedResourceError, SubsystemExited):
            await running.route_message(message)
            self.performance.accepted.append(message.number)

    async def broadcast(self, running: RunningOrchestra[Signal], at: int) -> None:
        await trio.sleep_until(at)
        self.performance.sent_signals += 1
        await running.broadcast_signal(TICK(self.performance.sent_signals))

    def subsystems(self) -> dict[str, Any]:
        def make(slot: int) -> Any:  # noqa: ANN401 - a subsystem of any types
            async def subsystem_of_slot(ctx: SubsystemContext[Message, Message, Signal]) -> None:
                await self.live(slot, ctx)

            return subsystem_of_slot

        return {name_of(slot): make(slot) for slot in range(len(self.performance.scene.members))}

    async def live(self, slot: int, ctx: SubsystemContext[Message, Message, Signal]) -> None:
        """Run one incarnation."""
        performance, who = self.performance, name_of(slot)
        number = performance.begun[who]
        performance.begun[who] += 1
        lives = performance.scene.members[slot].lives
        life = lives[number] if number < len(lives) else Life()
        performance.note("begin", who, number)
        performance.note("enter", who, False)
        with performance.task(who):
            is_over = trio.Event()
            if life.tidy is not None:
                performance.note("enter", who, True)
                ctx.start_soon(self.tidy, who, life, is_over, background=True)
            if life.after is not None and life.in_job:
                performance.note("enter", who, False)
                ctx.start_soon(self.fail_later, who, life)
            try:
                await self.play(slot, ctx, life)
            except trio.Cancelled:
                with trio.CancelScope(shield=True):
                    await trio.sleep(life.slow)
                raise
            is_over.set()

    async def play(self, slot: int, ctx: SubsystemContext[Message, Message, Signal], life: Life) -> None:
        performance, who = self.performance, name_of(slot)
        if life.after is not None and not life.in_job:
            await trio.sleep(life.after)
            performance.fail(who, life.error)
        count = 0
        async for incoming in ctx:
            performance.epochs[who].append(ctx.epoch)
            if isinstance(incoming, Signal):
                performance.heard[who].append(incoming.number)
                continue
            performance.got.append(incoming.number)
            count += 1
            if count == life.at:
                performance.fail(who, life.error)
            for edge in performance.scene.members[slot].edges if incoming.hops else ():
                await self.send_on(slot, ctx, performance.make(edge, incoming.hops - 1), edge)

    async def send_on(
        self, slot: int, ctx: SubsystemContext[Message, Message, Signal], message: Message, edge: int
    ) -> None:
        """Send a message, without waiting where the edge leads back, so that nothing hangs by itself."""
        with suppress(trio.WouldBlock, SubsystemExited):
            if edge > slot:
                await ctx.send(message)
            else:
                ctx.send_nowait(message)
            self.performance.accepted.append(message.number)

    async def fail_later(self, who: str, life: Life) -> None:
        with self.performance.task(who):
            await trio.sleep(life.after or 0)
            self.performance.fail(who, life.error)

    async def tidy(self, who: str, life: Life, is_over: trio.Event) -> None:
        with self.performance.task(who, background=True):
            try:
                await is_over.wait()
            finally:
                if not is_over.is_set():
                    with trio.CancelScope(shield=True):
                        await trio.sleep(life.tidy or 0)
                    if life.bitter is not None:
                        self.performance.fail(who, life.bitter)


# --- drawing ---------------------------------------------------------------------------------------------------------

_SECONDS = st.integers(0, 6)
_ERRORS = st.sampled_from([ValueError] * 19 + [LookupError])

_LIVES = st.builds(
    Life,
    after=_SECONDS | st.none() | st.integers(0, 20),
    in_job=st.booleans(),
    at=st.none() | st.integers(1, 3),
    error=_ERRORS,
    slow=_SECONDS,
    tidy=st.none() | _SECONDS,
    bitter=st.sampled_from([None] * 6 + [ValueError] * 5 + [LookupError]),
)

_RESTARTS = st.builds(
    Restart,
    max_restarts=st.integers(2, 4) | st.just(1),
    within=st.sampled_from([1000, 10, 3]),
    backoff=st.integers(0, 5),
    factor=st.integers(1, 3),
    max_backoff=st.sampled_from([100, 7]),
    on=st.just(ValueError),
    order=st.sampled_from(["all", "rest", "rest"]),
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Draw a scene whose declaration is sound."""
    size = draw(st.sampled_from([1, 2, 3, 4, 3]))
    slots = st.integers(0, size - 1)
    drawn = draw(
        st.lists(
            st.builds(
                Member,
                restart=st.sampled_from([True] * 11 + [False]).flatmap(lambda has: _RESTARTS if has else st.none()),
                group=st.sampled_from(["x", "x", "x", "y", None]),
                lives=st.lists(_LIVES, max_size=3).map(tuple),
                edges=st.lists(slots, max_size=2, unique=True).map(tuple),
                hears=st.booleans(),
            ),
            min_size=size,
            max_size=size,
        )
    )
    mended = [member.group for member in drawn if member.restart is not None]
    members = [attrs.evolve(member, group=member.group if member.group in mended else None) for member in drawn]
    return Scene(
        members=tuple(
            attrs.evolve(member, restart=attrs.evolve(member.restart, order="all"))
            if member.restart is not None and member.group is None
            else member
            for member in members
        ),
        load=tuple(draw(st.lists(st.tuples(st.integers(0, 20), slots), max_size=6))),
        broadcasts=tuple(draw(st.lists(st.integers(0, 20), max_size=3))),
        ends_at=draw(st.integers(0, 30)),
        is_cancelled=draw(st.sampled_from([False, False, False, True])),
        seed=draw(st.integers(0, 2**32)),
    )
