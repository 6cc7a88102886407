"""What each module says that it offers is what it offers, and all of it is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

import pytest

import orchestra_trio
import orchestra_trio.dashboard
import orchestra_trio.metrics
import orchestra_trio.testing
import orchestra_trio.tracing

if TYPE_CHECKING:
    from types import ModuleType

PACKAGES = [
    orchestra_trio,
    orchestra_trio.dashboard,
    orchestra_trio.metrics,
    orchestra_trio.testing,
    orchestra_trio.tracing,
]

MODULES = [
    found.name
    for found in pkgutil.walk_packages(orchestra_trio.__path__, "orchestra_trio.")
    if not found.ispkg and not found.name.endswith("__main__")
]


def defined_in(module: ModuleType) -> set[str]:
    """Return the public classes and functions that a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_a_module_defines(name: str) -> None:
    """`__all__` names things that exist, and no public class or function is missing from it."""
    module = importlib.import_module(name)
    offered = set(module.__all__)
    assert offered <= set(vars(module))
    assert defined_in(module) <= offered


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_the_packages_offer_exactly_their_public_names(package: ModuleType) -> None:
    """The names are sorted, exist, and nothing but them and the rooms can be seen."""
    offered = package.__all__
    assert list(offered) == sorted(offered)
    visible = {name: getattr(package, name) for name in {*vars(package), *offered} if not name.startswith("_")}
    imports = {"Final", "TYPE_CHECKING", "annotations", "import_module"}
    assert {name for name, value in visible.items() if not inspect.ismodule(value)} - imports == set(offered)


@pytest.mark.parametrize(("package", "name"), [(package, name) for package in PACKAGES for name in package.__all__])
def test_public_names_are_documented(package: ModuleType, name: str) -> None:
    """A public name has a docstring, and so has each of its public methods and properties."""
    value = getattr(package, name)
    assert inspect.getdoc(value)
    if not inspect.isclass(value):
        return
    for attribute, member in vars(value).items():
        if not attribute.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            assert inspect.getdoc(member), f"{name}.{attribute}"


def _async_methods() -> list[tuple[ModuleType, str, str]]:
    return [
        (package, name, attribute)
        for package in PACKAGES
        for name in package.__all__
        if inspect.isclass(owner := getattr(package, name))
        for attribute, member in vars(owner).items()
        if inspect.iscoroutinefunction(member) and not attribute.startswith("_")
    ]


@pytest.mark.parametrize(("package", "owner", "method"), _async_methods())
def test_async_methods_say_where_they_check_and_what_cancellation_leaves(
    package: ModuleType, owner: str, method: str
) -> None:
    """The docstring of a public async method has the sections on checkpoints and cancellation; a hook's has not."""
    text = inspect.getdoc(getattr(getattr(package, owner), method)) or ""
    if (owner, method) == ("Orchestra", "on_event") or method == "aclose":
        return
    assert "Checkpoint:" in text
    assert "Cancellation:" in text
