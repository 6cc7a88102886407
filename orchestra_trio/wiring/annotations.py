"""What the strings and forward references in one class's annotations mean.

Annotations are read un-evaluated and looked up as the class statement itself would look names up: in the class body,
then in the functions or class bodies that the statement stands in, then in the module. So classes that are declared
inside a function work, with and without `from __future__ import annotations`.
"""

from __future__ import annotations

import sys
from collections import ChainMap
from typing import TYPE_CHECKING, ForwardRef

import attrs
from typing_extensions import Format, get_annotations

from orchestra_trio.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping
    from types import FrameType

__all__ = ["Scope", "own_annotations", "statement_frame"]


def own_annotations(cls: type) -> Mapping[str, object]:
    """Return the annotations that stand in the class's own body, in order, un-evaluated where they are strings."""
    # FORWARDREF matters from Python 3.14 on, where annotations are lazy: there a name that is not defined becomes a
    # forward reference, which then gets our own error, in place of a bare NameError.
    return get_annotations(cls, format=Format.FORWARDREF)


@attrs.frozen
class Scope:
    """Where the names of one class statement are looked up, and whose faults are reported."""

    orchestra: str
    """The name of the class."""

    names: MutableMapping[str, object] = attrs.field(repr=False)
    """All names that the class statement sees, except the builtins."""

    @classmethod
    def of_class(cls, declared: type, frame: FrameType | None) -> Scope:
        """Return the scope of a class that is just being created.

        Args:
            declared: The class.
            frame: The frame that asks, or any frame between it and the class statement; None looks only into the
                module that the class says it belongs to.
        """
        module = sys.modules.get(declared.__module__)
        return cls(
            orchestra=declared.__name__,
            names=ChainMap(
                _defined_in_body(declared),
                *_visible_names(statement_frame(frame)),
                {} if module is None else vars(module),
            ),
        )

    def fault(self, problem: str, remedy: str, field: str | None = None) -> DeclarationError:
        """Return the error for this class, or for one of its fields."""
        return DeclarationError(self.orchestra, problem, remedy, slot=field)

    def evaluate(self, reference: str | ForwardRef, field: str | None) -> object:
        """Return what a string annotation or forward reference means.

        Args:
            reference: The text, or the forward reference that holds it.
            field: Where it was found, for the error.

        Raises:
            DeclarationError: A name in it is not defined, or it is no expression.
        """
        text = (reference if isinstance(reference, str) else reference.__forward_arg__).strip()
        # The text stands in the source of the program that declares the class, as any other expression of it does.
        return self.read(text, field, lambda: eval(text, {}, self.names))  # noqa: S307

    def read(self, text: str, field: str | None, evaluation: Callable[[], object]) -> object:
        """Return the result of an evaluation of the user's own text, its errors turned into a declaration's."""
        try:
            return evaluation()
        except NameError as error:
            raise self.fault(
                f"the name {error.name or text!r} in {text!r} is not defined at run time, "
                "where it may be imported only under TYPE_CHECKING",
                "import or define it at run time, before the class; for ruff, name the orchestra's base class in "
                "lint.flake8-type-checking.runtime-evaluated-base-classes, so that it leaves the import there",
                field,
            ) from error
        except Exception as error:
            raise self.fault(
                f"{text!r} cannot be evaluated ({type(error).__name__}: {error})",
                "write a type expression that holds at run time",
                field,
            ) from error


def _defined_in_body(declared: type) -> dict[str, object]:
    # A field's own default is not what its name means in a type: `config: config.Config = ...` names the module.
    fields = own_annotations(declared)
    body: dict[str, object] = {name: value for name, value in vars(declared).items() if name not in fields}
    # Its own name is bound only after it was created, but may stand in its annotations.
    return {declared.__name__: declared, **body}


def statement_frame(frame: FrameType | None) -> FrameType | None:
    """Return the frame that the class statement stands in, given one between it and the code that asks."""
    while frame is not None and _creates_class(frame):
        frame = frame.f_back
    return frame


def _creates_class(frame: FrameType) -> bool:
    # Between the class statement and us stand only `__init_subclass__` and the `__new__` of metaclasses.
    code = frame.f_code
    if code.co_name != "__new__":
        return code.co_name == "__init_subclass__"
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_varnames else None
    return isinstance(first, type) and issubclass(first, type)


def _visible_names(frame: FrameType | None) -> Iterator[MutableMapping[str, object]]:
    if frame is None:
        return
    module_names = frame.f_globals
    bodies: list[dict[str, object]] = []
    # Class bodies, and the scopes that Python puts around type parameters, are run by the code that encloses them. A
    # function is not: its frame is the last to look into, since who called it is not where it stands.
    while frame is not None and _runs_in_place(frame):
        bodies.append(frame.f_locals)
        frame = frame.f_back
    if frame is not None and frame.f_locals is not frame.f_globals:
        yield frame.f_locals
    yield module_names
    # Python itself does not look into the bodies of enclosing classes, so that they must not hide anything.
    yield from bodies


def _runs_in_place(frame: FrameType) -> bool:
    return "__qualname__" in frame.f_locals or frame.f_code.co_name.startswith("<generic parameters of ")
