"""Fresh copies of the module that uses what is private to trio, as it would be in other surroundings."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import TYPE_CHECKING

from orchestra_trio.delivery import trio_internals

if TYPE_CHECKING:
    import pytest

__all__ = ["RUN", "load_copy"]

RUN = "trio._core._run"
"""The module of trio that it looks into."""


def load_copy(monkeypatch: pytest.MonkeyPatch, **changes: object) -> types.ModuleType:
    """Import a fresh copy of the module.

    Args:
        monkeypatch: Changes the environment during the import.
        changes: The environment variable, or parts of trio's `_run`: None is without.
    """
    with monkeypatch.context() as patch:
        patch.delenv("ORCHESTRA_TRIO_PUBLIC_ONLY", raising=False)
        parts = {}
        for name, value in changes.items():
            if name == "ORCHESTRA_TRIO_PUBLIC_ONLY":
                patch.setenv(name, str(value))
            else:
                parts[name] = value
        if parts:
            altered = types.ModuleType(RUN)
            vars(altered).update({**vars(sys.modules[RUN]), **parts})
            for name in [name for name, value in parts.items() if value is None]:
                delattr(altered, name)
            patch.setitem(sys.modules, RUN, altered)
            patch.setattr(sys.modules["trio._core"], "_run", altered)
        spec = importlib.util.spec_from_file_location(trio_internals.__name__, trio_internals.__file__)
        assert spec is not None
        assert spec.loader is not None
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
    return copy
