"""What is kept of a run, in memory and as JSON.

The JSON is one object:

* `schema`: 2, the version of this description;
* `quick`: whether it was a quick run, whose figures mean nothing;
* `machine`: `cpu`, `cores`, `system`, `python`, and `packages`, the version of each that is installed, by name;
* `processes`, `rounds`: how many processes measured, and how many rounds each;
* `private_in_use`: whether the library uses what is private to trio (but for the work that is about not using it);
* `missing`: packages of peers that are not installed, so that there is no row for those;
* `rows`: the works, a list of objects with

  * `work`, `peer`: their names; `unit`: what `ours_us` and `peer_us` count;
  * `ours_us`, `peer_us`: microseconds per unit, each in its best round;
  * `ratio`: how many times the peer's throughput ours is: `peer_us / ours_us`;
  * `lowest`, `highest`: of the ratios within one round;
  * `at_least`: the goal for the ratio, or null; `is_reached`: whether the ratio is at it, or null;
  * `ours_by_process`, `peer_by_process`: the best round of each process;

* `growths`: a list of objects with

  * `growth`: its name; `unit`: what a size counts;
  * `sizes`: a list of objects with `size`, `us`, the microseconds per unit in the best round, and `by_process`;
  * `small`, `large`: the sizes that are compared; `times`: how many times the figure at the small size that at the
    large one is, `lowest` and `highest`: of that within one round; null if one of the sizes was not measured;
  * `at_most`: the goal for `times`, or null; `is_reached`: whether it is no more than that, or null;

* `quantities`: a list of objects with

  * `quantity`: its name; `label`: what is measured of it; `whose`: "ours", or the name of a peer; `unit`;
  * `figure`, `highest`: in the best round and in the worst; the lower, the better; `by_process`;
  * `ratio`: how many times ours the peer's figure is, or null.
"""

import json
import math
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

import attrs

from benchmarks.harness import GrowthRow, QuantityRow, Row
from benchmarks.report.machine import Machine

__all__ = ["Report", "UnreadableError", "as_data", "from_data", "load"]

SCHEMA: Final = 2


class UnreadableError(Exception):
    """A file holds no run of the benchmarks, or cannot be read; the message is one line."""


@attrs.frozen
class Report:
    """One run of the benchmarks."""

    machine: Machine
    quick: bool
    processes: int
    rounds: int
    private_in_use: bool
    missing: list[str]
    rows: list[Row]
    growths: list[GrowthRow]
    quantities: list[QuantityRow]


def as_data(report: Report) -> dict[str, Any]:
    """Return what is written as JSON; see the module's head."""
    return {
        "schema": SCHEMA,
        **attrs.asdict(report),
        "rows": [{**attrs.asdict(row), "is_reached": row.is_reached} for row in report.rows],
        "growths": [{**attrs.asdict(row), "is_reached": row.is_reached} for row in report.growths],
    }


def from_data(data: object) -> Report:
    """Return what `as_data` was given; what can be worked out from the rest, such as `is_reached`, plays no role.

    Raises:
        UnreadableError: It is something else.
    """
    if not isinstance(data, dict) or "schema" not in data:
        raise UnreadableError("is not written by these benchmarks")
    if data["schema"] != SCHEMA:
        raise UnreadableError(f"has schema {data['schema']!r}, not {SCHEMA}")
    return cast("Report", _structure(Report, data, "the run"))


def load(file: Path) -> Report:
    """Read a run.

    Raises:
        UnreadableError: As of `from_data`, or the file cannot be read, or is no JSON.
    """
    try:
        return from_data(json.loads(file.read_text("utf-8")))
    except OSError as error:
        raise UnreadableError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:  # of the encoding, too
        raise UnreadableError(f"{file} is no JSON") from error
    except UnreadableError as error:
        raise UnreadableError(f"{file} {error}") from error


def _structure(kind: Any, data: object, where: str) -> Any:  # noqa: ANN401 - annotations are values of any type
    """Return the data as what the annotation says."""
    origin, arguments = get_origin(kind), get_args(kind)
    if attrs.has(kind) and isinstance(data, dict):
        fields = attrs.fields_dict(attrs.resolve_types(kind))
        if missing := fields.keys() - data.keys():
            raise UnreadableError(f"lacks {min(missing)!r} in {where!r}")
        return kind(**{name: _structure(field.type, data[name], name) for name, field in fields.items()})
    if origin is list and isinstance(data, list):
        return [_structure(arguments[0], one, where) for one in data]
    if origin is dict and isinstance(data, dict):
        return {key: _structure(arguments[1], one, where) for key, one in data.items()}
    if origin in {Union, UnionType} and NoneType in arguments:
        return None if data is None else _structure(arguments[0], data, where)
    if kind is float and isinstance(data, int | float):
        is_valid = math.isfinite(data) and not isinstance(data, bool)
    else:
        is_valid = type(data) is kind
    if is_valid:
        return data
    raise UnreadableError(f"has an unexpected {where!r}")
