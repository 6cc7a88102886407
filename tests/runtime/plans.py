"""Random wirings as text, as somebody would write them in a class statement, and declared in both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Never

import attrs
from hypothesis import strategies as st

from orchestra_trio import (
    BlockingSubsystem,
    Orchestra,
    RunningOrchestra,
    Subsystem,
    feature,
    make_orchestra,
    subsystem,
    subsystem_if,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Event", "Plan", "Tick", "Tock", "as_class", "made", "plans"]


class M0(NamedTuple):
    path: str


class M1(NamedTuple):
    path: str


class M2(NamedTuple):
    path: str


class N2(M2): ...


class M3(NamedTuple):
    path: str


class Out(NamedTuple):
    path: str


class Tick(NamedTuple):
    number: int


class Tock(NamedTuple):
    number: int


class Event(NamedTuple):
    message: Any


async def route(_: object, event: Event, running: RunningOrchestra[Any, Any]) -> None:
    await running.route_message(event.message)


MOST_SLOTS = 4
CONDITIONS = (
    'feature("a")',
    '~feature("b")',
    'feature("a") & ~feature("b")',
    '(feature("a") | feature("c")) & feature("b")',
)
NAMES: Mapping[str, Any] = {
    "BlockingSubsystem": BlockingSubsystem,
    "Subsystem": Subsystem,
    "Orchestra": Orchestra,
    "Never": Never,
    "subsystem": subsystem,
    "subsystem_if": subsystem_if,
    "feature": feature,
    "route": route,
    **{one.__name__: one for one in (M0, M1, M2, N2, M3, Out, Tick, Tock, Event)},
    "__name__": __name__,
}
"""What the text of a plan may name."""


@attrs.frozen
class SlotPlan:
    """One slot: the names of its types, and the text of its options."""

    consumes: tuple[str, ...]
    sends: tuple[str, ...]
    signals: tuple[str, ...]
    options: Mapping[str, str]
    condition: str | None
    form: int
    """How `make_orchestra` gets it: as an annotation, by the specification alone, or quoted."""
    blocking: bool = False

    @property
    def annotation(self) -> str:
        kind = "BlockingSubsystem" if self.blocking else "Subsystem"
        return f"{kind}[{', '.join(' | '.join(one) or 'Never' for one in (self.consumes, self.sends, self.signals))}]"

    def specification(self, **more: str) -> str:
        """The call of `subsystem(...)` or `subsystem_if(...)`."""
        given = [f"{name}={value}" for name, value in {**more, **self.options}.items()]
        if self.condition is None:
            return f"subsystem({', '.join(given)})"
        return f"subsystem_if({', '.join([self.condition, *given])})"

    @property
    def has_specification(self) -> bool:
        return bool(self.options) or self.condition is not None


@attrs.frozen
class Plan:
    """A wiring, and what its fields are filled with."""

    slots: tuple[SlotPlan, ...]
    defaults: tuple[str | None, ...]
    """For each field of baggage, the text of its default."""
    capacities: tuple[int, int]
    options: Mapping[str, str]
    features: frozenset[str]
    """Of these, the ones that a slot asks for."""
    values: tuple[int, ...]
    """For each field of baggage."""
    steps: tuple[int, ...]
    """In which order, and by which methods, the builder gets the fields."""

    def text(self) -> str:
        """The class statement."""
        given = ", ".join(f"{name}={value}" for name, value in {**self.all_capacities, **self.options}.items())
        lines = [f"class Drawn(Orchestra[Tick | Tock, Event], {given}):", "    on_event = route"]
        for number, slot in enumerate(self.slots):
            specification = f" = {slot.specification()}" if slot.has_specification else ""
            lines.append(f"    s{number}: {slot.annotation}{specification}")
        for number, default in enumerate(self.defaults):
            lines.append(f"    b{number}: int" + ("" if default is None else f" = {default}"))
        return "\n".join(lines)

    @property
    def all_capacities(self) -> dict[str, str]:
        return dict(zip(("message_capacity", "signal_capacity"), map(str, self.capacities), strict=True))


@st.composite
def slot_plans(draw: st.DrawFn, number: int, *, plays: bool) -> SlotPlan:
    sent = [f"M{one}" for one in range(number + 1 if plays else 0, MOST_SLOTS)] + ["Out"]
    sent += ["N2"] if "M2" in sent else []
    # Sorted, since `typing` takes unions for equal whatever their order, and returns the alias that it made first.
    sends = tuple(sorted(draw(st.lists(st.sampled_from(sent), unique=True, max_size=3))))
    possible = {
        "message_capacity": st.sampled_from("123"),
        "signal_capacity": st.sampled_from("12"),
        "priority": st.just("True"),
        "unbounded": st.just("{" + ", ".join(f"{one}: 'the plan'" for one in sends[:1]) + "}"),
        "readiness": st.just("True"),
        "after_exit": st.just("'dead_letter'"),
        "wip": st.just("True"),
    }
    options = draw(st.fixed_dictionaries({}, optional=possible))
    condition = draw(st.sampled_from([None, None, *CONDITIONS]))
    if condition is not None:
        options.pop("wip", None)
    return SlotPlan(
        consumes=(f"M{number}",) if draw(st.integers(0, 4)) else (),
        sends=sends,
        signals=draw(st.sampled_from([(), ("Tick",), ("Tick", "Tock")])),
        options=options,
        condition=condition,
        form=draw(st.integers(0, 2)),
        blocking=not plays and not draw(st.integers(0, 4)),
    )


@st.composite
def plans(draw: st.DrawFn, *, plays: bool) -> Plan:
    """Draw a plan; one that `plays` can be declared, and has no cycle and no threads."""
    slots = [draw(slot_plans(number, plays=plays)) for number in range(draw(st.integers(1, MOST_SLOTS)))]
    if plays:
        slots = [
            one if one.consumes or one.sends or one.signals else attrs.evolve(one, sends=("Out",)) for one in slots
        ]
    defaults = draw(st.lists(st.sampled_from([None, "3"]), max_size=3))
    options = {"outgoing": "Out", "unconsumed": "'allow'"}
    if not plays:
        options = draw(st.fixed_dictionaries({"outgoing": st.sampled_from(["Out", "Out | N2", "()"])}))
        options["unconsumed"] = draw(st.sampled_from(["'allow'", "'allow'", "'error'"]))
    return Plan(
        slots=tuple(slots),
        defaults=tuple(defaults),
        capacities=draw(st.tuples(st.integers(1, 4), st.integers(1, 3))),
        options=options,
        features=frozenset(draw(st.sets(st.sampled_from("abc")))),
        values=tuple(draw(st.integers(0, 9)) for _ in defaults),
        steps=tuple(draw(st.lists(st.integers(0, 99), min_size=12, max_size=12))),
    )


def meaning(text: str) -> Any:  # noqa: ANN401 - of whatever text
    return eval(text, dict(NAMES))  # noqa: S307 - written by the plan


def as_class(plan: Plan) -> type[Orchestra[Any, Any]]:
    """Declare it by a class statement."""
    names = dict(NAMES)
    exec(plan.text(), names)  # noqa: S102 - as above
    drawn: type[Orchestra[Any, Any]] = names["Drawn"]
    return drawn


def made(plan: Plan) -> type[Orchestra[Any, Any]]:
    """Declare it by `make_orchestra`, each slot in its own form."""
    fields: dict[str, object] = {}
    for number, slot in enumerate(plan.slots):
        told: Any = slot.annotation if slot.form == 2 else meaning(slot.annotation)
        if slot.has_specification:
            told = (told, meaning(slot.specification()))
        if slot.form == 1 and not slot.blocking:
            types = {name: f"({''.join(f'{one}, ' for one in getattr(slot, name))})" for name in ("consumes", "sends")}
            told = meaning(slot.specification(**types, signals=" | ".join(slot.signals) or "Never"))
        fields[f"s{number}"] = told
    for number, default in enumerate(plan.defaults):
        fields[f"b{number}"] = int if default is None else ("int", meaning(default))
    options = {name: meaning(value) for name, value in {**plan.all_capacities, **plan.options}.items()}
    return make_orchestra(
        "Drawn", fields, signals=(Tick, "Tock"), events=Event, namespace={"on_event": route}, **options
    )
