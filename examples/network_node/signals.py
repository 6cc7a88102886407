"""What everybody is told, and the events that it is told about."""

from __future__ import annotations

import attrs

__all__ = ["ActiveLeaves", "BlockFinalized", "BlockImported", "Conclude", "FinalityReached"]


# Signals


@attrs.frozen
class ActiveLeaves:
    """There is a new block to build on."""

    activated: int
    deactivated: int


@attrs.frozen
class BlockFinalized:
    """A block will never be taken back."""

    number: int


@attrs.frozen
class Conclude:
    """Begin nothing new."""


# Events


@attrs.frozen
class BlockImported:
    """The node's database has a new block."""

    number: int


@attrs.frozen
class FinalityReached:
    """Enough validators have voted for a block."""

    number: int
