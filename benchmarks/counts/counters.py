"""Counting in this process: bytecodes and calls, by function.

Nothing of it depends on the machine or the time. What a figure leaves out: whatever a run needs once, since it is the
difference between a run of `size` units and one of twice as many.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from contextlib import contextmanager
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import attrs
from trio._core import _run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from benchmarks.counts.runs import Run

__all__ = ["BYTECODES", "CALLS", "C_CALLS", "INSTRUCTIONS", "Figure", "count", "settled"]

BYTECODES: Final = "bytecodes"
CALLS: Final = "calls"
"""Of Python functions; a coroutine that is resumed counts as called."""
C_CALLS: Final = "C calls"
INSTRUCTIONS: Final = "instructions"
"""Of the processor, by callgrind."""


@attrs.frozen
class Figure:
    """What one unit of a run costs."""

    total: float
    functions: dict[str, float] = attrs.Factory(dict)
    """By function; empty where that is not known."""


@contextmanager
def settled() -> Iterator[None]:
    """Keep chance out: the garbage collector is off and has just run, and trio reverses the same batches each time."""
    chance: Any = getattr(_run, "_r", None)  # trio's own source of it, with no public equal; another trio may have none
    state = None if chance is None else chance.getstate()
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        if chance is not None:
            chance.seed(0)
        yield
    finally:
        if chance is not None:
            chance.setstate(state)
        if was_enabled:
            gc.enable()


def count(run: Run, counters: tuple[str, ...]) -> dict[str, Figure]:
    """Return what one unit of a run costs.

    Args:
        run: Is run twice; and once more before, so that what is made at the first use is there.
        counters: `(BYTECODES,)` or `(CALLS, C_CALLS)`: one looks at what the other would count.
    """
    counting = _count_bytecodes if counters == (BYTECODES,) else _count_calls
    run.prepare(run.size)()
    small, large = (_counted(counting, run.prepare(size)) for size in (run.size, 2 * run.size))
    return {counter: _per_unit(small[counter], large[counter], run.size) for counter in counters}


def _counted(counting: Callable[[Callable[[], object]], dict[str, Counter[str]]], do: Callable[[], object]) -> Any:  # noqa: ANN401 - as it returns
    with settled():
        return counting(do)


def _per_unit(small: Counter[str], large: Counter[str], units: int) -> Figure:
    differences = {name: (number - small[name]) / units for name, number in large.items() if number != small[name]}
    return Figure((large.total() - small.total()) / units, differences)


def _count_bytecodes(do: Callable[[], object]) -> dict[str, Counter[str]]:
    codes: Counter[CodeType] = Counter()
    if sys.version_info >= (3, 12):  # where tracing misses some and sees others twice
        _monitor(do, codes)
    else:
        _trace(do, codes)
    return {BYTECODES: _by_name(codes)}


def _trace(do: Callable[[], object], codes: Counter[CodeType]) -> None:
    def see(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - itself
        if event == "opcode":
            codes[frame.f_code] += 1
        return see

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:  # noqa: ANN401 - as above
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return see

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        do()
    finally:
        sys.settrace(before)


def _monitor(do: Callable[[], object], codes: Counter[CodeType]) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # new in Python 3.12
    tool, event = 4, monitoring.events.INSTRUCTION  # the number is one of those that belong to no kind of tool

    def see(code: CodeType, _offset: int) -> None:
        codes[code] += 1

    monitoring.use_tool_id(tool, __name__)
    monitoring.register_callback(tool, event, see)
    monitoring.set_events(tool, event)
    try:
        do()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)


def _count_calls(do: Callable[[], object]) -> dict[str, Counter[str]]:
    codes: Counter[CodeType] = Counter()
    built_in: Counter[str] = Counter()

    def see(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401 - depends on the event
        if event == "call":
            codes[frame.f_code] += 1
        elif event == "c_call":
            built_in[argument.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        do()
    finally:
        sys.setprofile(before)
    del built_in["setprofile"]
    return {CALLS: _by_name(codes), C_CALLS: built_in}


def _by_name(codes: Counter[CodeType]) -> Counter[str]:
    named: Counter[str] = Counter()
    for code, number in codes.items():
        named[f"{_module_of(code.co_filename)}.{code.co_qualname}"] += number
    return named


@cache
def _module_of(filename: str) -> str:
    """Return the dotted name of a module that can be imported, else the name of its file."""
    path = PurePath(filename)
    folders = [folder for folder in map(PurePath, filter(None, sys.path)) if path.is_relative_to(folder)]
    if not folders:
        return path.name
    nearest = max(folders, key=lambda folder: len(folder.parts))
    return ".".join(path.relative_to(nearest).with_suffix("").parts)
