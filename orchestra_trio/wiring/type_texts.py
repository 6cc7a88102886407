"""Type expressions as source text, with the imports that it needs."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, ForwardRef, Literal, Never, TypeVar, Union, cast, get_args, get_origin

import attrs

__all__ = ["TypeTexts"]


@attrs.define
class TypeTexts:
    """Writes types as source, and gathers what must be imported for them."""

    modules: set[str] = attrs.Factory(set[str])
    """Modules to import."""
    typing_names: set[str] = attrs.Factory(set[str])
    """Names to import from `typing`."""
    variables: dict[str, TypeVar] = attrs.Factory(dict[str, TypeVar])
    """Type variables to declare, by name."""

    def union(self, classes: tuple[type, ...]) -> str:
        """Return the text of a union of classes; `Never` for none."""
        return " | ".join(map(self.text, classes)) or self._typing("Never")

    def text(self, expression: object) -> str:
        """Return the text of a type expression; `Any` for what no module has a name for."""
        if expression is None or expression is type(None):
            return "None"
        if isinstance(expression, (str, ForwardRef)):
            return repr(expression if isinstance(expression, str) else expression.__forward_arg__)
        if isinstance(expression, TypeVar):
            self.variables[expression.__name__] = expression
            return expression.__name__
        if expression is Any or expression is Never:
            return self._typing("Any" if expression is Any else "Never")
        if get_args(expression):
            return self._generic(expression)
        return self._named(expression)

    def _generic(self, expression: object) -> str:
        origin, arguments = get_origin(expression), get_args(expression)
        if origin in (Union, types.UnionType):
            return " | ".join(map(self.text, arguments))
        if origin is Literal:
            return f"{self._typing('Literal')}[{', '.join(map(repr, arguments))}]"
        if origin is Callable:
            given, result = arguments
            taken = "..." if given is ... else f"[{', '.join(map(self.text, given))}]"
            return f"{self._named(Callable)}[{taken}, {self.text(result)}]"
        inner = ", ".join("..." if one is ... else self.text(one) for one in arguments)
        return f"{self._named(origin)}[{inner}]"

    def _named(self, expression: object) -> str:
        name = cast("str | None", getattr(expression, "__qualname__", None) or getattr(expression, "__name__", None))
        module = cast("str | None", getattr(expression, "__module__", None))
        if name is None or module is None or "<" in name:
            return self._typing("Any")
        if module == "builtins":
            return name
        if module == "typing":
            return self._typing(name)
        self.modules.add(module)
        return f"{module}.{name}"

    def _typing(self, name: str) -> str:
        self.typing_names.add(name)
        return name
