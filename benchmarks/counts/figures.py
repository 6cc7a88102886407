"""The stored figures: a JSON file for each minor version of Python."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from benchmarks.counts.counters import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SHARE", "STORED", "Counted", "FiguresBroken", "Versions", "find_file", "load", "merge", "save"]

STORED: Final = Path(__file__).parent / "stored"

SHARE: Final = 0.005
"""The share of a figure from which a function is stored with it."""


@attrs.frozen
class Versions:
    """With what figures were counted."""

    python: str
    """The minor version: 3.11."""
    build: str
    """The interpreter: its version, when and by which compiler it was built, and for which machine."""
    trio: str

    @classmethod
    def here(cls) -> Versions:
        """Return what this process runs with."""
        version = " ".join(sys.version.split())
        return cls(
            f"{sys.version_info.major}.{sys.version_info.minor}", f"{version} {platform.machine()}", trio.__version__
        )


@attrs.frozen
class Counted:
    """The figures of one counter."""

    versions: Versions
    figures: Mapping[str, Figure]
    """By run."""


class FiguresBroken(Exception):
    """A file of stored figures cannot be read; what it says is one line."""


def find_file(folder: Path, python: str) -> Path | None:
    """Return the file of a minor version of Python, else that of the nearest one; None if there is none at all."""
    files = {_numbers(file.stem): file for file in folder.glob("*.json") if re.fullmatch(r"3\.\d+", file.stem)}
    wanted = _numbers(python)
    nearest = min(files, key=lambda version: (abs(version - wanted), version), default=None)
    return None if nearest is None else files[nearest]


def _numbers(python: str) -> int:
    major, minor = python.split(".")
    return int(major) * 1_000 + int(minor)


def load(file: Path) -> dict[str, Counted]:
    """Return what a file holds, by counter.

    Raises:
        FiguresBroken: It cannot be read, or holds something else.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
        return {counter: _counted(**one) for counter, one in data.items()}
    except OSError as error:
        raise FiguresBroken(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # what is no JSON, or is none of ours
        raise FiguresBroken(f"{file} holds no figures: {error}; store new ones with --update") from error


def _counted(versions: dict[str, str], figures: dict[str, dict[str, Any]]) -> Counted:
    for figure in figures.values():
        if not all(isinstance(number, (int, float)) for number in (figure["total"], *figure["functions"].values())):
            message = "a figure is not a number"
            raise TypeError(message)
    return Counted(Versions(**versions), {run: Figure(**figure) for run, figure in figures.items()})


def merge(kept: Mapping[str, Counted], counted: Mapping[str, Counted]) -> dict[str, Counted]:
    """Return what is to be stored: what was counted, and as it is what could not be."""
    return {**kept, **counted}


def save(file: Path, counted: Mapping[str, Counted]) -> None:
    """Write figures to a file, with the functions that matter.

    Raises:
        OSError: It cannot be written.
    """
    data = {
        counter: {
            "versions": attrs.asdict(one.versions),
            "figures": {run: _to_data(figure) for run, figure in one.figures.items()},
        }
        for counter, one in counted.items()
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def _to_data(figure: Figure) -> dict[str, Any]:
    largest_first = sorted(figure.functions.items(), key=lambda one: (-one[1], one[0]))
    functions = {name: round(number, 4) for name, number in largest_first if number >= SHARE * figure.total}
    return {"total": round(figure.total, 6), "functions": functions}
