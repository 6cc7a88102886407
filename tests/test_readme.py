"""Every program in the documents runs, and prints what the document says that it prints."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]

FENCED = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)(?P<target>[^)#\s]+)")
TARGET = re.compile(r"^(?P<name>[a-z][\w-]*):(?!=)", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@attrs.frozen
class Block:
    """One fenced block of a document."""

    place: str
    """The document and the line of the opening fence."""

    info: str
    """What stands behind the opening fence."""

    text: str
    """What stands between the fences."""

    output: str | None
    """For a program, what the document says that it prints."""


def fenced_blocks(document: str, name: str) -> Iterable[Block]:
    """Yield the blocks of one document, in order."""
    matches = list(FENCED.finditer(document))
    for match, following in zip_longest(matches, matches[1:]):
        output = None
        if following and following["info"] == "text":
            between = document[match.end() : following.start()].strip()
            if between.endswith("prints:"):
                output = following["text"]
        line = document.count("\n", 0, match.start()) + 1
        yield Block(place=f"{name}:{line}", info=match["info"].strip(), text=match["text"], output=output)


BLOCKS = [block for path in DOCUMENTS for block in fenced_blocks(path.read_text("utf-8"), name_of(path))]


def of_kind(info: str) -> list[Block]:
    return [block for block in BLOCKS if block.info == info]


@pytest.mark.parametrize("block", of_kind("python"), ids=lambda block: block.place)
def test_program_runs_and_prints_what_the_document_says(block: Block, tmp_path: Path) -> None:
    """A program runs by itself, without a warning, outside of the checkout."""
    program = tmp_path / "program.py"
    program.write_text(block.text, "utf-8")
    finished = subprocess.run(
        [sys.executable, "-W", "error", program],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
    if block.output is not None:
        assert finished.stdout == block.output


def test_fragments_are_valid_python() -> None:
    """A fragment need not run, but it can be read; `await` may stand outside a function."""
    for block in of_kind("python fragment"):
        compile(block.text, block.place, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", of_kind("console"), ids=lambda block: block.place)
def test_make_targets_exist(block: Block) -> None:
    """Each `make` command of a document names targets that there are."""
    targets = {match["name"] for match in TARGET.finditer((ROOT / "Makefile").read_text("utf-8"))}
    for command in re.findall(r"^\$ make (.+)$", block.text, re.MULTILINE):
        named = {word for word in command.split() if "=" not in word and not word.startswith("-")}
        assert named <= targets, command


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """What a document links to inside the repository is there."""
    prose = FENCED.sub("", path.read_text("utf-8"))
    for match in LINK.finditer(prose):
        assert (path.parent / match["target"]).exists(), match["target"]


def test_output_belongs_to_the_program_that_prints_it() -> None:
    """A text block is a program's output only where the words before it say so."""
    document = (
        "```python\nprint(1)\n```\nIt prints:\n\n```text\n1\n```\n"
        "```python\nprint(2)\n```\nAn aside:\n\n```text\nx\n```\n"
    )
    assert [block.output for block in fenced_blocks(document, "x.md")] == ["1\n", None, None, None]


def test_document_without_blocks() -> None:
    """A document need not hold any block."""
    assert list(fenced_blocks("Just words.\n", "x.md")) == []


def test_readme_shows_a_program_with_its_output() -> None:
    """The parser finds what the README is about."""
    assert any(block.output for block in of_kind("python") if block.place.startswith("README"))
