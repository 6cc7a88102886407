"""What a live page says of an orchestra, as far as a table shows it."""

from collections.abc import Iterator
from typing import Any

import attrs

__all__ = ["Deadlock", "Lane", "NotAState", "State", "Subsystem", "read_state"]

_SCHEMA = 1


class NotAState(Exception):
    """What came is no state of an orchestra, or one that this version does not know."""


@attrs.frozen
class Lane:
    """One lane of a subsystem."""

    length: int
    capacity: int | None
    received_rate: float
    blocked: int
    blocked_rate: float
    p99: float | None
    """Seconds; None where nothing was measured."""

    @property
    def fill(self) -> float:
        """How full it is, of 1; nought where it has no limit."""
        return self.length / self.capacity if self.capacity else 0.0


@attrs.frozen
class Subsystem:
    """One subsystem, or several that are shown as one."""

    name: str
    state: str
    members: int
    jobs: int
    restarts: int
    lanes: tuple[Lane, ...]
    waits: tuple[str, ...]
    """What its tasks wait for from others, in words."""

    @property
    def received_rate(self) -> float:
        """Messages and signals per second."""
        return sum(one.received_rate for one in self.lanes)

    @property
    def fullest(self) -> Lane | None:
        """The lane that is the fullest of those that have a limit."""
        return max((one for one in self.lanes if one.capacity), key=lambda lane: lane.fill, default=None)

    @property
    def lying(self) -> int:
        """Messages and signals in its lanes."""
        return sum(one.length for one in self.lanes)

    @property
    def p99(self) -> float | None:
        """The longest of its lanes' times of flight that 99 of 100 messages stay within."""
        return max((one.p99 for one in self.lanes if one.p99 is not None), default=None)


@attrs.frozen
class Deadlock:
    """A deadlock that was found."""

    message: str
    since: float | None
    """In seconds since 1970."""
    holds: bool


@attrs.frozen
class State:
    """A whole orchestra at one moment."""

    name: str
    time: float
    """In seconds since 1970."""
    uptime: float
    ended: bool
    epoch: int
    totals: dict[str, float]
    dead_letters: dict[str, int]
    deadlocks: tuple[Deadlock, ...]
    subsystems: tuple[Subsystem, ...]
    folding: str | None
    """How subsystems were taken together, in words; None where each is shown."""


def read_state(data: Any) -> State:  # noqa: ANN401 - what came over the wire
    """Read a state.

    Raises:
        NotAState: It is none.
    """
    try:
        schema = data["schema"]
        if schema != _SCHEMA:
            raise NotAState(f"it speaks version {schema} of the language of which this is version {_SCHEMA}")
        return State(
            name=str(data["name"]),
            time=float(data["time"]),
            uptime=float(data["uptime"]),
            ended=bool(data["ended"]),
            epoch=int(data["epoch"]),
            totals={str(name): float(figure) for name, figure in data["totals"].items()},
            dead_letters={str(reason): int(count) for reason, count in data["dead_letters"].items()},
            deadlocks=tuple(
                Deadlock(str(one["message"]), _read_moment(one["since"]), bool(one["holds"]))
                for one in data["deadlocks"]
            ),
            subsystems=tuple(_read_subsystem(one) for one in data["subsystems"]),
            folding=None if data["folding"] is None else str(data["folding"]["rule"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:  # the last: of infinity
        raise NotAState("it answers something else") from error


def _read_moment(data: Any) -> float | None:  # noqa: ANN401 - as above
    return None if data is None else float(data)


def _read_subsystem(data: Any) -> Subsystem:  # noqa: ANN401 - as above
    return Subsystem(
        name=str(data["name"]),
        state=str(data["state"]),
        members=int(data.get("members", 1)),
        jobs=int(data["jobs"]),
        restarts=int(data["restarts"]),
        lanes=tuple(_read_lane(one) for one in data["lanes"].values()),
        waits=tuple(_describe_waits(data["waits"])),
    )


def _read_lane(data: Any) -> Lane:  # noqa: ANN401 - as above
    return Lane(
        length=int(data["length"]),
        capacity=None if data["capacity"] is None else int(data["capacity"]),
        received_rate=float(data["received_rate"]),
        blocked=int(data["blocked"]),
        blocked_rate=float(data["blocked_rate"]),
        p99=None if data["flight"] is None else float(data["flight"]["p99"]),
    )


def _describe_waits(waits: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    for one in waits:
        if one["kind"] != "receive":
            what = f"room at {one['subsystem']}" if one["kind"] == "send" else f"answer of {one['subsystem']}"
            yield f"{what}, {float(one['seconds']):,.1f} s"
