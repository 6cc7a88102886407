"""What faults do to lists, written independently of them: plain loops over what comes in, drawing from `Random`."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import attrs

from orchestra_trio.testing.faults.chances import Direction, drop, duplicate, reorder
from tests.testing.faults.lines import LANES, AnyFault

Model: TypeAlias = Callable[[list[Any]], list[Any]]


@attrs.frozen
class Struck:
    """Which messages are struck."""

    types: tuple[type, ...]
    probability: float | None
    every: int | None
    seed: int

    def flags(self, messages: list[Any]) -> list[bool]:
        random, matched, flags = Random(self.seed), 0, []
        for one in messages:
            flag = False
            if not self.types or type(one) in self.types:
                matched += 1
                if self.every is not None:
                    flag = matched % self.every == 0
                else:
                    flag = random.random() < (1 if self.probability is None else self.probability)
            flags.append(flag)
        return flags

    @property
    def options(self) -> dict[str, Any]:
        return {"probability": self.probability, "every": self.every, "seed": self.seed}


def dropped(struck: Struck, messages: list[Any]) -> list[Any]:
    return [one for one, flag in zip(messages, struck.flags(messages), strict=True) if not flag]


def duplicated(struck: Struck, messages: list[Any]) -> list[Any]:
    flags = struck.flags(messages)
    return [copy for one, flag in zip(messages, flags, strict=True) for copy in [one] * (1 + flag)]


def reordered(types: tuple[type, ...], window: int, seed: int, messages: list[Any]) -> list[Any]:
    """Through a window that moves on by one each time: the first changes places with one of its lane and kind."""
    random, rest, out = Random(seed), list(messages), []
    while rest:
        chosen = 0
        if not types or type(rest[0]) in types:
            places = [
                place
                for place in range(min(window, len(rest)))
                if rest[place].lane == rest[0].lane and (not types or type(rest[place]) in types)
            ]
            chosen = places[random.randrange(len(places))]
        rest[0], rest[chosen] = rest[chosen], rest[0]
        out.append(rest.pop(0))
    return out


@attrs.frozen
class Fault:
    """A fault, and what it does to a list."""

    wrap: AnyFault
    model: Model
    name: str


def drops(struck: Struck, on: Direction) -> Fault:
    return Fault(
        lambda one: drop(one, *struck.types, **struck.options, on=on),
        lambda one: dropped(struck, one),
        f"drop {struck}",
    )


def duplicates(struck: Struck, on: Direction) -> Fault:
    return Fault(
        lambda one: duplicate(one, *struck.types, **struck.options, on=on),
        lambda one: duplicated(struck, one),
        f"duplicate {struck}",
    )


def reorders(types: tuple[type, ...], window: int, seed: int, on: Direction) -> Fault:
    return Fault(
        lambda one: reorder(one, *types, window=window, seed=seed, on=on),
        lambda one: reordered(types, window, seed, one),
        f"reorder {types} {window} {seed}",
    )


def as_the_lanes_are_served(messages: list[Any]) -> list[Any]:
    """The order in which a sink gets what was all there when it began."""
    return [one for lane in LANES for one in messages if one.lane == lane]
