"""Features: names that an orchestra is made with, and conditions on them that decide which slots are in use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import attrs
from typing_extensions import override

from orchestra_trio.errors import a_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["Feature", "feature", "read_features"]


@attrs.frozen(repr=False)
class Feature:
    """A condition on the features that an orchestra is made with: `feature("trace") & ~feature("lite")`.

    Combined with `|`, `&` and `~`. Made by `feature`.

    Source:
        The attribute `cfg(feature)` with `any`, `all` and `not`. Here it is decided when an orchestra is made.
    """

    names: frozenset[str]
    """All features that it asks for."""

    _text: str = attrs.field(alias="text")
    _holds: Callable[[Collection[str]], bool] = attrs.field(alias="holds", eq=False)

    def holds(self, features: Collection[str]) -> bool:
        """Return whether the condition holds with these features."""
        return self._holds(features)

    def __or__(self, other: Feature) -> Feature:
        """Return a condition that holds where either does."""
        if not isinstance(other, Feature):
            return NotImplemented
        return self._joined(other, "|", lambda given: self.holds(given) or other.holds(given))

    def __and__(self, other: Feature) -> Feature:
        """Return a condition that holds where both do."""
        if not isinstance(other, Feature):
            return NotImplemented
        return self._joined(other, "&", lambda given: self.holds(given) and other.holds(given))

    def __invert__(self) -> Feature:
        """Return a condition that holds where this one does not."""
        return Feature(names=self.names, text=f"~{self._text}", holds=lambda given: not self.holds(given))

    def __bool__(self) -> NoReturn:
        message = f"{self} is neither true nor false by itself: write | for or, & for and, ~ for not"
        raise TypeError(message)

    @override
    def __repr__(self) -> str:
        return self._text

    def _joined(self, other: Feature, sign: str, holds: Callable[[Collection[str]], bool]) -> Feature:
        return Feature(names=self.names | other.names, text=f"({self._text} {sign} {other._text})", holds=holds)


def feature(name: str) -> Feature:
    """Return the condition that an orchestra is made with a feature: `subsystem_if(feature("trace"))`.

    Args:
        name: Any text but a blank one; `features=` names it when the orchestra is made.

    Raises:
        TypeError: The name is no text.
        ValueError: The name is blank.
    """
    _check_name(name)
    if not name.strip():
        message = f'a feature needs a name, not {name!r}: write feature("trace")'
        raise ValueError(message)
    return Feature(names=frozenset({name}), text=f"feature({name!r})", holds=lambda features: name in features)


def read_features(features: Collection[str]) -> frozenset[str]:
    """Return the features that an orchestra is made with, each once.

    Raises:
        TypeError: They are one text, whose letters are not meant, or no collection, or something in them is no text.
    """
    if isinstance(features, str):
        message = f"features are a set of names, not one text: write {{{features!r}}}"
        raise TypeError(message)
    given: object = features
    if not isinstance(given, Iterable):
        message = f"features are a set of names, not {a_type(type(given))}: write {{'trace'}}, or leave them out"
        raise TypeError(message)
    names = tuple(features)
    for name in names:
        _check_name(name)
    return frozenset(names)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        message = f"a feature is named by a text, not by {a_type(type(name))}"
        raise TypeError(message)
