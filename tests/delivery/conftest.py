"""Fixtures for both ways in which the library uses trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.delivery.copies import load_copy

if TYPE_CHECKING:
    import types


@pytest.fixture(params=["private", "public"])
def internals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module, each way."""
    if request.param == "private":
        copy = load_copy(monkeypatch)
        assert copy.PRIVATE_IN_USE
    else:
        copy = load_copy(monkeypatch, ORCHESTRA_TRIO_PUBLIC_ONLY="1")
        assert not copy.PRIVATE_IN_USE
    return copy
