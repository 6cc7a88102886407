"""An orchestra's class written out: the wiring as resolved, and a typed stub of class and builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from orchestra_trio.errors import type_name
from orchestra_trio.wiring.options import OrchestraOptions
from orchestra_trio.wiring.type_texts import TypeTexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio.wiring.declaration import Declaration
    from orchestra_trio.wiring.slots import Slot

__all__ = ["expand"]

_SET, _MISSING = "Given", "Missing"


def expand(declaration: Declaration) -> str:
    """Return a stub of an orchestra's class and of its builder, with the resolved wiring in comments.

    mypy and pyright accept the text as a stub file. In it, the builder's methods know what was set: setting a subsystem
    twice is rejected, and `build()` exists only once all is set that must be.

    Source:
        The feature `expand` of Rust orchestra, which shows the code that the macro made.
    """
    texts = TypeTexts()
    aliases = [f"{_alias(slot)}: TypeAlias = {_slot_type(slot, texts)}" for slot in declaration.slots.values()]
    body = [*_class_lines(declaration, texts), "", "", *_builder_lines(declaration, texts)]
    return "\n".join([*_head_lines(declaration, texts), *aliases, "", "", *body]) + "\n"


def _head_lines(declaration: Declaration, texts: TypeTexts) -> Iterator[str]:
    slots = declaration.slots.values()
    used = {
        "BlockingSubsystem": any(slot.blocking for slot in slots),
        "Connector": True,
        "MeteredSender": True,
        "Orchestra": True,
        "Subsystem": not all(slot.blocking for slot in slots),
        "feature": bool(declaration.features),
        "subsystem": any(slot.wip for slot in slots),
        "subsystem_if": bool(declaration.features),
    }
    typing_names = texts.typing_names | {"Generic", "Self", "TypeAlias", "TypeVar"}
    yield f'"""What {declaration.name} declares: its wiring as resolved, and its builder with types."""'
    yield ""
    yield "from collections.abc import Callable, Collection"
    yield f"from typing import {', '.join(sorted(typing_names))}"
    yield ""
    yield from (f"import {module}" for module in sorted(texts.modules))
    yield f"from orchestra_trio import {', '.join(name for name, is_used in used.items() if is_used)}"
    yield ""
    yield from (f'{name} = TypeVar("{name}")' for name in [*texts.variables, *_states(declaration).values()])
    yield ""
    yield f"class {_MISSING}: ..."
    yield ""
    yield f"class {_SET}: ..."
    yield ""


def _class_lines(declaration: Declaration, texts: TypeTexts) -> Iterator[str]:
    signals, events = texts.union(declaration.signal_types), texts.union(declaration.event_types)
    parameters = f", {texts_generic}" if (texts_generic := _generic_base(declaration, texts)) else ""
    yield f"class {declaration.name}(Orchestra[{signals}, {events}]{parameters}):"
    for field in attrs.fields(OrchestraOptions):
        value = getattr(declaration.options, field.name)
        shown = repr(value) if field.name != "outgoing" else " | ".join(map(type_name, declaration.options.outgoing))
        yield f"    # {field.name}: {shown}{'' if value == field.default else ' (set)'}"
    for slot in declaration.slots.values():
        yield ""
        yield from (f"    # {line}" for line in _slot_notes(slot, declaration))
        yield f"    {slot.name}: {_alias(slot)}{_specifier(slot)}"
    yield ""
    for name, annotation in declaration.baggage.items():
        default = "" if name in declaration.baggage_without_default else " = ..."
        yield f"    {name}: {texts.text(annotation)}{default}"
    yield ""
    yield "    @classmethod"
    states = [_MISSING] * len(_states(declaration))
    made = _builder_type(declaration, states)
    ignored = "# type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]"
    yield f"    def builder(cls) -> {made}: ...  {ignored}"


def _generic_base(declaration: Declaration, texts: TypeTexts) -> str:
    for annotation in declaration.baggage.values():
        texts.text(annotation)
    return f"Generic[{', '.join(texts.variables)}]" if texts.variables else ""


def _slot_notes(slot: Slot, declaration: Declaration) -> Iterator[str]:
    edges = [edge for edge in declaration.graph.edges if edge.sender == slot.name]
    for edge in edges:
        yield f"sends {type_name(edge.message_type)} to {edge.consumer} ({edge.lane})"
    boundary = declaration.graph.boundary
    if boundary is not None:
        yield from (f"sends {type_name(e.message_type)} out" for e in boundary.outgoing if e.slot == slot.name)
        yield from (f"sends {type_name(e.message_type)} to nobody" for e in boundary.unconsumed if e.slot == slot.name)
    for one in slot.consumes:
        senders = sorted({edge.sender for edge in declaration.graph.edges if edge.consumer == slot.name})
        yield f"consumes {type_name(one)}, from {', '.join(senders) or 'outside'}"
    priority = f", priority {slot.message_capacity}" if slot.priority else ""
    yield f"lanes: bounded {slot.message_capacity}{priority}, unbounded, signals {slot.signal_capacity}"
    for one, reason in slot.unbounded.items():
        yield f"{type_name(one)} is sent unbounded: {reason}"
    yield f"strategy: {'Weighted()' if slot.select is None else repr(slot.select)}"
    if slot.restart is not None:
        group = "" if slot.restart_group is None else f", group {slot.restart_group!r}"
        yield f"{slot.restart!r}{group}"


def _alias(slot: Slot) -> str:
    return f"_{slot.name}"


def _slot_type(slot: Slot, texts: TypeTexts) -> str:
    kind = "BlockingSubsystem" if slot.blocking else "Subsystem"
    parameters = [texts.union(slot.consumes)]
    if slot.sends or slot.signals:
        parameters.append(texts.union(slot.sends))
    if slot.signals:
        parameters.append(texts.union(slot.signals))
    return f"{kind}[{', '.join(parameters)}]"


def _specifier(slot: Slot) -> str:
    if slot.wip:
        return " = subsystem(wip=True)"
    return "" if slot.condition is None else f" = subsystem_if({slot.condition!r})"


def _states(declaration: Declaration) -> dict[str, str]:
    """Return a type variable for each field that must be set, by the field's name."""
    needed = [slot.name for slot in declaration.slots.values() if not slot.wip and slot.condition is None]
    return {name: f"_{name}_T" for name in (*needed, *declaration.baggage_without_default)}


def _builder_type(declaration: Declaration, states: list[str]) -> str:
    name = f"{declaration.name}Builder"
    return f"{name}[{', '.join(states)}]" if states else name


def _builder_lines(declaration: Declaration, texts: TypeTexts) -> Iterator[str]:
    states = _states(declaration)
    generic = f"(Generic[{', '.join(states.values())}])" if states else ""
    yield f"class {declaration.name}Builder{generic}:"

    def typed(field: str, state: str) -> str:
        return _builder_type(declaration, [state if name == field else one for name, one in states.items()])

    for slot in declaration.slots.values():
        if slot.wip:
            continue
        kind = _alias(slot)
        before, after = ("Self", "Self")
        if slot.name in states:
            before, after = typed(slot.name, _MISSING), typed(slot.name, _SET)
        make = f"Callable[[MeteredSender[{texts.union(declaration.event_types)}]], {kind}]"
        yield f"    def {slot.name}(self: {before}, subsystem: {kind}, /) -> {after}: ..."
        yield f"    def {slot.name}_with(self: {before}, make: {make}, /) -> {after}: ..."
        yield f"    def replace_{slot.name}(self: {after}, change: Callable[[{kind}], {kind}], /) -> {after}: ..."
    for name, annotation in declaration.baggage.items():
        after = typed(name, _SET) if name in states else "Self"
        yield f"    def {name}(self, value: {texts.text(annotation)}, /) -> {after}: ..."
    yield "    def message_channel_capacity(self, capacity: int) -> Self: ..."
    yield "    def signal_channel_capacity(self, capacity: int) -> Self: ..."
    yield "    def features(self, features: Collection[str]) -> Self: ..."
    ready = _builder_type(declaration, [_SET] * len(states))
    connector = f"Connector[{texts.union(declaration.event_types)}]"
    yield f"    def build(self: {ready}) -> {declaration.name}: ..."
    yield f"    def build_with_connector(self: {ready}, connector: {connector}) -> {declaration.name}: ..."
