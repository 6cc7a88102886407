"""Declaring an orchestra at run time."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any, Never, cast

from orchestra_trio.errors import DeclarationError
from orchestra_trio.runtime.contexts.subsystem import Subsystem
from orchestra_trio.runtime.orchestra import Orchestra
from orchestra_trio.wiring.specifiers import SubsystemSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["make_orchestra"]


def make_orchestra(
    name: str,
    fields: Mapping[str, object],
    *,
    signals: object = Never,
    events: object = Never,
    bases: tuple[type[Orchestra[Any, Any]], ...] = (),
    namespace: Mapping[str, object] | None = None,
    **options: Any,  # noqa: ANN401 - those of the class statement
) -> type[Orchestra[Any, Any]]:
    """Declare an orchestra at run time: `make_orchestra("P", {"parser": Subsystem[Parse, Store]}, signals=Tick)`.

    The same as a class statement, with the same checks.

    Args:
        name: The class's name.
        fields: For each field its annotation: `Subsystem[Parse]`, a type for baggage; or a specification alone,
            `subsystem(consumes=Parse, priority=True)`; or both in a tuple; or an annotation of baggage and its default.
        signals: The types of signals: a type, a union, or Never.
        events: The types of events, likewise; then `namespace` has `on_event`.
        bases: An orchestra to inherit from; it has signals and events already.
        namespace: What else stands in the class's body, such as methods.
        options: The class's options, such as `message_capacity=64`.

    Returns:
        The class.

    Raises:
        DeclarationError: As for a class statement.
    """
    if bases and not (signals is Never and events is Never):
        raise DeclarationError(name, "it inherits its signals and events", "leave out signals= and events=, or bases=")
    annotations: dict[str, object] = {}
    body: dict[str, object] = {}
    for field, value in fields.items():
        annotation, *default = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        if isinstance(annotation, SubsystemSpec):
            annotation, default = Subsystem, [annotation]
        annotations[field] = annotation
        if default:
            body[field] = default[0]
    generic: Any = Orchestra
    caller = sys._getframe(1).f_globals.get("__name__", __name__)  # noqa: SLF001 - whose class it is, as with a class statement
    made = types.new_class(
        name,
        bases or (generic[signals, events],),
        options,
        lambda target: target.update(
            {"__module__": caller, **(namespace or {}), **body, "__annotations__": annotations}
        ),
    )
    return cast("type[Orchestra[Any, Any]]", made)
