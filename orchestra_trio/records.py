"""Small types that every room shares: what was measured, what was lost, how it ended, and who may choose a lane.

Nothing here knows how it is made, and nothing here changes after it was made. `attrs.asdict` turns each record into
plain data.
"""

from __future__ import annotations

import enum
from typing import Final, Literal, Protocol, TypeAlias

import attrs

__all__ = [
    "DeadLetter",
    "DeadLetterReason",
    "Happening",
    "HappeningKind",
    "LaneChooser",
    "LaneName",
    "LaneStep",
    "LaneStrategy",
    "Measurements",
    "MessageLane",
    "OrchestraStatistics",
    "PollNext",
    "Priority",
    "Readout",
    "Standing",
    "StopReport",
    "SubsystemState",
    "SubsystemStatistics",
    "Wait",
    "WaitKind",
]

MessageLane: TypeAlias = Literal["priority", "unbounded", "bounded"]
"""The lanes that messages travel in."""

LaneName: TypeAlias = Literal["signals", "priority", "unbounded", "bounded"]
"""All four lanes of a mailbox, in the order in which statistics show them."""

SubsystemState: TypeAlias = Literal["starting", "running", "restarting", "ending", "finished", "failed", "cancelled"]
"""The life of a subsystem.

`restarting`: from its failure until its next incarnation begins. `ending`: once it was given end-of-input. The last
three: once nothing of it runs any more.
"""

_ENDED: Final = frozenset[SubsystemState]({"finished", "failed", "cancelled"})

LaneStep: TypeAlias = Literal["send", "receive", "block", "withdraw"]
"""What happens to a message at a lane.

`send`: the lane holds it from now on. `receive`: it leaves the lane, to be handled. `block`: it waits for room.
`withdraw`: it waits no longer: its sender was cancelled, or got an error.
"""

HappeningKind: TypeAlias = (
    LaneStep
    | Literal[
        "start",
        "ask",
        "end of input",
        "exit",
        "error",
        "job",
        "job end",
        "broadcast",
        "answer",
        "no answer",
        "dead letter",
    ]
)
"""What can happen in a running orchestra: a step at a lane, or one of these.

`start`: a main function is called, for the first time or anew. `ask`: somebody asks for what comes next, and is done
with what came before; told only to who wants to know, and of a thread perhaps twice. `end of input`: a subsystem is
told that nothing more will come. `exit`: nothing of it runs any more. `error`: it has failed. `job`, `job end`: a job
of it begins, ends. `broadcast`: a signal takes its epoch; its `send` to each lane follows. `answer`, `no answer`: a
request has come back, or who made it waits no longer.
"""

WaitKind: TypeAlias = Literal["receive", "send", "request"]
"""What a task of a subsystem can wait for inside the library."""

DeadLetterReason: TypeAlias = Literal[
    "wip", "disabled", "unconsumed", "exited", "stopping", "left over", "outgoing closed"
]
"""Why no subsystem received an accepted message.

`wip`: its consumer is not built yet. `disabled`: its consumer is not in use with the orchestra's features.
`unconsumed`: the wiring has no consumer for it. `exited`: its consumer had ended, and its slot says
`after_exit="dead_letter"`. `stopping`: its consumer had ended while sender or orchestra was stopping. `left over`: it
lay in a lane when its consumer ended. `outgoing closed`: the embedding program had stopped reading `running.outgoing`.
"""


class Priority(enum.Enum):
    """Which lane a message takes where its consumer has a priority lane."""

    NORMAL = "normal"
    """The bounded lane."""

    HIGH = "high"
    """The priority lane; the bounded lane where the consumer's slot has none."""


class PollNext(enum.Enum):
    """Which side `select_with_strategy` asks first."""

    LEFT = "left"
    RIGHT = "right"


class LaneChooser(Protocol):
    """What one mailbox asks which lane to serve. It belongs to that mailbox alone."""

    def __call__(self, ready: tuple[MessageLane, ...], /) -> MessageLane:
        """Return which lane to serve.

        Args:
            ready: The lanes that have something: two or three of them, always in the order priority, unbounded,
                bounded. A mailbox with one ready lane does not ask.

        Returns:
            One of `ready`.
        """
        ...

    def reset(self) -> None:
        """Begin anew. The mailbox calls this at each pick for which fewer than two lanes were ready."""
        ...


class LaneStrategy(Protocol):
    """How the message lanes of a mailbox share its picks: frozen data, shared by any number of mailboxes.

    Source:
        `select_message_channel_strategy`. There it is one function for all; here it is an option of each slot.
    """

    def chooser(self) -> LaneChooser:
        """Return a new chooser, for one mailbox, that shares no state with any other."""
        ...


@attrs.frozen
class Readout:
    """One reading of a channel's or a lane's meter. Reading changes nothing."""

    sent: int
    """Messages that the channel holds or has held, counted in the step that put them there."""

    received: int
    """Messages that a receiver has taken."""

    channel_len: int
    """Messages in the channel now. What was sent, and is neither received nor here, became dead letters.

    Signals are no messages: those that a subsystem has not received when it ends are dropped.
    """

    peak_channel_len: int
    """The most messages that were ever in the channel at once; what a waiting receiver gets directly never is."""

    blocked: int
    """How often a sender had to wait for room."""

    tof: tuple[float, ...] = ()
    """Times of flight of sampled messages, in seconds, oldest first; the last 100 at the most."""


@attrs.frozen
class Measurements:
    """How long one oneshot took."""

    since_creation: float
    """Seconds from its creation to its end."""

    since_first_wait: float | None
    """Seconds from the first wait for the answer to its end; None if nobody had waited."""

    reason: Literal["answered", "cancelled", "timed out"]
    """How it ended."""


@attrs.frozen
class DeadLetter:
    """An accepted message that no subsystem received."""

    message: object
    """The message itself."""

    sender: str | None
    """The subsystem that sent it, or None for the embedding program."""

    consumer: str | None
    """The subsystem it was for, or None where the wiring has no consumer for it."""

    lane: LaneName
    """The lane it lay in, or would have taken; never that of the signals."""

    reason: DeadLetterReason
    """Why nobody received it."""


@attrs.frozen(eq=False)
class Happening:
    """One thing that happens in a running orchestra, told in the step in which it happens."""

    kind: HappeningKind
    """What happens."""

    time: float
    """When, on trio's clock, in seconds."""

    subsystem: str | None
    """To whom: at a lane its consumer, else who starts, ends, fails, or waits for an answer.

    None is the embedding program, `"on_event"` what handles events.
    """

    task: object = None
    """The task whose step it is, or that waited for it; None in a thread, and where there is none.

    A signal that is received in the very step in which it is sent, by who waited for it, has the task of who sends it.
    """

    sender: str | None = None
    """Who sends; of an answer, who was asked. None is the embedding program, and where nobody sends."""

    lane: LaneName | None = None
    """The lane, where there is one."""

    payload: object = None
    """The message, signal or event itself; the exception of an error. Not to be kept: a reply end must not outlive its
    use."""

    is_request: bool = False
    """Whether the message carries a reply end; known when it is sent."""

    epoch: int | None = None
    """The number of a broadcast."""

    detail: str | None = None
    """The job's name, the state at the exit, the reason of a dead letter, the type of a request."""


@attrs.frozen
class Wait:
    """What one task of a subsystem waits for, inside the library."""

    task: str
    """The task's name."""

    kind: WaitKind
    """`receive`: for its own mailbox. `send`: for room in another's. `request`: for an answer."""

    subsystem: str
    """Whose mailbox it waits at, or who is to answer."""

    lane: LaneName | None
    """The full lane, for a send."""

    message_type: str | None
    """The name of the type that it sends or requests."""

    since: float
    """When it began, on trio's clock, in seconds."""


@attrs.frozen
class SubsystemStatistics:
    """One subsystem of a running orchestra, at one moment."""

    name: str
    """The name of its slot."""

    state: SubsystemState
    """Where it is in its life."""

    signals: Readout
    """The lane of signals."""

    priority: Readout
    """The lane of messages with high priority; always empty where the slot has none."""

    unbounded: Readout
    """The lane of `send_unbounded`."""

    bounded: Readout
    """The lane of ordinary messages."""

    epoch: int
    """The number of the last broadcast that it received; 0 before the first."""

    jobs: int
    """Jobs that run now, background ones included."""

    restarts: int
    """How often it was started anew."""

    waits: tuple[Wait, ...]
    """What its tasks wait for inside the library, longest first."""

    @property
    def lanes(self) -> dict[LaneName, Readout]:
        """All four lanes by name, in this order: signals, priority, unbounded, bounded."""
        return {
            "signals": self.signals,
            "priority": self.priority,
            "unbounded": self.unbounded,
            "bounded": self.bounded,
        }

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in _ENDED


@attrs.frozen
class Standing:
    """Where one subsystem stands, at one moment: what its statistics cannot say in numbers."""

    statistics: SubsystemStatistics
    """Its state, its lanes, and what its tasks wait for inside the library."""

    place: str
    """What its main task waits for, or the file and line at which it stands, in one line."""

    stack: str
    """The stacks of all its tasks and threads, as text, outermost first; empty where nothing of it runs.

    Frames of this library and of trio are left out, but for the calls that users' code made.
    """


@attrs.frozen
class OrchestraStatistics:
    """A running orchestra, at one moment."""

    name: str
    """The name of its class."""

    subsystems: dict[str, SubsystemStatistics]
    """Every built subsystem, in declaration order."""

    epoch: int
    """The number of the last broadcast; 0 before the first."""

    events: Readout
    """The channel of events."""

    dead_letters: dict[DeadLetterReason, int]
    """All dead letters so far, by reason."""

    uptime: float
    """Seconds since it was opened; stands still once everything has ended."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing of any subsystem runs any more."""
        return all(one.has_ended for one in self.subsystems.values())


@attrs.frozen
class StopReport:
    """How `terminate` ended."""

    finished: tuple[str, ...]
    """The subsystems that ended by themselves, in declaration order; not those that failed, which `open()` raises."""

    cancelled: tuple[str, ...]
    """Those that had to be cancelled when the grace was over, in declaration order."""

    undelivered: dict[str, int]
    """How many messages each subsystem left in its lanes; only those that left any."""
