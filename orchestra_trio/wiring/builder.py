"""A builder for orchestras that are put together step by step. It stands on the constructor, and checks no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.annotations import Scope
from orchestra_trio.wiring.options import check_positive_integer, near_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from orchestra_trio.wiring.declaration import Declaration

__all__ = ["BUILDER_NAMES", "Builder", "Construct"]

OrchestraT_co = TypeVar("OrchestraT_co", covariant=True)

BUILDER_NAMES = frozenset(
    {"build", "build_with_connector", "features", "message_channel_capacity", "signal_channel_capacity"}
)
"""What the builder needs itself, so that no field can be named so."""


class Construct(Protocol[OrchestraT_co]):
    """Makes the orchestra."""

    def __call__(
        self,
        make_fields: Callable[[Any], dict[str, Any]],
        capacities: Mapping[str, int],
        connector: Any | None,  # noqa: ANN401 - of whatever events
        /,
    ) -> OrchestraT_co:
        """Make it of fields that are made from the handle of its connector; None makes a connector."""
        ...


@attrs.frozen(repr=False)
class Builder(Generic[OrchestraT_co]):
    """Puts an orchestra together step by step: `Pipeline.builder().fetcher(fetch).db_path("x.db").build()`.

    For a slot `fetcher` it has `fetcher(subsystem)`; `fetcher_with(make)`, which calls `make(handle)` for it; and
    `replace_fetcher(change)`, which calls `change(original)` for the one to take the original's place. For baggage
    `db_path` it has `db_path(value)`. The functions are called by `build`. Each call returns a new builder and leaves
    this one as it is. `orchestra-trio expand` writes a stub with the types of all these methods.

    Source:
        The builder of Rust orchestra. Unlike there, `message_channel_capacity` and `signal_channel_capacity` count only
        for slots without a capacity of their own.
    """

    _declaration: Declaration = attrs.field(alias="declaration")
    _construct: Construct[OrchestraT_co] = attrs.field(alias="construct")
    _baggage: Mapping[str, object] = attrs.field(alias="baggage", factory=dict[str, object])
    _makers: Mapping[str, Callable[[Any], Any]] = attrs.field(alias="makers", factory=dict[str, "Callable[[Any], Any]"])
    """For each slot that is set, what makes its subsystem from the handle."""
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
        slots = self._declaration.slots
        if name in slots:
            return lambda subsystem: self._set(name, lambda _handle: subsystem)
        if name in self._declaration.baggage:
            return lambda value: attrs.evolve(self, baggage={**self._baggage, name: value})
        slot = name.removesuffix("_with")
        if slot != name and slot in slots:
            return lambda make: self._set(slot, make)
        slot = name.removeprefix("replace_")
        if slot != name and slot in slots:
            return lambda change: self._replace(slot, change)
        known = [*slots, *self._declaration.baggage, *(f"{one}_with" for one in slots)]
        known += [*(f"replace_{one}" for one in slots), *sorted(BUILDER_NAMES)]
        message = f"the builder of {self._declaration.name} has no {name!r}; {near_matches(name, known, 'it has')}"
        raise AttributeError(message, name=name, obj=self)

    def message_channel_capacity(self, capacity: int) -> Builder[OrchestraT_co]:
        """Let so many messages fit into the lanes of slots that have no `message_capacity` of their own.

        Raises:
            DeclarationError: It is no positive integer.
        """
        return self._with_capacity("message_capacity", capacity)

    def signal_channel_capacity(self, capacity: int) -> Builder[OrchestraT_co]:
        """Let so many signals fit into the lanes of slots that have no `signal_capacity` of their own.

        Raises:
            DeclarationError: It is no positive integer.
        """
        return self._with_capacity("signal_capacity", capacity)

    def features(self, features: Collection[str]) -> Builder[OrchestraT_co]:
        """Make the orchestra with these features, in place of those that were named before."""
        return attrs.evolve(self, given_features=frozenset(features))

    def build(self) -> OrchestraT_co:
        """Make the orchestra.

        Where a `..._with` got a handle, that is the handle of the orchestra's first opening.

        Raises:
            DeclarationError: Something is missing, all of which it names, or cannot be what it is set to.
        """
        return self._build(None)

    def build_with_connector(self, connector: Any) -> OrchestraT_co:  # noqa: ANN401 - of whatever events
        """Make the orchestra, to be opened with this connector, whose handle others may hold already.

        Raises:
            DeclarationError: As for `build`.
        """
        return self._build(connector)

    def _build(self, connector: Any | None) -> OrchestraT_co:  # noqa: ANN401 - as above
        missing = [name for name in self._declaration.needed(self._features) if name not in self._makers]
        missing += [name for name in self._declaration.baggage_without_default if name not in self._baggage]
        if missing:
            calls = ", ".join(f".{name}(...)" for name in missing)
            raise self._fault(f"it cannot be built without {', '.join(missing)}", f"call {calls}")

        def make_fields(handle: object) -> dict[str, Any]:
            made = {name: make(handle) for name, make in self._makers.items()}
            return {**self._baggage, **made, "features": self._features}

        return self._construct(make_fields, self._capacities, connector)

    def _set(self, slot: str, make: Callable[[Any], Any]) -> Builder[OrchestraT_co]:
        if slot in self._makers:
            remedy = f"call .replace_{slot}(lambda original: ...) to change it"
            raise self._fault("it was set already", remedy, slot)
        self._check_built(slot)
        return attrs.evolve(self, makers={**self._makers, slot: make})

    def _replace(self, slot: str, change: Callable[[Any], Any]) -> Builder[OrchestraT_co]:
        make = self._makers.get(slot)
        if make is None:
            self._check_built(slot)
            raise self._fault("there is nothing to replace yet", f"call .{slot}(...) first", slot)

        def make_changed(handle: object) -> object:
            return change(make(handle))

        return attrs.evolve(self, makers={**self._makers, slot: make_changed})

    def _check_built(self, slot: str) -> None:
        if self._declaration.slots[slot].wip:
            raise self._fault("it is declared with wip=True, so that nothing can be held in it", "drop wip=True", slot)

    def _with_capacity(self, option: str, capacity: int) -> Builder[OrchestraT_co]:
        check_positive_integer(option, capacity, Scope(self._declaration.name, {}))
        return attrs.evolve(self, capacities={**self._capacities, option: capacity})

    def _fault(self, problem: str, remedy: str, slot: str | None = None) -> DeclarationError:
        return DeclarationError(self._declaration.name, problem, remedy, slot=slot)
