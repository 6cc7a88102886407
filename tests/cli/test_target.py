"""Finding an orchestra's class by `module:Class`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from orchestra_trio.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = """
from typing import NamedTuple
from orchestra_trio import Orchestra, Subsystem

class Item(NamedTuple):
    number: int

class Shop(Orchestra):
    clerk: Subsystem[Item]

class Rooms:
    class Inner(Orchestra):
        clerk: Subsystem[Item]

async def clerk(ctx): ...

shop = Shop(clerk=clerk)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The current folder has a module; what is imported from there is forgotten afterwards."""
    (tmp_path / "shop_app.py").write_text(APP, "utf-8")
    (tmp_path / "shop_wrong.py").write_text(APP.replace("clerk: Subsystem[Item]", "clerk: Subsystem"), "utf-8")
    (tmp_path / "shop_broken.py").write_text("1 / 0\n", "utf-8")
    (tmp_path / "shop_exits.py").write_text("raise SystemExit(7)\n", "utf-8")
    (tmp_path / "shop_needs.py").write_text("import not_there.at_all\n", "utf-8")
    (tmp_path / "shop_empty.py").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize("target", ["shop_app:Shop", "shop_app:Rooms.Inner"])
def test_a_class_is_found_from_the_current_folder(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", target, "--allow-unsent", "Item"]) == 0
    assert capsys.readouterr().out.endswith("nothing found\n")


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("shop_app", "'shop_app' is no target: write module:Class"),
        (":Shop", "is no target"),
        ("shop_app:", "is no target"),
        ("shop_app:Shp", "shop_app has no 'Shp'; it has Shop"),
        ("shop_app:shop", "shop_app:shop is an instance: name its class, Shop, no orchestra; it has Shop"),
        ("shop_app:Item", "shop_app:Item is the class Item, no orchestra; it has Shop"),
        ("shop_app:clerk", "shop_app:clerk is of type function, no orchestra; it has Shop"),
        ("shop_app:Orchestra", "the base class, which declares nothing; it has Shop"),
        ("shop_empty:Shop", "shop_empty has no 'Shop'; shop_empty has no orchestra"),
        ("not_there:Shop", "there is no module 'not_there', seen from "),
        ("shop_needs:Shop", "there is no module 'not_there', which shop_needs imports"),
        ("shop_broken:Shop", "shop_broken cannot be imported: ZeroDivisionError: division by zero"),
        ("shop_exits:Shop", "shop_exits cannot be imported: SystemExit: 7"),
    ],
)
@pytest.mark.parametrize("command", ["check", "graph", "expand"])
def test_a_wrong_target_is_one_line(
    command: str, target: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what was found instead, and ends with 2."""
    assert main([command, target]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"orchestra-trio {command}: error: ")
    assert complaint in printed.err
    assert printed.err.count("\n") == 1


def test_a_class_that_is_wired_wrongly_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """The class statement says what is wrong; the exit status is 1."""
    assert main(["check", "shop_wrong:Shop"]) == 1
    assert "Shop.clerk: it neither consumes nor sends nor hears anything" in capsys.readouterr().err
