"""What happened in one running orchestra, as plain data: made by `record`, or read from a file.

A trace holds no message, task or exception, only texts and numbers, so that keeping it keeps nothing alive. Messages
are told apart by numbers: the place of the event in which the recorder first saw them.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from orchestra_trio.testing.tracing.diagram.drawing import draw

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator

    from orchestra_trio.records import HappeningKind, LaneName, MessageLane

__all__ = ["EMBEDDING", "FROM_BEFORE", "Participant", "Trace", "TraceEvent", "place_name"]

EMBEDDING: Final = "outside"
"""What the embedding program is called in texts and pictures."""

FROM_BEFORE: Final = "sent before the recording began"
"""The detail of an event at which something leaves a lane, or waits no longer, that was there when the recording began.
"""


_PHRASES: Final[dict[str, str]] = {
    "start": "{whom} starts",
    "end of input": "{whom} is told that its input has ended",
    "exit": "{whom} ends: {detail}",
    "error": "{whom} fails{in_job} with {what}",
    "job": "{whom} begins job {detail}",
    "job end": "{whom} ends job {detail}",
    "broadcast": "broadcast of {what} as epoch {epoch} to {audience}",
    "answer": "{whom} gets an answer to {detail} from {sender}",
    "no answer": "{whom} gets no answer to {detail} from {sender}",
}
"""What happens, but for steps at a lane."""


def place_name(name: str | None) -> str:
    """Return what a subsystem, or the embedding program (None), is called in texts and pictures."""
    return EMBEDDING if name is None else name


def _as_tuple(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@attrs.frozen(kw_only=True)
class TraceEvent:
    """One thing that happened."""

    number: int
    """Its place in the trace, counted from 0."""

    time: float
    """When, in seconds since the recording began."""

    kind: HappeningKind
    """What happened; see `HappeningKind`."""

    subsystem: str | None
    """To whom: at a lane its consumer, else who starts, ends, fails, or gets an answer. None is the embedding program,
    `"on_event"` what handles events."""

    task: str | None = None
    """The task whose step it was, or that waited for it; tasks of the same name are numbered. None in a thread."""

    sender: str | None = None
    """Who sends; of an answer, who was asked. None is the embedding program, and where nobody sends."""

    lane: LaneName | None = None
    """The lane, where there is one."""

    message: int | None = None
    """Which message, signal or event: the number of the event in which it was first seen.

    None where none is concerned; for what lay in a lane when the recording began (its `detail` is `FROM_BEFORE`); and
    for what leaves a lane in which it does not lie, which breaks law 1.
    """

    type: str | None = None
    """The type of the message, signal, event or exception."""

    text: str | None = None
    """The message, signal, event or exception itself as a short text."""

    is_request: bool = False
    """Whether the message carries a reply end."""

    epoch: int | None = None
    """The number of a broadcast: of a signal that is sent or received, too."""

    audience: tuple[str, ...] = attrs.field(default=(), converter=_as_tuple)
    """Of a broadcast: the subsystems that subscribe to it, by their declaration."""

    detail: str | None = None
    """The job's name, the state at the exit, the reason of a dead letter, the type of a request; `FROM_BEFORE`."""

    def __str__(self) -> str:
        """Return the event as one line, for people."""
        what = " ".join(self._what().splitlines())  # what users say of their messages may have several
        return f"{self.number:>5}  {self.time:>9.3f}s  {what}"

    def _what(self) -> str:
        if self.lane is not None:
            return self._step()
        return _PHRASES.get(self.kind, "{whom}: {kind}").format(
            whom=place_name(self.subsystem),
            sender=place_name(self.sender),
            what=self.text or self.type or "",
            kind=self.kind,
            detail=self.detail,
            in_job="" if self.detail is None else f" in job {self.detail}",
            epoch=self.epoch,
            audience=", ".join(self.audience) or "nobody",
        )

    def _step(self) -> str:
        """Return what happens at a lane."""
        whom, sender, what = place_name(self.subsystem), place_name(self.sender), self.text or self.type or ""
        lane = f"[{self.lane}{'' if self.epoch is None else f', epoch {self.epoch}'}]"
        before = f", {FROM_BEFORE}" if self.detail == FROM_BEFORE else ""
        match self.kind:
            case "receive":
                return f"{whom} receives {what} {lane}{before}"
            case "send":
                waited = "" if self.message == self.number else ", having waited"
                return f"{sender} {'requests' if self.is_request else 'sends'} {what} to {whom} {lane}{waited}"
            case "block":
                return f"{sender} waits to send {what} to {whom} {lane}"
            case "withdraw":
                return f"{sender} withdraws {what} to {whom} {lane}{before}"
            case _:
                nobody = "nobody" if self.detail == "unconsumed" else whom
                return f"dead letter from {sender} to {nobody} {lane}: {what} ({self.detail})"


@attrs.frozen(kw_only=True)
class Participant:
    """One subsystem, as far as the laws concern it."""

    name: str
    """Its slot."""

    capacities: dict[LaneName, int | None]
    """Of each lane that it has; None for no bound."""

    weights: dict[MessageLane, int] | None = None
    """How often each lane is served while it is ready; None for another strategy than `Weighted`."""

    lying: dict[LaneName, int] = attrs.Factory(dict["LaneName", int])
    """How much lay in its lanes when the recording began."""

    epoch: int = 0
    """The last broadcast that it had received when the recording began."""

    has_ended: bool = False
    """Whether it had ended when the recording began."""

    is_shared: bool = False
    """Whether threads take from its lanes, or put into them: it is a blocking subsystem, or one sends to it."""


@attrs.define(kw_only=True, eq=False)
class Trace:
    """What happened in one running orchestra, in the order in which it happened; grows while it runs."""

    orchestra: str
    """The name of its class."""

    participants: tuple[Participant, ...]
    """The subsystems that are built, in the order of the wiring, upstream first."""

    components: tuple[tuple[str, ...], ...]
    """The strongly connected components of the wiring, upstream first."""

    edges: tuple[tuple[str, str], ...]
    """Who may send to whom, among the subsystems that are built."""

    epoch: int = 0
    """The number of the last broadcast when the recording began."""

    is_from_start: bool = True
    """Whether the recording began before anything of the orchestra ran."""

    events: list[TraceEvent] = attrs.Factory(list[TraceEvent])
    """What happened."""

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self.events)

    def __iter__(self) -> Iterator[TraceEvent]:
        """Iterate over the events."""
        return iter(self.events)

    def __str__(self) -> str:
        """Return all events, a line for each."""
        return "\n".join(map(str, self.events))

    @property
    def has_ended(self) -> bool:
        """Whether every subsystem has ended: nothing more will happen."""
        ended = {event.subsystem for event in self.events if event.kind == "exit"}
        return all(one.has_ended or one.name in ended for one in self.participants)

    @property
    def subsystems(self) -> tuple[str, ...]:
        """The names of the subsystems that are built, in the order of the wiring."""
        return tuple(chain.from_iterable(self.components))

    def participant(self, name: str) -> Participant:
        """Return one participant.

        Raises:
            KeyError: There is none of this name.
        """
        for one in self.participants:
            if one.name == name:
                return one
        raise KeyError(name)

    def to_mermaid(
        self,
        *,
        first: int | None = None,
        last: int | None = None,
        around: Collection[TraceEvent] = (),
        subsystems: Collection[str] | None = None,
        max_lines: int = 60,
    ) -> str:
        """Return what happened as a Mermaid sequence diagram, without the fence that Markdown wants around it.

        An arrow with a filled head is a message that was received at once; one with an open head was put into a lane,
        and a note says when it was taken, and which messages it overtook that had lain there for longer. A cross is a
        dead letter with its reason, a dotted arrow an answer. The lane is shown unless it is the bounded one. A
        broadcast is a band over those who subscribe to it. Red is what failed, blue the events asked for.

        What comes twelve times in a row is folded. Where the diagram would be longer than `max_lines`, so is what comes
        three times, at last whatever the types of the messages are; then the middle is summed up whatever its order
        was, or left out. Times are those since the recording began.

        Args:
            first: Show so many events at the beginning.
            last: Show so many events at the end.
            around: Show these events, highlighted, and six before and after each.
            subsystems: Show only what these sent or received, or what happened to them; None for all.
            max_lines: How many lines there may be, as long as there is room for a few arrows.

        Raises:
            ValueError: Nothing in the trace is about one of `subsystems`.
        """
        return draw(
            self,
            outside=EMBEDDING,
            first=first,
            last=last,
            around=around,
            subsystems=subsystems,
            max_lines=max_lines,
        )

    def knows_start(self, participant: Participant, lane: LaneName) -> bool:
        """Return whether it is known exactly how much lay in a lane of a participant when the recording began.

        Threads may have gone on while that was looked at. They take no signals.
        """
        return self.is_from_start or lane == "signals" or not participant.is_shared

    def to_json_lines(self) -> str:
        """Return the trace as JSON lines: first what is known of the orchestra, then each event.

        Fields that say nothing (None, False, nothing in them) are left out of the events.
        """
        head = attrs.asdict(self, filter=lambda attribute, _: attribute.name != "events")
        return "".join(f"{json.dumps(line)}\n" for line in (head, *map(_sparse, self.events)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to a file, as JSON lines."""
        Path(path).write_text(self.to_json_lines(), encoding="utf-8")

    @classmethod
    def from_json_lines(cls, lines: Iterable[str]) -> Trace:
        """Return the trace that was written as these lines.

        Raises:
            ValueError: They are not those of a trace.
        """
        trace: Trace | None = None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
                if trace is None:
                    trace = cls._from_head(fields)
                else:
                    trace.events.append(_read_event(fields))
            except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
                raise ValueError(f"line {number} is not of a trace: {type(error).__name__}: {error}") from error
        if trace is None:
            raise ValueError("there is no line of a trace")
        return trace

    @classmethod
    def _from_head(cls, fields: dict[str, Any]) -> Trace:
        return cls(
            orchestra=fields["orchestra"],
            participants=tuple(Participant(**one) for one in fields["participants"]),
            components=tuple(map(tuple, fields["components"])),
            edges=tuple(map(tuple, fields["edges"])),
            epoch=fields["epoch"],
            is_from_start=fields["is_from_start"],
        )

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace that was written to a file.

        Raises:
            OSError: It cannot be read.
            ValueError: It is not the file of a trace.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not of a trace: {error}") from error
        return cls.from_json_lines(text.splitlines())


_MEANT: Final = {"number", "time", "kind", "subsystem"}
"""Fields that are written whatever they hold."""


def _sparse(event: TraceEvent) -> dict[str, Any]:
    fields = attrs.asdict(event)
    # Not by equality: the number 0 equals False, and says something.
    return {
        name: value
        for name, value in fields.items()
        if name in _MEANT or not (value is None or value is False or value == ())
    }


def _read_event(fields: dict[str, Any]) -> TraceEvent:
    event = TraceEvent(**fields)
    for name, kinds in (("number", int), ("time", (int, float)), ("kind", str)):
        value = getattr(event, name)
        if not isinstance(value, kinds):
            raise TypeError(f"the {name} of an event is {value!r}")
    return event
