"""The declared orchestra: the base class."""

from __future__ import annotations

import inspect
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Never, Self, Unpack

import attrs
import trio
from typing_extensions import TypeVar, dataclass_transform

from orchestra_trio.errors import DeclarationError, type_name
from orchestra_trio.runtime.constructing import make_constructor
from orchestra_trio.runtime.contexts.subsystem import BlockingSubsystem, Subsystem
from orchestra_trio.runtime.events import Connector
from orchestra_trio.runtime.held import Held
from orchestra_trio.runtime.life.spawner import NurserySpawner
from orchestra_trio.runtime.opening import OpenOrchestra
from orchestra_trio.runtime.surroundings import limited, surroundings
from orchestra_trio.wiring.builder import BUILDER_NAMES, Builder
from orchestra_trio.wiring.declaration import Declaration, declare
from orchestra_trio.wiring.options import near_matches
from orchestra_trio.wiring.specifiers import subsystem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from orchestra_trio.records import DeadLetter
    from orchestra_trio.runtime.life.spawner import Spawner
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.wiring.graph import WiringGraph
    from orchestra_trio.wiring.options import GivenOptions

__all__ = ["STATEMENT", "Orchestra"]

STATEMENT = "_declared_in"
"""Where a class that no statement creates names the frame in which its annotations are to be looked up."""

SignalT = TypeVar("SignalT", default=Never)
EventT = TypeVar("EventT", default=Never)


@attrs.frozen
class _Built:
    """What an orchestra has that its constructor does not take: a builder, or the copy's original, gave it."""

    capacities: Mapping[str, int] = MappingProxyType({})
    """Options of the class that it has values of its own for."""
    connector: Connector[Any] | None = None
    """What it is opened with; None for one of its own at each opening."""
    holds_handle: bool = False
    """Whether subsystems were made from the handle of this connector, so that they cannot be opened with another."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(subsystem,))
class _Declared:
    """Tells type checkers that the fields of orchestras, also those of `Orchestra` itself, make a constructor."""


class Orchestra(_Declared, Generic[SignalT, EventT]):
    """A declared set of subsystems: `class Pipeline(Orchestra[Signal, Event], message_capacity=64)`.

    Fields annotated with `Subsystem[...]` are slots, all others baggage; an instance is made with keyword arguments
    and is frozen. It holds the subsystems, and does not run: see `open`. It may be opened again after it has ended.
    `features={"trace"}` decides which slots declared with `subsystem_if` are in use; one that is not set is None.

    Class options, with their defaults: `message_capacity=1024`, `signal_capacity=64` and `event_capacity=64` count
    what fits into a lane; `signal_timeout=10` and `message_timeout=10` are seconds; `error` wraps exceptions of
    subsystems, called with exception and origin; `outgoing` names the types that go out to the embedding program;
    `unconsumed="error"` and `unsent="allow"` say what a type is that nobody consumes or sends; `on_deadlock="error"`
    what happens when subsystems wait for each other for ever; at the latest every `yield_every=64` calls of one
    context are a schedule point.

    Raises:
        DeclarationError: The class is wired wrongly; raised by the class statement.

    Source:
        `#[orchestra]` of Rust orchestra.
    """

    __declaration__: ClassVar[Declaration]
    """What the class says, resolved and checked."""

    _built: ClassVar[_Built] = _Built()

    message_types: ClassVar[tuple[type, ...]]
    """All types of messages that slots consume or send, or that go out, each once, in the order of the class."""

    features: Collection[str] = frozenset()
    """The features that this orchestra was made with."""

    def __init_subclass__(cls, **options: Unpack[GivenOptions]) -> None:
        """Read the declaration, and make the constructor."""
        super().__init_subclass__()
        parent: Declaration | None = getattr(cls, "__declaration__", None)
        declaration = cls.__declaration__ = declare(
            cls,
            base=Orchestra,
            slot_classes={Subsystem: False, BlockingSubsystem: True},
            reserved=_reserved_names(),
            parent=parent,
            options=options,
            frame=vars(cls).get(STATEMENT) or sys._getframe(1),  # noqa: SLF001 - of the class statement: its locals may be annotations
        )
        if STATEMENT in vars(cls):
            delattr(cls, STATEMENT)
        cls.message_types = declaration.message_types
        if declaration.event_types and cls.on_event is Orchestra.on_event:
            events = " | ".join(map(type_name, declaration.event_types))
            raise DeclarationError(
                declaration.name,
                f"it declares events, {events}, and does not handle them",
                "define `async def on_event`; several signals are a union, Orchestra[A | B]",
            )
        if inspect.iscoroutinefunction(cls.on_dead_letter):
            raise DeclarationError(
                declaration.name,
                "its on_dead_letter is async, and is called where nothing can wait",
                "write `def on_dead_letter`",
            )
        make_constructor(cls, declaration)

    def __new__(cls, *_args: object, **_fields: object) -> Orchestra[SignalT, EventT]:
        """Make one of a declared class; `Orchestra` itself declares nothing."""
        if cls is Orchestra:
            message = "Orchestra declares nothing: make a subclass with slots"
            raise TypeError(message)
        return super().__new__(cls)

    @classmethod
    def graph(cls) -> WiringGraph:
        """Return the wiring as a graph: who sends what to whom, and its strongly connected components."""
        return cls.__declaration__.graph

    @classmethod
    def builder(cls) -> Builder[Self]:
        """Return a builder, for orchestras that are put together step by step.

        Source:
            `builder()` of Rust orchestra. Here it stands on the constructor, which is to be preferred: type checkers
            know its arguments.
        """
        return Builder(cls.__declaration__, cls._construct)

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 - fields of any type
        """Return a copy with other fields: `pipeline.replace(parser=Spy(pipeline.parser))`. As `copy.replace`.

        The copy is an orchestra of its own, which may be open at the same time. Of one that a builder made it keeps the
        capacities, and the connector if it has one, which is for one opening of either.

        Args:
            changes: Fields, as for the constructor, `features` among them.

        Raises:
            TypeError: There is no such field.
            DeclarationError: A field cannot be what it is set to.
        """
        declaration = self.__declaration__
        slots = [slot.name for slot in declaration.slots.values() if not slot.wip]
        known = dict.fromkeys(["features", *declaration.baggage, *slots])
        for name in changes:
            if name in declaration.slots and name not in known:
                message = f"{declaration.name}.{name} is declared with wip=True, so that nothing can be held in it"
                raise TypeError(message)
            if name not in known:
                message = f"{declaration.name} has no field {name!r}; {near_matches(name, known, 'it has')}"
                raise TypeError(message)
        fields = {name: getattr(self, name) for name in known} | changes
        copy = type(self)(**fields)
        vars(copy)["_built"] = self._built
        return copy

    __replace__ = replace

    def __copy__(self) -> Self:
        """Return a copy that is not open, even while this orchestra is."""
        return self.replace()

    def open(
        self, *, connector: Connector[EventT] | None = None, spawner: Spawner | None = None
    ) -> OpenOrchestra[SignalT, EventT]:
        """Run the subsystems while a block runs: `async with pipeline.open() as running`.

        Leaving the block normally closes the input and drains; leaving it by an exception cancels everything. In both
        cases all tasks have ended afterwards, and the errors of subsystems come out as one group.

        Entering waits for the subsystems that declare `readiness`, and raises what `OpenOrchestra.__aenter__` says:
        `trio.BusyResourceError` where the orchestra is open already or the connector was used before.

        Args:
            connector: Made before, so that others hold its handle already; None uses the one that it was built with, or
                makes one with `event_capacity`.
            spawner: Starts the tasks and threads; None starts them in trio's nurseries, as they are.

        Raises:
            ValueError: Its subsystems were built with the handle of another connector.
        """
        built = self._built.connector
        if self._built.holds_handle and connector not in (None, built):
            message = (
                f"subsystems of this {self.__declaration__.name} hold the handle of the connector that it was built "
                f"with: leave out connector=, or build another one with .build_with_connector(connector)"
            )
            raise ValueError(message)
        connector = connector or built or Connector(limited(self.__declaration__.options.event_capacity))
        return OpenOrchestra(self._held(connector, NurserySpawner() if spawner is None else spawner), connector)

    async def run(self) -> None:
        """Open, close the input at once and drain: for a wiring that ends by itself.

        Raises:
            BaseExceptionGroup: As `open()`.
            trio.BusyResourceError: It is open already.

        Checkpoint:
            Always one.

        Cancellation:
            Cancels all subsystems.
        """
        async with self.open():
            pass

    async def serve(
        self, *, task_status: trio.TaskStatus[RunningOrchestra[SignalT, EventT]] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Open and serve: `running = await nursery.start(pipeline.serve)`.

        Ends after `close_input`, `terminate` or `cancel`.

        Args:
            task_status: Gets the running orchestra.

        Raises:
            BaseExceptionGroup: As `open()`.
            trio.BusyResourceError: It is open already.

        Checkpoint:
            Always one.

        Cancellation:
            Cancels all subsystems.
        """
        async with self.open() as running:
            task_status.started(running)
            await running.wait_input_closed()
            await running.wait_stopped()  # leaving the block closes `outgoing`, which may still be read

    async def on_event(self, event: EventT, running: RunningOrchestra[SignalT, EventT]) -> None:
        """Handle one event; overridden in every class that declares events.

        Called in a task of the orchestra, one event at a time, in the order in which the handle was sent them. What it
        raises stops the orchestra, as an error of a subsystem does. Once the input is closed, it is called for the
        events that had come before, and may still route messages.

        Args:
            event: What came in through the handle.
            running: The orchestra that runs.
        """
        del event, running
        await trio.lowlevel.checkpoint()

    def on_dead_letter(self, letter: DeadLetter) -> None:
        """Take note of an accepted message that no subsystem received; does nothing unless overridden.

        Called in the step in which the message becomes a dead letter. What it raises stops the orchestra, as an error
        of a subsystem does.

        Args:
            letter: The message, and why nobody received it.
        """

    @classmethod
    def _construct(
        cls,
        make_fields: Callable[[Any], dict[str, Any]],
        capacities: Mapping[str, int],
        connector: Connector[EventT] | None,
        *,
        holds_handle: bool,
    ) -> Self:
        """Make one for a builder."""
        if connector is None and holds_handle:
            connector = Connector(cls.__declaration__.options.event_capacity)
        made = cls(**make_fields(None if connector is None else connector.handle))
        vars(made)["_built"] = _Built(capacities, connector, holds_handle)
        return made

    def _held(self, connector: Connector[EventT], spawner: Spawner) -> Held:
        declaration = self.__declaration__
        names = declaration.needed(self.features)
        slots = declaration.slots
        if self._built.capacities:
            capacities: dict[str, Any] = dict(self._built.capacities)
            options = attrs.evolve(declaration.options, **capacities)
            slots = {name: slot.under(options) for name, slot in slots.items()}
        if surroundings.get().capacity is not None:
            slots = {name: slot.limited(limited) for name, slot in slots.items()}
        return Held(
            declaration=declaration,
            graph=declaration.graph_of(names),
            slots=slots,
            subsystems={name: getattr(self, name) for name in names},
            on_event=self.on_event,
            on_dead_letter=self.on_dead_letter,
            acquire=lambda: self._acquire(connector),
            release=self._release,
            spawner=spawner,
        )

    def _acquire(self, connector: Connector[EventT]) -> None:
        name = self.__declaration__.name
        if vars(self).get("_is_open", False):
            message = f"this {name} is open already: wait until it has ended, or make another one"
            raise trio.BusyResourceError(message)
        if connector is self._built.connector and connector._is_used:  # noqa: SLF001 - a friend
            whose = "its subsystems hold the handle" if self._built.holds_handle else "others may hold the handle"
            remedy = "build another one" + ("" if self._built.holds_handle else ", or open it with a new connector=")
            message = f"this {name} was built with a connector, for one opening, and {whose}: {remedy}"
            raise trio.BusyResourceError(message)
        vars(self)["_is_open"] = True

    def _release(self) -> None:
        vars(self)["_is_open"] = False


def _reserved_names() -> set[str]:
    """Return the names that no field may have: what the class and the builder need, and constructors call `self`."""
    public = {name for name in dir(Orchestra) if not name.startswith("_")}
    return public | BUILDER_NAMES | {"message_types", "self"}
