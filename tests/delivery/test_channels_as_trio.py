"""trio's own tests of its memory channels, run on metered channels.

A copy of trio's test module is executed under another name, in which `trio.open_memory_channel` is ours. trio itself,
for everybody else, stays as it is.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import types
from pathlib import Path
from typing import Any

import trio
import trio._tests

from orchestra_trio.delivery.ends import MeteredSender
from orchestra_trio.delivery.open_channels import open_metered_channel

_SOURCE = "trio._tests.test_channel"
_COPY = "trio._tests.test_channel_on_metered_channels"


class _TrioWithMeteredChannels(types.ModuleType):
    """trio, but for its channels."""

    open_memory_channel = open_metered_channel

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever trio has
        return getattr(trio, name)


def _load_copy() -> types.ModuleType:
    """Execute the module's source with our trio in its place."""
    spec = importlib.util.find_spec(_SOURCE)
    assert spec is not None
    assert spec.origin is not None
    copy = importlib.util.module_from_spec(importlib.util.spec_from_file_location(_COPY, spec.origin))  # type: ignore[arg-type]  # it is there
    stand_in = _TrioWithMeteredChannels("trio")
    real = sys.modules["trio"]
    sys.modules["trio"] = stand_in
    try:
        assert copy.__loader__ is not None
        copy.__loader__.exec_module(copy)  # type: ignore[attr-defined]  # a loader of source can
    finally:
        sys.modules["trio"] = real
    return copy


_copy = _load_copy()
_tests = {name: test for name, test in vars(_copy).items() if name.startswith("test_")}
globals().update(_tests)


def test_all_of_trios_tests_are_here() -> None:
    """So many, and with these among them, that none can have been lost on the way."""
    source = importlib.util.find_spec(_SOURCE)
    assert source is not None
    assert source.origin is not None
    names = set(
        re.findall(r"^(?:async )?def (test_\w+)", Path(source.origin).read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(_tests) == names
    assert set(_tests) <= set(globals())
    assert len(_tests) >= 20
    assert {"test_channel", "test_channel_fairness", "test_close_basics", "test_statistics", "test_unbuffered"} <= names
    assert all(inspect.iscoroutinefunction(inspect.unwrap(test)) for test in _tests.values())


def test_they_run_on_metered_channels_and_trio_is_as_it_was() -> None:
    for opened in (_copy.open_memory_channel[int](1), _copy.trio.open_memory_channel[int](1)):
        assert isinstance(opened[0], MeteredSender)
    sender, _ = trio.open_memory_channel[int](1)
    assert isinstance(sender, trio.MemorySendChannel)
    assert not hasattr(trio._tests, _COPY.rpartition(".")[2])
    assert _COPY not in sys.modules
