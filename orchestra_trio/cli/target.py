"""The target of a command: an orchestra's class, given as `module:Class`."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

from orchestra_trio.cli.printing import Failed, Misuse
from orchestra_trio.errors import DeclarationError
from orchestra_trio.runtime.orchestra import Orchestra

__all__ = ["TARGET_HELP", "load_target"]

TARGET_HELP = "module:Class, looked up from the current folder"


def load_target(text: str) -> type[Orchestra[Any, Any]]:
    """Import a module and return an orchestra's class in it.

    Args:
        text: `module:Class`; both may have dots in them.

    Raises:
        Misuse: There is no such class, or it is no orchestra; it says what was found instead.
        Failed: The class is wired wrongly.
    """
    module_name, colon, path = text.partition(":")
    if not (colon and module_name and path):
        raise Misuse(f"{text!r} is no target: write module:Class, such as app.wiring:Pipeline")
    module = _import(module_name)
    found: object = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise Misuse(f"{module_name} has no {path!r}; {_orchestras_in(module)}") from None
    if found is Orchestra:
        raise Misuse(f"{text} is the base class, which declares nothing; {_orchestras_in(module)}")
    if not _is_orchestra(found):
        raise Misuse(f"{text} is {_kind_of(found)}, no orchestra; {_orchestras_in(module)}")
    return found


def _is_orchestra(found: object) -> TypeGuard[type[Orchestra[Any, Any]]]:
    return isinstance(found, type) and issubclass(found, Orchestra)


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
