"""Which lane holds up the whole. Pure.

The rule, which no other module may decide:

1. A place is *under pressure* in a look in which it is a full lane that senders had to wait for, or a subsystem whose
   answer another one waits for that does nothing else. It counts if that is so in at least `LEAST` of all looks.
2. Each such place is a beginning. From there it goes downstream: where the subsystem that should empty the lane, or
   answer, was itself waiting for room or for an answer, in at least half of those looks, the fault is not its own. The
   place at which it waited most often comes next, and so on.
3. Where that ends is a *limit*: a subsystem that had enough to do and was not kept from it. What leads to one of the
   places under the most pressure comes first.

A chain that comes back to a subsystem is a circle: its members hold up each other, and the place that closes it is
named.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from orchestra_trio.cli.bench.looking import Place

__all__ = ["LEAST", "Limit", "find_limits"]

LEAST: Final = 0.05
"""The share of looks below which a place does not count."""

_MOSTLY: Final = 0.5


@attrs.frozen
class Limit:
    """Where it is held up, and by whom."""

    chain: tuple[Place, ...]
    """From where the pressure was felt to where it comes from; the last one is the limit."""
    shares: tuple[float, ...]
    """For each place of the chain, the share of all looks in which it was full or waited for."""
    is_circle: bool = False
    """Whether the last place's subsystem waits for one before it in the chain, or for itself."""

    @property
    def place(self) -> Place:
        """The limit."""
        return self.chain[-1]

    @property
    def share(self) -> float:
        """The share of looks in which it was full or waited for."""
        return self.shares[-1]


def find_limits(
    looks: int,
    full: Mapping[Place, int],
    onwards: Mapping[Place, Mapping[Place, int]],
    pressing: Mapping[Place, int],
) -> tuple[Limit, ...]:
    """Return what holds up the whole, the strongest first, each subsystem once.

    Args:
        looks: How many there were.
        full: In how many of them each place was full or waited for.
        onwards: For each of these, in how many of its looks its subsystem waited at another place.
        pressing: In how many looks each place was under pressure: where to begin.
    """
    beginnings = [place for place, count in pressing.items() if count >= LEAST * looks]
    beginnings.sort(key=lambda place: -pressing[place])  # stable: of equals, the first that was seen
    found: dict[str, Limit] = {}
    for beginning in beginnings:
        chain, is_circle = _follow(beginning, full, onwards)
        limit = Limit(chain, tuple(full[place] / looks for place in chain), is_circle)
        known = found.get(limit.place.subsystem)
        # The longest way there tells the most; its rank is that of the strongest.
        if known is None or (len(chain) > len(known.chain) and set(known.chain) <= set(chain)):
            found[limit.place.subsystem] = limit
    return tuple(found.values())


def _follow(
    place: Place, full: Mapping[Place, int], onwards: Mapping[Place, Mapping[Place, int]]
) -> tuple[tuple[Place, ...], bool]:
    chain = [place]
    while True:
        following = onwards.get(chain[-1], {})
        if not following:
            return tuple(chain), False
        onward = max(following, key=lambda one: following[one])
        if following[onward] < _MOSTLY * full[chain[-1]]:
            return tuple(chain), False
        if onward.subsystem in {one.subsystem for one in chain}:
            return tuple(chain), True
        chain.append(onward)
