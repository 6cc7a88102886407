"""A wiring with one finding of each kind."""

from __future__ import annotations

from typing import NamedTuple

from orchestra_trio import Orchestra, Subsystem, subsystem


class Start(NamedTuple):
    """Only the embedding program sends it."""


class A(NamedTuple):
    """On the cycle."""


class B(NamedTuple):
    """On the cycle."""


class C(NamedTuple):
    """On the cycle, where it makes nobody wait."""


class Lost(NamedTuple):
    """Nobody consumes it."""


class X(NamedTuple):
    """It goes between two to which nothing comes."""


class Y(NamedTuple):
    """It goes back between them."""


class Knots(Orchestra, unconsumed="allow"):
    """One finding of each kind."""

    start: Subsystem[Start | C, A]
    a: Subsystem[A, B | Lost]
    b: Subsystem[B, A | C] = subsystem(unbounded={C: "one for each A"})
    x: Subsystem[X, Y] = subsystem(unbounded={Y: "the tests"})
    y: Subsystem[Y, X]
