"""What a check of a wiring finds: what may be meant so, and is worth a look where it is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["Allowed", "FindingKind", "WiringFinding", "find_in_wiring"]

FindingKind: TypeAlias = Literal["blocking cycle", "unsent", "unconsumed", "unreachable", "needless"]
"""What kind of finding it is.

`blocking cycle`: slots that can make each other wait in a circle. `unsent`: a type that only the embedding program can
send. `unconsumed`: a sent type that becomes dead letters. `unreachable`: a slot to which no message can ever come.
`needless`: something is allowed that does not occur.
"""


@attrs.frozen
class WiringFinding:
    """Something about a wiring."""

    kind: FindingKind
    subject: tuple[str, ...]
    """The slots of the cycle; or the slot and the type; or the slot."""
    text: str
    """What it is, and what to do about it, in one line."""


@attrs.frozen
class Allowed:
    """What is known and meant so."""

    cycles: Collection[frozenset[str]] = ()
    """The members of each cycle; one more member makes it another one."""
    unsent: Collection[str] = ()
    """Names of types."""
    unconsumed: Collection[str] = ()
    """Names of types."""
    unreachable: Collection[str] = ()
    """Names of slots."""


def find_in_wiring(graph: WiringGraph, allowed: Allowed) -> tuple[WiringFinding, ...]:
    """Return what is worth a look in a wiring, but for what is allowed.

    Args:
        graph: Of an orchestra's class.
        allowed: What is meant so. What does not occur in it is a finding, too, so that the list stays true.
    """
    every = [*_cycles(graph), *_open_ends(graph), *_unreachable(graph)]
    found = [one for one in every if not _is_allowed(one, allowed)]
    return (*found, *_needless(every, allowed))


def _cycles(graph: WiringGraph) -> Iterator[WiringFinding]:
    for cycle in graph.blocking_cycles:
        others = ", ".join(name for name in cycle.members if name not in {edge.sender for edge in cycle.path})
        besides = f" (with {others} on further ones)" if others else ""
        yield WiringFinding(
            "blocking cycle",
            cycle.members,
            f"can wait for each other for ever: {cycle}{besides}; declare one of the types unbounded, or allow it "
            f"with --allow-cycle {','.join(cycle.members)}",
        )


def _open_ends(graph: WiringGraph) -> Iterator[WiringFinding]:
    if graph.boundary is None:
        return
    for end in graph.boundary.unsent:
        name = type_name(end.message_type)
        yield WiringFinding(
            "unsent",
            (end.slot, name),
            f"nobody sends {name} to {end.slot}: only the embedding program can route it; allow it with "
            f"--allow-unsent {name}",
        )
    for end in graph.boundary.unconsumed:
        name = type_name(end.message_type)
        yield WiringFinding(
            "unconsumed",
            (end.slot, name),
            f"nobody consumes {name}, which {end.slot} sends: it becomes dead letters; allow it with "
            f"--allow-unconsumed {name}",
        )


def _unreachable(graph: WiringGraph) -> Iterator[WiringFinding]:
    boundary = graph.boundary
    if boundary is None or boundary.event_types:
        return  # what handles events may route anything
    fed = {edge.consumer for edge in graph.edges}
    entries = {end.slot for end in boundary.unsent} | {name for name in graph.nodes if boundary.hearing.get(name)}
    entries |= {name for name in graph.nodes if name not in fed}
    reached = list(dict.fromkeys(name for name in graph.nodes if name in entries))
    seen = set(reached)
    following: dict[str, list[str]] = {}
    for edge in graph.edges:
        following.setdefault(edge.sender, []).append(edge.consumer)
    for name in reached:  # grows while it is walked
        for one in following.get(name, ()):
            if one not in seen:
                seen.add(one)
                reached.append(one)
    for name in graph.nodes:
        if name not in seen:
            yield WiringFinding(
                "unreachable",
                (name,),
                f"no message can come to {name} but from those to which none can come either; feed one of them, or "
                f"allow it with --allow-unreachable {name}",
            )


def _is_allowed(finding: WiringFinding, allowed: Allowed) -> bool:
    match finding.kind:
        case "blocking cycle":
            return frozenset(finding.subject) in allowed.cycles
        case "unsent":
            return finding.subject[1] in allowed.unsent
        case "unconsumed":
            return finding.subject[1] in allowed.unconsumed
        case _:
            return finding.subject[0] in allowed.unreachable


def _needless(every: list[WiringFinding], allowed: Allowed) -> Iterator[WiringFinding]:
    cycles = {frozenset(one.subject) for one in every if one.kind == "blocking cycle"}
    for members in allowed.cycles:
        if members not in cycles:
            listed = ",".join(sorted(members))
            yield WiringFinding("needless", tuple(sorted(members)), f"there is no blocking cycle of just {listed}")
    kinds: tuple[tuple[FindingKind, Collection[str]], ...] = (
        ("unsent", allowed.unsent),
        ("unconsumed", allowed.unconsumed),
        ("unreachable", allowed.unreachable),
    )
    for kind, names in kinds:
        occurring = {one.subject[-1] for one in every if one.kind == kind}
        for name in names:
            if name not in occurring:
                yield WiringFinding("needless", (name,), f"{name} is allowed to be {kind}, and is not")
