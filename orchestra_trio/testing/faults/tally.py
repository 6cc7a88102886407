"""What became of the messages that came to a fault, in one direction."""

from __future__ import annotations

import attrs

__all__ = ["Tally"]


@attrs.define
class Tally:
    """What became of the messages that came to a fault, in one direction.

    At every moment, `seen + added == passed + dropped + held + lost`. A message that was not accepted, since its
    `send` was cancelled or refused, does not count.
    """

    seen: int = 0
    """Messages that came to it."""
    added: int = 0
    """Messages that it has put in beyond them: copies, and the second and further ones in the place of one."""
    passed: int = 0
    """Messages that went on."""
    dropped: int = 0
    """Messages in whose place none went on, and copies for which there was no room at once."""
    lost: int = 0
    """Messages that it held back when the subsystem ended, or that failed in a hook."""

    @property
    def held(self) -> int:
        """Messages that it holds back now."""
        return self.seen + self.added - self.passed - self.dropped - self.lost

    def read(self) -> Tally:
        """Return how it stands now."""
        return attrs.evolve(self)
