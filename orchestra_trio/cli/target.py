"""What a command is about: an orchestra's class, given as `module:Class`, or something else with a name in a module."""

import importlib
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard, cast

import attrs

from orchestra_trio.cli.printing import Failed, Misuse
from orchestra_trio.errors import DeclarationError
from orchestra_trio.runtime.orchestra import Orchestra

__all__ = ["TARGET_HELP", "Found", "find", "load_target", "make_target"]

TARGET_HELP = "module:Class, looked up from the current folder"


@attrs.frozen
class Found:
    """What stands in a module under a name."""

    value: object
    module: ModuleType


def find(text: str, form: str = "module:Class, such as app.wiring:Pipeline") -> Found:
    """Import a module, and return what it has under a name.

    Args:
        text: `module:name`; both may have dots in them.
        form: What the user is told to write.

    Raises:
        Misuse: There is no such thing; it says what was found instead.
        Failed: The module declares an orchestra that is wired wrongly.
    """
    module_name, colon, path = text.partition(":")
    if not (colon and module_name and path):
        raise Misuse(f"{text!r} is no target: write {form}")
    module = _import(module_name)
    found: object = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise Misuse(f"{module_name} has no {path!r}; {_orchestras_in(module)}") from None
    return Found(found, module)


def load_target(text: str) -> type[Orchestra[Any, Any]]:
    """Import a module and return an orchestra's class in it.

    Args:
        text: `module:Class`; both may have dots in them.

    Raises:
        Misuse: There is no such class, or it is no orchestra; it says what was found instead.
        Failed: The class is wired wrongly.
    """
    found = find(text)
    _refuse_base(text, found)
    if not _is_orchestra(found.value):
        raise Misuse(f"{text} is {_kind_of(found.value)}, no orchestra; {_orchestras_in(found.module)}")
    return found.value


def make_target(text: str) -> AbstractContextManager[Orchestra[Any, Any]]:
    """Import a module and return an orchestra that it has or makes, to be used in a `with` block.

    Args:
        text: `module:name` of an orchestra, or of what is called without arguments and returns one, or a context
            manager that yields one: a function, or an orchestra's class.

    Raises:
        Misuse: There is no such thing, or it makes no orchestra; it says what was found instead.
        Failed: A class is wired wrongly.
    """
    found = find(text, "module:name of a function that makes an orchestra, such as app.wiring:make")
    _refuse_base(text, found)
    made = found.value
    if callable(made) and not _is_made(made):
        made = _call(text, made)
    if isinstance(made, Coroutine):
        made.close()  # nobody will await it, of which Python would warn as well
        raise Misuse(f"{text} is an async function: what makes an orchestra must not be async")
    if _is_made(made):
        return nullcontext(made)
    if isinstance(made, AbstractContextManager):
        return _checked(text, cast("AbstractContextManager[object]", made))
    whose = "" if made is found.value else " makes what"
    raise Misuse(f"{text}{whose} is {_kind_of(made)}, no orchestra; {_orchestras_in(found.module)}")


def _call(text: str, function: Callable[[], object]) -> object:
    try:
        return function()
    except (Exception, SystemExit) as error:
        remedy = "name a function that makes one" if _is_orchestra(function) else "it is called without arguments"
        raise Misuse(f"{text} makes no orchestra: {type(error).__name__}: {error}; {remedy}") from error


@contextmanager
def _checked(text: str, manager: AbstractContextManager[object]) -> Generator[Orchestra[Any, Any]]:
    """Enter a context manager, and see that it yields an orchestra."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(manager)
        except (Exception, SystemExit) as error:
            raise Misuse(f"{text} makes no orchestra: {type(error).__name__}: {error}") from error
        if not isinstance(made, Orchestra):
            raise Misuse(f"{text} yields what is {_kind_of(made)}, no orchestra")
        yield made


def _refuse_base(text: str, found: Found) -> None:
    if found.value is Orchestra:
        raise Misuse(f"{text} is the base class, which declares nothing; {_orchestras_in(found.module)}")


def _is_orchestra(found: object) -> TypeGuard[type[Orchestra[Any, Any]]]:
    return isinstance(found, type) and issubclass(found, Orchestra)


def _is_made(found: object) -> TypeGuard[Orchestra[Any, Any]]:
    return isinstance(found, Orchestra)


def _import(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except DeclarationError as error:
        raise Failed(error) from error
    except ModuleNotFoundError as error:
        # A module that the target itself imports may be the one that is missing.
        missing = error.name or name
        where = "" if name == missing or name.startswith(f"{missing}.") else f", which {name} imports"
        raise Misuse(f"there is no module {missing!r}{where}, seen from {folder}") from error
    except (Exception, SystemExit) as error:
        raise Misuse(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _orchestras_in(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Orchestra) and value is not Orchestra
    ]
    listed = ", ".join(names)
    return f"it has {listed}" if names else f"{module.__name__} has no orchestra"


def _kind_of(found: object) -> str:
    if isinstance(found, type):
        return f"the class {found.__qualname__}"
    kind: type[object] = type(found)
    if issubclass(kind, Orchestra):
        return f"an instance: name its class, {kind.__qualname__}"
    return f"of type {kind.__qualname__}"
