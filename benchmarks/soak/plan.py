"""What one round is to be like: drawn from the seed and the number of the round alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias, get_args

import attrs

from benchmarks.soak.storm import CAPACITIES
from benchmarks.soak.traffic import Traffic

if TYPE_CHECKING:
    from benchmarks.soak.ledger import Ledger

__all__ = ["Plan", "Way"]

Way: TypeAlias = Literal[
    "leave", "close the input", "terminate", "cancel", "cancel from outside", "fail in a subsystem", "fail in the block"
]
"""How a round ends."""

_GRACES: Final = (0, 0.002, 0.02, 60)
_SWITCHES: Final = (0.005, 0.0001, 0.000001)


@attrs.frozen
class Plan:
    """One round."""

    seed: int
    number: int
    """Of the round, from 1."""
    way: Way
    capacity: int
    """Of every bounded lane, in messages."""
    load: int
    """How often the source sends."""
    feeds: int
    """How often each of those who feed from outside does."""
    hops: int
    """How many messages may follow from one, one after another."""
    hiccups: float
    """The probability that handling a message fails."""
    cuts: float
    """The probability that a step has a time limit, where it need not have one."""
    naps: float
    """The probability that handling a message takes a while."""
    burst: int
    """How many messages are sent at once, at the most."""
    pause: float
    """Seconds until the round is ended."""
    grace: float
    """Seconds, where it is terminated."""
    switch: float
    """Seconds after which the interpreter looks for another thread to run: the fewer, the more orders there are."""
    collects: bool
    """Whether garbage is collected on the way: nobody should have to wait for that."""
    dumps: bool
    """Whether somebody asks for a dump on the way."""

    @classmethod
    def draw(cls, seed: int, number: int) -> Self:
        """Return the plan of one round."""
        chance = random.Random(f"{seed}/{number}")
        return cls(
            seed=seed,
            number=number,
            way=chance.choice(get_args(Way)),
            capacity=chance.choice(list(CAPACITIES)),
            load=chance.choice([chance.randint(0, 20), chance.randint(20, 150)]),
            feeds=chance.randint(0, 12),
            hops=chance.randint(0, 5),
            hiccups=chance.choice([0, 0.01, 0.05]),
            cuts=chance.choice([0, 0.1, 0.5]),
            naps=chance.choice([0, 0.1]),
            burst=chance.choice([6, 6, 100]),
            pause=chance.choice([0, chance.uniform(0, 0.005), chance.uniform(0, 0.03)]),
            grace=chance.choice(_GRACES),
            switch=chance.choice(_SWITCHES),
            collects=chance.choice([True, False]),
            dumps=chance.random() < 0.05,  # noqa: PLR2004 - each costs a millisecond for every task
        )

    def make_traffic(self, ledger: Ledger) -> Traffic:
        """Return the traffic of the round, which is drawn from the same."""
        chance = random.Random(f"{self.seed}/{self.number}/traffic")
        return Traffic(ledger, chance, self.hiccups, self.cuts, self.naps, self.burst)
