"""What goes along the links of a topology: packets and queries, one class of each for every node, and signals."""

from __future__ import annotations

import types
from typing import Any, Final

import attrs

from orchestra_trio.delivery.oneshot import OneshotSender  # noqa: TC001 - attrs classes may be asked for their types

__all__ = ["MOST_NODES", "PACKETS", "QUERIES", "SIGNALS", "Packet", "Pulse", "Query"]

MOST_NODES: Final = 8
"""How many slots a topology can have."""


@attrs.frozen
class Packet:
    """A message that is passed on from node to node; each node consumes a class of its own."""

    number: int
    """Tells packets apart."""

    hops: int = 0
    """How often it is to be passed on."""

    is_high: bool = False
    """Whether it is passed on with high priority."""


@attrs.frozen
class Query:
    """A request that is passed on like a packet, once it is answered with its number."""

    reply: OneshotSender[int]
    """Takes the answer."""

    number: int
    """As in a packet."""

    hops: int = 0
    """As in a packet."""

    is_high: bool = False
    """As in a packet; requests themselves have no priority."""


@attrs.frozen
class Pulse:
    """A signal."""

    number: int = 0
    """Tells signals apart."""


def _subclasses(base: type, names: list[str]) -> tuple[Any, ...]:
    return tuple(types.new_class(name, (base,), exec_body=_in_this_module) for name in names)


def _in_this_module(body: dict[str, Any]) -> None:
    body.update(__module__=__name__, __slots__=())


PACKETS: Final[tuple[type[Packet], ...]] = _subclasses(Packet, [f"Packet{number}" for number in range(MOST_NODES)])
"""What each node consumes."""

QUERIES: Final[tuple[type[Query], ...]] = _subclasses(Query, [f"Query{number}" for number in range(MOST_NODES)])
"""What each node answers."""

SIGNALS: Final[tuple[type[Pulse], ...]] = _subclasses(Pulse, ["PulseA", "PulseB"])
"""The signals of all topologies."""
