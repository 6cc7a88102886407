"""Makes traces by hand, draws random ones, and reads sequence diagrams back, refusing all that Mermaid might."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack, get_args

import attrs
from hypothesis import strategies as st

from orchestra_trio.records import HappeningKind, LaneName
from orchestra_trio.testing.tracing.trace import Participant, Trace, TraceEvent

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Made", "Sequence", "body_of", "read_sequence", "traces"]


class Facts(TypedDict, total=False):
    """What there is to say of an event besides its kind and to whom it happened."""

    sender: str | None
    lane: LaneName | None
    message: int | None
    type: str | None
    text: str | None
    is_request: bool
    epoch: int | None
    audience: tuple[str, ...]
    detail: str | None


@attrs.define
class Made:
    """A trace that grows event by event."""

    names: tuple[str, ...] = ("a", "b", "c")
    time: float = 0
    events: list[TraceEvent] = attrs.Factory(list)

    @property
    def trace(self) -> Trace:
        return Trace(
            orchestra="Made",
            participants=tuple(Participant(name=name, capacities={}) for name in self.names),
            components=tuple((name,) for name in self.names),
            edges=(),
            events=self.events,
        )

    @property
    def text(self) -> str:
        return self.trace.to_mermaid()

    def add(self, kind: HappeningKind, subsystem: str | None, **facts: Unpack[Facts]) -> int:
        """Let something happen; return its number."""
        number = len(self.events)
        self.events.append(TraceEvent(number=number, time=self.time, kind=kind, subsystem=subsystem, **facts))
        return number

    def send(
        self,
        sender: str | None,
        to: str | None,
        what: str,
        *,
        lane: LaneName = "bounded",
        epoch: int | None = None,
        is_request: bool = False,
        waited: int | None = None,
    ) -> int:
        """Put a message into a lane; return its number."""
        message = len(self.events) if waited is None else waited
        name = what.partition("(")[0]
        payload: Payload = {"lane": lane, "message": message, "type": name, "text": what, "epoch": epoch}
        self.add("send", to, sender=sender, is_request=is_request, **payload)
        return message

    def take(self, message: int) -> int:
        """Let the consumer of a message receive it."""
        sent = self._sent(message)
        return self.add("receive", sent.subsystem, **_payload(sent))

    def lose(self, message: int, reason: str) -> int:
        """Let a message become a dead letter where it lies."""
        sent = self._sent(message)
        return self.add("dead letter", sent.subsystem, sender=sent.sender, detail=reason, **_payload(sent))

    def pass_on(
        self, sender: str | None, to: str | None, what: str, *, lane: LaneName = "bounded", is_request: bool = False
    ) -> None:
        """Send a message that is received at once."""
        self.take(self.send(sender, to, what, lane=lane, is_request=is_request))

    def broadcast(self, *to: str) -> list[int]:
        """Send the third broadcast, which is for a and c, to some of them; return the numbers of the sendings."""
        self.add("broadcast", None, text="Tick", type="Tick", epoch=3, audience=("a", "c"))
        return [self.send(None, one, "Tick", lane="signals", epoch=3) for one in to]

    def _sent(self, message: int) -> TraceEvent:
        return next(event for event in self.events if event.kind == "send" and event.message == message)


class Payload(TypedDict):
    """What is the same in all that happens to a message."""

    lane: LaneName | None
    message: int | None
    type: str | None
    text: str | None
    epoch: int | None


def _payload(sent: TraceEvent) -> Payload:
    return {
        "lane": sent.lane,
        "message": sent.message,
        "type": sent.type,
        "text": sent.text,
        "epoch": sent.epoch,
    }


_NAMES: Final = (None, "a", "b", "c", "end", "loop", "p3", "outside", "on_event", "été", "Note")
_TEXTS: Final = ("Item(1)", "Item(2)", "a; b #35; %% <br/>\n", ":wrap: x", "end", "%%{init}%%", "style(a:#1;)", "", " ")


_KINDS: Final = tuple(kind for one in get_args(HappeningKind) for kind in (get_args(one) or (one,)))
_places: SearchStrategy[str | None] = st.sampled_from(_NAMES)


_details: SearchStrategy[str] = st.sampled_from([*_TEXTS, "unconsumed", "outgoing closed"]) | st.text(max_size=90)
_happenings: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(_KINDS),
        "pause": st.sampled_from([0, 0.0001, 0.5, 10]),
        "subsystem": _places,
        "sender": _places,
        "lane": st.sampled_from([None, *get_args(LaneName)]),
        "message": st.none() | st.integers(0, 20),
        "is_new": st.booleans(),
        "type": st.sampled_from([None, "Item", "Other"]),
        "text": st.none() | _details,
        "is_request": st.booleans(),
        "epoch": st.sampled_from([None, 1, 2]),
        "audience": st.lists(st.sampled_from([name for name in _NAMES if name]), unique=True, max_size=3).map(tuple),
        "detail": st.none() | _details,
    }
)


def _assemble(names: list[str], happenings: list[dict[str, Any]]) -> Trace:
    made = Made(names=tuple(names))
    for one in happenings:
        made.time += one.pop("pause")
        if one.pop("is_new"):
            one["message"] = len(made.events)
        made.add(**one)
    return made.trace


def traces() -> SearchStrategy[Trace]:
    """Return a strategy of any events, whether or not they could happen; few names and texts, so that these recur."""
    names = st.lists(st.sampled_from([name for name in _NAMES if name]), unique=True, max_size=4)
    return st.builds(_assemble, names, st.lists(_happenings, max_size=80))


@attrs.frozen
class Sequence:
    """What a diagram says."""

    participants: dict[str, str]
    """By the name that the diagram uses, what is written on them, from left to right."""
    lines: tuple[str, ...]
    """What follows them, decoded, and with that instead."""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.participants.values())


_ID: Final = r"[A-Za-z][A-Za-z0-9_]*"
_CODES: Final = re.compile(r"#(\d+);")
_TEXT: Final = r"(?! )(?!(?:no)?wrap:)(?:[^;:#%<>{}\\`$&\n]|#\d+;)+"
_FORMS: Final = {
    "arrow": re.compile(rf"(?P<one>{_ID})(?P<arrow>->>|-\)|-x|-->>|--x)(?P<other>{_ID}): (?P<text>{_TEXT})"),
    "note": re.compile(rf"Note over (?P<one>{_ID})(?:,(?P<other>{_ID}))?: (?P<text>{_TEXT})"),
    "loop": re.compile(rf"loop (?P<text>{_TEXT})"),
    "rect": re.compile(r"rect rgba\(\d+, \d+, \d+, 0\.\d+\)"),
    "end": re.compile(r"end"),
}
# What Mermaid's lexer takes for something else than a name, whatever follows it.
_RESERVED: Final = re.compile(
    "acc(title|descr)|(de)?activate|actor|alt|and|as|autonumber|box|break|create|critical|destroy|details|else|end|"
    "left|links?|loop|note|off|opt|option|over|par|par_over|participant|properties|rect|right|sequencediagram|title",
    re.IGNORECASE,
)


def decode(text: str) -> str:
    """Return a text as a browser shows it in the end."""
    return html.unescape(_CODES.sub(r"&#\1;", text))


def read_sequence(text: str) -> Sequence:
    """Read a diagram; fail where a line is of no known form, a block is not closed, or a name not declared."""
    first, *rest = text.removesuffix("\n").split("\n")
    assert first == "sequenceDiagram"
    participants: dict[str, str] = {}
    while rest and (match := re.fullmatch(rf"    participant ({_ID})(?: as ({_TEXT}))?", rest[0])):
        assert match[1] not in participants
        assert not _RESERVED.fullmatch(match[1])
        participants[match[1]] = decode(match[2] or match[1])
        rest.pop(0)
    assert participants
    lines: list[str] = []
    open_blocks = 1
    for line in rest:
        form, match = next(
            ((form, match) for form, pattern in _FORMS.items() if (match := pattern.fullmatch(line.lstrip(" ")))),
            (None, None),
        )
        assert match, f"no known form: {line!r}"
        open_blocks -= form == "end"
        assert line == "    " * open_blocks + match[0], f"ill indented: {line!r}"
        open_blocks += form in {"loop", "rect"}
        lines.append(_said(match, list(participants)))
        assert form != "end" or lines[-2].lstrip(" ").partition(" ")[0] not in {"loop", "rect"}, "an empty block"
    assert open_blocks == 1
    return Sequence(participants, tuple(lines))


def _said(match: re.Match[str], declared: list[str]) -> str:
    found = match.groupdict()
    places = [found[end] for end in ("one", "other") if found.get(end) is not None]
    ranks = [declared.index(place) for place in places]
    assert "arrow" in found or ranks == sorted(set(ranks))
    return decode(match[0])


def body_of(text: str) -> list[str]:
    """Return the lines behind the participants, without the outermost indent."""
    return [line.removeprefix("    ") for line in text.splitlines()[1:] if not line.startswith("    participant ")]
