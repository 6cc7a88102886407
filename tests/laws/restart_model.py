"""What restarts do, in plain Python: no tasks, no clock, only lists of who failed when.

The model reads a trace entry by entry. From what subsystems did (began, raised, ended) it knows what must come of it:
who is to begin anew with whom and when, or that an error is the first error. It says so as soon as the trace differs.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from tests.laws.wirings import name_of

if TYPE_CHECKING:
    from tests.laws.restart_scenes import Entry, Scene

__all__ = ["RestartModel", "wiring_order"]

Phase: TypeAlias = Literal["unborn", "alive", "ending", "waiting", "over"]


def wiring_order(scene: Scene) -> list[str]:
    """Return the subsystems, upstream first, else as declared; those of a cycle together.

    By its definition: who reaches whom, and then always the first that nobody is upstream of who is still left.
    """
    slots = range(len(scene.members))
    reaches = {(slot, edge) for slot in slots for edge in scene.members[slot].edges}
    for via in slots:
        reaches |= {(one, other) for one in slots for other in slots if {(one, via), (via, other)} <= reaches}
    left, order = list(slots), list[int]()
    while left:
        first = next(
            one
            for one in left
            if all((one, other) in reaches for other in left if other != one and (other, one) in reaches)
        )
        cycle = [one for one in left if one == first or {(one, first), (first, one)} <= reaches]
        order += cycle
        left = [one for one in left if one not in cycle]
    return [name_of(slot) for slot in order]


@attrs.define(eq=False)
class Round:
    """Those that begin anew together."""

    ending: set[str] = attrs.Factory(set)
    delay: float = 0
    begins_at: float = -math.inf


@attrs.define(eq=False)
class RestartModel:
    """Where each subsystem is, as the trace has it so far."""

    scene: Scene
    phase: dict[str, Phase] = attrs.Factory(dict)
    tasks: Counter[str] = attrs.Factory(Counter)
    background: Counter[str] = attrs.Factory(Counter)
    """How many of the tasks are in the background."""
    rounds: dict[str, Round] = attrs.Factory(dict)
    failures: dict[str, list[float]] = attrs.Factory(dict)
    pending: dict[str, list[BaseException]] = attrs.Factory(dict)
    """The errors of each that are survived if it begins anew."""
    errors: list[BaseException] = attrs.Factory(list)
    """First errors, and those raised after one or after the stop, in order."""
    restarts: Counter[str] = attrs.Factory(Counter)
    records: Counter[str] = attrs.Factory(Counter)
    stopped_at: float = math.inf

    def __attrs_post_init__(self) -> None:
        self.phase = {name_of(slot): "unborn" for slot in range(len(self.scene.members))}

    def read(self, entry: Entry) -> None:
        """Follow one entry.

        Raises:
            AssertionError: It should not have come, or not then.
        """
        who, at = entry.who, entry.at
        match entry.what:
            case "begin":
                self.begin(who, at, entry.detail)
            case "enter":
                self.tasks[who] += 1
                self.background[who] += entry.detail
            case "leave":
                self.tasks[who] -= 1
                self.background[who] -= entry.detail
                has_finished = self.tasks[who] == self.background[who] and self.stopped_at == math.inf
                if has_finished and self.phase[who] == "alive":
                    self.phase[who] = "over"
            case "raise":
                self.fail(who, at, entry.detail)
            case "record":
                self.end_incarnation(who, at)
            case "stop":
                self.stopped_at = min(self.stopped_at, at)

    def begin(self, who: str, at: float, number: int) -> None:
        assert not self.tasks[who], f"{who} begins at {at} beside its old incarnation"
        assert at <= self.stopped_at, f"{who} begins at {at}, although all were stopped at {self.stopped_at}"
        if self.phase[who] == "unborn":
            assert number == 0
        else:
            assert self.phase[who] == "waiting", f"{who} begins at {at}, but it is {self.phase[who]}"
            this = self.rounds.pop(who)
            assert not this.ending, f"{who} begins at {at}, before {this.ending} have ended"
            assert abs(at - this.begins_at) < 1e-6, f"{who} begins at {at}, not at {this.begins_at}"
            self.restarts[who] += 1
            self.pending.pop(who, None)
        self.phase[who] = "alive"

    def fail(self, who: str, at: float, error: BaseException) -> None:
        if self.stopped_at < math.inf:
            self.errors.append(error)
        elif self.is_survived(who, at, error):
            self.pending.setdefault(who, []).append(error)
        else:
            self.errors.append(error)
            self.stopped_at = at

    def is_survived(self, who: str, at: float, error: BaseException) -> bool:
        member = self.scene.members[int(who[1:])]
        restart = member.restart
        if restart is None or not isinstance(error, ValueError):
            return False
        if self.phase[who] == "ending":
            return True
        recent = [one for one in self.failures.get(who, []) if one > at - restart.within]
        if len(recent) == restart.max_restarts:
            return False
        self.failures[who] = [*recent, at]
        self.start_round(who, min(restart.max_backoff, restart.backoff * restart.factor ** len(recent)))
        return True

    def start_round(self, who: str, delay: float) -> None:
        """Let those begin anew that a failure concerns; one whose old incarnations have not all ended goes on."""
        concerned = self.concerned(who)
        companions = (
            {who} if self.group(who) is None else {one for one in self.phase if self.group(one) == self.group(who)}
        )
        unended = [self.rounds[one] for one in companions if one in self.rounds and self.rounds[one].ending]
        this = unended[0] if unended else Round()
        this.delay = max(this.delay, delay)
        for one in concerned:
            if self.phase[one] == "waiting":
                this.begins_at = max(this.begins_at, self.rounds[one].begins_at)
            elif self.phase[one] in {"alive", "ending"}:
                this.ending.add(one)
                self.phase[one] = "ending"
            else:
                continue
            self.rounds[one] = this

    def concerned(self, who: str) -> list[str]:
        """Return whom a failure concerns."""
        group, restart = self.group(who), self.scene.members[int(who[1:])].restart
        if group is None:
            return [who]
        members = [one for one in wiring_order(self.scene) if self.group(one) == group]
        is_rest = restart is not None and restart.order == "rest"
        return members[members.index(who) :] if is_rest else members

    def group(self, who: str) -> str | None:
        return self.scene.members[int(who[1:])].group

    def end_incarnation(self, who: str, at: float) -> None:
        assert not self.tasks[who], f"{who} is said to begin anew at {at}, while its old incarnation runs"
        assert self.phase[who] == "ending", f"{who} is said to begin anew at {at}, but it is {self.phase[who]}"
        self.records[who] += 1
        self.phase[who] = "waiting"
        this = self.rounds[who]
        this.ending.remove(who)
        if not this.ending:
            this.begins_at = max(this.begins_at, at + this.delay)

    def check_end(self) -> None:
        """See that nobody was forgotten.

        Raises:
            AssertionError: Someone should have begun anew, or ended, or has more records than restarts.
        """
        for who, phase in self.phase.items():
            assert not self.tasks[who], f"{who} has not ended"
            if self.stopped_at == math.inf:
                assert phase == "over", f"{who} is {phase} at the end"
            if phase == "waiting" and not self.rounds[who].ending:
                due = self.rounds[who].begins_at
                assert due >= self.stopped_at - 1e-6, f"{who} was to begin anew at {due}"
            assert self.records[who] == self.restarts[who] + (phase == "waiting")

    @property
    def unsurvived(self) -> list[BaseException]:
        """The errors of those that were to begin anew and did not."""
        return [error for errors in self.pending.values() for error in errors]
