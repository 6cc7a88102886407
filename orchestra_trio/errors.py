"""Every exception of the library, each with its own wording.

Callers pass facts, never sentences: subsystem, orchestra, type, state. Payloads never appear in a message. Each error
says what happened, where, and what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import trio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra_trio.records import LaneName, Measurements, Standing

__all__ = [
    "AnnotateErrorOrigin",
    "DeadlockDetected",
    "DeclarationError",
    "OneshotCancelled",
    "OneshotTimedOut",
    "OrchestraError",
    "SubsystemExited",
    "SubsystemStalled",
    "UndeclaredMessage",
    "a_type",
    "type_name",
]


def type_name(message_type: object) -> str:
    """Return how errors and documents name a type: its qualified name without the module."""
    return getattr(message_type, "__qualname__", None) or str(message_type)


def a_type(message_type: object) -> str:
    """Return a type's name with its article."""
    name = type_name(message_type)
    return f"an {name}" if name[:1].upper() in "AEIOU" else f"a {name}"


def _note_stack(error: Exception, standing: Standing) -> None:
    """Add to an error where a subsystem stood, if anything of it ran."""
    if standing.stack:
        error.add_note(f"where {standing.statistics.name!r} stood:\n{standing.stack.rstrip()}")


class OrchestraError(Exception):
    """The base of every error that this library defines."""


class DeclarationError(OrchestraError):
    """An orchestra's class is wired wrongly; raised while the class is created, or when it is filled wrongly.

    Attributes:
        orchestra: The name of the class.
        slot: The field at fault, or None where the class as a whole is.
        problem: What is wrong.
        remedy: What to write instead.
    """

    def __init__(self, orchestra: str, problem: str, remedy: str, *, slot: str | None = None) -> None:
        self.orchestra = orchestra
        self.slot = slot
        self.problem = problem
        self.remedy = remedy
        place = orchestra if slot is None else f"{orchestra}.{slot}"
        super().__init__(f"{place}: {problem}; {remedy}")


class UndeclaredMessage(OrchestraError):
    """A value was sent, routed or broadcast whose type the wiring does not allow there; nothing was queued.

    Attributes:
        sender: The subsystem that sent, or None for the embedding program.
        orchestra: The orchestra's name.
        message_type: The type of the value.
    """

    def __init__(
        self,
        orchestra: str,
        sender: str | None,
        message_type: type,
        *,
        operation: str,
        declared: Iterable[type],
        remedy: str = "declare the type in the class, or use another one",
    ) -> None:
        self.orchestra = orchestra
        self.sender = sender
        self.message_type = message_type
        who = f"the embedding program of {orchestra}" if sender is None else f"subsystem {sender!r} of {orchestra}"
        names = ", ".join(type_name(one) for one in declared) or "nothing"
        super().__init__(
            f"{who} cannot {operation} {a_type(message_type)}: the wiring allows {names} there; {remedy}",
        )


class SubsystemExited(OrchestraError, trio.BrokenResourceError):
    """The consumer of a message has ended, so that the message was not queued.

    Attributes:
        orchestra: The orchestra's name.
        consumer: The subsystem that has ended.
        sender: The subsystem that sent, or None for the embedding program.
        message_type: The type of the message.
    """

    def __init__(
        self, orchestra: str, consumer: str, sender: str | None, message_type: type, *, is_signal: bool = False
    ) -> None:
        self.orchestra = orchestra
        self.consumer = consumer
        self.sender = sender
        self.message_type = message_type
        who = "the embedding program" if sender is None else f"subsystem {sender!r}"
        super().__init__(
            f"{who} sent {a_type(message_type)} to subsystem {consumer!r} of {orchestra}, which has ended; "
            + ("let it run on" if is_signal else 'let it run on, or declare its slot with after_exit="dead_letter"'),
        )


class SubsystemStalled(OrchestraError):
    """A subsystem did not make room in a lane within the time allowed.

    Attributes:
        orchestra: The orchestra's name.
        consumers: The subsystems whose lanes stayed full, in declaration order.
        lane: Which of their lanes.
        timeout: How long the call waited, in seconds.
        standings: Where each of them stood at the end, in the order of `consumers`: what it waits for, the readouts
            of its lanes, and its stacks, which are also notes of this exception.
    """

    def __init__(
        self,
        orchestra: str,
        lane: LaneName,
        timeout: float,
        standings: Iterable[Standing],
    ) -> None:
        self.orchestra = orchestra
        self.standings: tuple[Standing, ...] = tuple(standings)
        self.consumers: tuple[str, ...] = tuple(one.statistics.name for one in self.standings)
        self.lane = lane
        self.timeout = timeout
        standing = "; ".join(
            f"{one.statistics.name!r} {one.place}, {getattr(one.statistics, lane).channel_len} in its lane"
            for one in self.standings
        )
        super().__init__(
            f"the {lane} lane of {orchestra} stayed full for {timeout:g} s: {standing}; "
            f"let these subsystems receive more often, or give the lane more capacity",
        )
        for one in self.standings:
            _note_stack(self, one)


class DeadlockDetected(OrchestraError):
    """Subsystems wait for each other for ever: none of their tasks can move unless another one of them does.

    Attributes:
        orchestra: The orchestra's name.
        cycle: Subsystems of which each waits for the next one, and the last one for the first.
        members: All subsystems that the deadlock consists of, in declaration order: each of their tasks waits for
            one of them. Besides the cycle, those that other tasks in it wait for. Not those that only wait for them.
        standings: Where each member stood, in the order of `members`; the stacks of the cycle are also notes of this
            exception.
    """

    def __init__(self, orchestra: str, links: Iterable[tuple[str, str, type]], standings: Iterable[Standing]) -> None:
        """Make one of a cycle's links: who waits, in which lane or for a request, and the type of the message."""
        known = list(links)
        self.orchestra = orchestra
        self.cycle: tuple[str, ...] = tuple(name for name, _, _ in known)
        self.standings: tuple[Standing, ...] = tuple(standings)
        self.members: tuple[str, ...] = tuple(one.statistics.name for one in self.standings)
        path = " ".join(f"{name} -[{how}: {type_name(one)}]->" for name, how, one in known)
        in_cycle = frozenset(self.cycle)  # which may be long
        others = [name for name in self.members if name not in in_cycle]
        besides = f", and other tasks of theirs for {', '.join(others)}" if others else ""
        whole, one = f"subsystems of {orchestra} wait for each other", "one of them"
        if len(self.members) == 1:
            whole, one = f"subsystem {self.cycle[0]!r} of {orchestra} waits for itself", "it"
        super().__init__(
            f"{whole} for ever: {path} {self.cycle[0]}{besides}; "
            f"let {one} receive in a task of its own, or send with a time limit or unbounded",
        )
        for standing in self.standings:
            if standing.statistics.name in in_cycle:
                _note_stack(self, standing)


class OneshotCancelled(OrchestraError, trio.BrokenResourceError):
    """There will be no answer: the reply end was closed or dropped unused, or nobody received its message.

    Attributes:
        name: The oneshot's name.
        measurements: How long it lived and was waited for.
    """

    def __init__(self, name: str, measurements: Measurements) -> None:
        self.name = name
        self.measurements = measurements
        super().__init__(
            f"no answer to {name!r} will come, {measurements.since_creation:.3f} s after creation: its reply end was "
            f"closed or dropped unused, or nobody received the message that carried it; "
            f"send on the reply end before letting go of it, and look into the dead letters",
        )


class OneshotTimedOut(OrchestraError, TimeoutError):
    """No answer came within the hard timeout.

    Attributes:
        name: The oneshot's name.
        timeout: The hard timeout, in seconds.
        measurements: How long it lived and was waited for.
    """

    def __init__(self, name: str, timeout: float, measurements: Measurements) -> None:
        self.name = name
        self.timeout = timeout
        self.measurements = measurements
        super().__init__(
            f"no answer to {name!r} within its hard timeout of {timeout:g} s; "
            f"answer sooner, or open it with a larger hard_timeout",
        )


@runtime_checkable
class AnnotateErrorOrigin(Protocol):
    """An exception that wants to say itself which subsystem it came from.

    Source:
        The trait of the same name in Rust orchestra.
    """

    def with_origin(self, origin: str, /) -> BaseException:
        """Return the exception to report in place of this one, given the name of the subsystem that raised it."""
        ...
