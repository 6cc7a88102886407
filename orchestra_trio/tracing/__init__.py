"""What a running orchestra does, as traces of OpenTelemetry.

Needs the extra `tracing`: `pip install 'orchestra-trio[tracing]'`, which is OpenTelemetry's API; `SampledBySender`, and
whoever wants to see any spans, needs its SDK too. Reads the orchestra through its public face only; nothing in the core
knows of it.

Modules, each importing only from those before it: `account` (which message lies where, and who sent it), `current`
(what is current in tasks and threads), `spans` (what spans look like), `instrumenting`; and `sampling`, on its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from orchestra_trio.tracing.instrumenting import instrument_orchestra

if TYPE_CHECKING:
    from orchestra_trio.tracing.sampling import SampledBySender

__all__ = ["SampledBySender", "instrument_orchestra"]


def __getattr__(name: str) -> object:
    """Import what needs the SDK.

    Raises:
        AttributeError: There is no such name.
        ImportError: The SDK is not installed.
    """
    if name != "SampledBySender":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("orchestra_trio.tracing.sampling"), name)
