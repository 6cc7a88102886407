"""Figures of all kinds together, and how some of them are chosen by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.harness.kinds import Growth, Peer, Quantity, QuantityPeer, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Suite"]


@attrs.frozen
class Suite:
    """What is, or may be, measured. Names are unique among all kinds."""

    works: Sequence[Work] = ()
    growths: Sequence[Growth] = ()
    quantities: Sequence[Quantity] = ()

    @property
    def names(self) -> list[str]:
        """Of all of them, in the order in which they are measured and shown."""
        return [one.name for kind in (self.works, self.growths, self.quantities) for one in kind]

    @property
    def packages(self) -> list[str]:
        """What the peers need, in order, each once, installed or not."""
        return list(dict.fromkeys(peer.package for peer in self._peers() if peer.package))

    @property
    def missing_packages(self) -> list[str]:
        """What is not installed, and keeps peers from being measured."""
        return sorted({peer.package for peer in self._peers() if peer.package and peer.is_missing})

    def like(self, part: str) -> Suite:
        """Return those whose name contains `part`; whether its letters are small or capital plays no role."""
        return self._where(lambda one: part.casefold() in one.name.casefold())

    def named(self, names: Sequence[str]) -> Suite:
        """Return those with one of these names."""
        return self._where(lambda one: one.name in names)

    def meant_for(self, *, public_only: bool) -> Suite:
        """Return those that a process measures in which the library uses trio's public interface alone, or may not."""
        return self._where(lambda one: (isinstance(one, Work) and one.public_only) is public_only)

    def _peers(self) -> list[Peer | QuantityPeer]:
        of_works = [peer for work in self.works for peer in work.peers]
        return [*of_works, *(peer for quantity in self.quantities for peer in quantity.peers)]

    def _where(self, matches: Callable[[Work | Growth | Quantity], bool]) -> Suite:
        return Suite(
            [one for one in self.works if matches(one)],
            [one for one in self.growths if matches(one)],
            [one for one in self.quantities if matches(one)],
        )
