"""A builder for orchestras that are put together step by step. It stands on the constructor, and checks no more."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

from orchestra_trio.errors import DeclarationError, a_type
from orchestra_trio.wiring.annotations import Scope
from orchestra_trio.wiring.features import read_features
from orchestra_trio.wiring.options import check_positive_integer, near_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from orchestra_trio.wiring.declaration import Declaration

__all__ = ["BUILDER_NAMES", "Builder", "Construct", "derived_names"]

OrchestraT_co = TypeVar("OrchestraT_co", covariant=True)

BUILDER_NAMES = frozenset(
    {"build", "build_with_connector", "features", "message_channel_capacity", "signal_channel_capacity"}
)
"""What the builder needs itself, so that no field can be named so."""


def derived_names(slot: str) -> tuple[str, str]:
    """Return the further methods that the builder has for a slot, beside the one of its own name."""
    return f"{slot}_with", f"replace_{slot}"


class Construct(Protocol[OrchestraT_co]):
    """Makes the orchestra."""

    def __call__(
        self,
        make_fields: Callable[[Any], dict[str, Any]],
        capacities: Mapping[str, int],
        connector: Any | None,  # noqa: ANN401 - of whatever events
        /,
        *,
        holds_handle: bool,
    ) -> OrchestraT_co:
        """Make it.

        Args:
            make_fields: Makes the fields from the handle of the orchestra's connector.
            capacities: Options of the class that it has values of its own for.
            connector: What it is opened with; None for any, or for one of its own where it holds a handle.
            holds_handle: Whether some of the fields are made from the handle.
        """
        ...


@attrs.frozen(repr=False)
class Builder(Generic[OrchestraT_co]):
    """Puts an orchestra together step by step. Made by `Orchestra.builder`.

    `Pipeline.builder().fetcher(fetch).db_path("x.db").build()`.

    For a slot `fetcher` it has `fetcher(subsystem)`; `fetcher_with(make)`, which calls `make(handle)` for it; and
    `replace_fetcher(change)`, which calls `change(original)` for the one to take the original's place. For baggage
    `db_path` it has `db_path(value)`. The functions are called by `build`, each time. A subsystem is set once, and
    changed by `replace_...`; baggage may be set again. Each call returns a new builder and leaves this one as it is.
    `orchestra-trio expand` writes a stub with the types of all these methods.

    Source:
        The builder of Rust orchestra. Unlike there, `message_channel_capacity` and `signal_channel_capacity` count only
        for slots without a capacity of their own.
    """

    _declaration: Declaration = attrs.field(alias="declaration")
    _construct: Construct[OrchestraT_co] = attrs.field(alias="construct")
    _baggage: Mapping[str, object] = attrs.field(alias="baggage", factory=dict[str, object])
    _makers: Mapping[str, Callable[[Any], Any]] = attrs.field(alias="makers", factory=dict[str, "Callable[[Any], Any]"])
    """For each slot that is set, what makes its subsystem from the handle."""
    _holds_handle: bool = attrs.field(alias="holds_handle", default=False)
    """Whether something was set that asks for the handle."""
    _features: frozenset[str] = attrs.field(alias="given_features", default=frozenset())
    _capacities: Mapping[str, int] = attrs.field(alias="capacities", factory=dict[str, int])

    def __repr__(self) -> str:
        set_so_far = ", ".join([*self._makers, *self._baggage]) or "nothing"
        return f"<{self._declaration.name}.builder(): {set_so_far} set>"

    def __getattr__(self, name: str) -> Callable[[Any], Builder[OrchestraT_co]]:
        """Return the method that sets a field.

        Raises:
            AttributeError: No field has such a method.
        """
        method = self._field_method(name)
        if method is not None:
            named: Any = method
            # Python's complaint about a call with other arguments then names what was called.
            named.__name__, named.__qualname__ = name, f"{self._declaration.name}.builder().{name}"
            return method
        remedy = near_matches(name, self._field_methods() + sorted(BUILDER_NAMES), "it has")
        message = f"the builder of {self._declaration.name} has no {name!r}; {remedy}"
        raise AttributeError(message, name=name, obj=self)

    def __dir__(self) -> list[str]:
        """Name the methods for fields too, for those who explore it interactively."""
        return [*super().__dir__(), *self._field_methods()]

    def message_channel_capacity(self, capacity: int) -> Builder[OrchestraT_co]:
        """Let so many messages fit into the lanes of slots that have no `message_capacity` of their own.

        Args:
            capacity: Messages, at least 1; in place of the `message_capacity` of the class.

        Raises:
            DeclarationError: It is no positive integer.
        """
        return self._with_capacity("message_channel_capacity", "message_capacity", capacity)

    def signal_channel_capacity(self, capacity: int) -> Builder[OrchestraT_co]:
        """Let so many signals fit into the lanes of slots that have no `signal_capacity` of their own.

        Args:
            capacity: Signals, at least 1; in place of the `signal_capacity` of the class.

        Raises:
            DeclarationError: It is no positive integer.
        """
        return self._with_capacity("signal_channel_capacity", "signal_capacity", capacity)

    def features(self, features: Collection[str]) -> Builder[OrchestraT_co]:
        """Make the orchestra with these features, in place of those that were named before.

        Raises:
            TypeError: They are one text, or something in them is no text. Whether a slot asks for them, `build` sees.
        """
        return attrs.evolve(self, given_features=read_features(features))

    def build(self) -> OrchestraT_co:
        """Make the orchestra.

        Where a `..._with` got a handle, that is the handle of the orchestra's opening, which then can be only one. Else
        the orchestra may be opened again after it has ended, as one that its constructor made.

        Raises:
            DeclarationError: Something is missing, all of which it names, or cannot be what it is set to.
        """
        return self._build(None)

    def build_with_connector(self, connector: Any) -> OrchestraT_co:  # noqa: ANN401 - of whatever events
        """Make the orchestra, to be opened with this connector, whose handle others may hold already.

        Args:
            connector: Also where each `..._with` gets its handle from. A connector is for one opening.

        Raises:
            DeclarationError: As for `build`.
        """
        return self._build(connector)

    def _field_method(self, name: str) -> Callable[[Any], Builder[OrchestraT_co]] | None:
        slots = self._declaration.slots
        if name in slots:
            return lambda subsystem: self._set(name, lambda _handle: subsystem)
        if name in self._declaration.baggage:
            return lambda value: attrs.evolve(self, baggage={**self._baggage, name: value})
        slot = name.removesuffix("_with")
        if slot != name and slot in slots:
            return lambda make: self._set_with(slot, make)
        slot = name.removeprefix("replace_")
        if slot != name and slot in slots:
            return lambda change: self._replace(slot, change)
        return None

    def _build(self, connector: Any | None) -> OrchestraT_co:  # noqa: ANN401 - as above
        missing = [name for name in self._declaration.needed(self._features) if name not in self._makers]
        missing += [name for name in self._declaration.baggage_without_default if name not in self._baggage]
        if missing:
            calls = ", ".join(f".{name}(...)" for name in missing)
            raise self._fault(f"it cannot be built without {', '.join(missing)}", f"call {calls}")

        def make_fields(handle: object) -> dict[str, Any]:
            made = {name: make(handle) for name, make in self._makers.items()}
            return {**self._baggage, **made, "features": self._features}

        return self._construct(make_fields, self._capacities, connector, holds_handle=self._holds_handle)

    def _set(self, slot: str, make: Callable[[Any], Any]) -> Builder[OrchestraT_co]:
        if slot in self._makers:
            remedy = f"call .replace_{slot}(lambda original: ...) to change it"
            raise self._fault("it was set already", remedy, slot)
        self._check_built(slot)
        return attrs.evolve(self, makers={**self._makers, slot: make})

    def _set_with(self, slot: str, make: Callable[[Any], Any]) -> Builder[OrchestraT_co]:
        self._check_function(f"{slot}_with", "handle", make, slot)
        return attrs.evolve(self._set(slot, make), holds_handle=True)

    def _replace(self, slot: str, change: Callable[[Any], Any]) -> Builder[OrchestraT_co]:
        self._check_function(f"replace_{slot}", "original", change, slot)
        make = self._makers.get(slot)
        if make is None:
            self._check_built(slot)
            raise self._fault("there is nothing to replace yet", f"call .{slot}(...) first", slot)

        def make_changed(handle: object) -> object:
            return change(make(handle))

        return attrs.evolve(self, makers={**self._makers, slot: make_changed})

    def _check_built(self, slot: str) -> None:
        if self._declaration.slots[slot].wip:
            problem = "it is declared with wip=True, so that nothing can be held in it"
            raise self._fault(problem, "take wip=True out of its declaration, or do not set it", slot)

    def _check_function(self, method: str, argument: str, given: object, slot: str) -> None:
        if not callable(given):
            remedy = f"write .{method}(lambda {argument}: ...)"
            raise self._fault(f".{method} takes a function, not {a_type(type(given))}", remedy, slot)

    def _with_capacity(self, method: str, option: str, capacity: int) -> Builder[OrchestraT_co]:
        check_positive_integer(method, capacity, Scope(self._declaration.name, {}))
        return attrs.evolve(self, capacities={**self._capacities, option: capacity})

    def _field_methods(self) -> list[str]:
        built = [name for name, slot in self._declaration.slots.items() if not slot.wip]
        return [*built, *self._declaration.baggage, *chain.from_iterable(map(derived_names, built))]

    def _fault(self, problem: str, remedy: str, slot: str | None = None) -> DeclarationError:
        return DeclarationError(self._declaration.name, problem, remedy, slot=slot)
