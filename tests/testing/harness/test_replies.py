"""The reply end is found in whatever a message is made of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import pytest
import trio

from orchestra_trio import OneshotSender, open_oneshot
from orchestra_trio.testing.harness.replies import reply_end_of
from tests.runtime.samples import Item

if TYPE_CHECKING:
    from collections.abc import Callable


class Tupled(NamedTuple):
    key: str
    reply: OneshotSender[int]


@attrs.frozen
class Slotted:
    key: str
    _reply: OneshotSender[int]


@attrs.frozen(slots=False)
class WithDict:
    key: str
    reply: OneshotSender[int]


@dataclasses.dataclass
class Data:
    key: str
    reply: OneshotSender[int]


class Child(Slotted):
    """Inherits a slot, and has attributes of its own."""


class OneSlot:
    __slots__ = "reply"  # noqa: PLC0205 - Python allows it

    def __init__(self, _: str, reply: OneshotSender[int]) -> None:
        self.reply = reply


class Pair(NamedTuple):
    first: Any
    second: Any


@pytest.mark.parametrize("make", [Tupled, Slotted, WithDict, Data, Child, OneSlot])
async def test_it_is_found(make: Callable[[str, OneshotSender[int]], object]) -> None:
    await trio.lowlevel.checkpoint()
    reply, answer = open_oneshot[int]("question")
    message = make("key", reply)
    assert reply_end_of(message) is reply
    assert reply_end_of(message).send(3)
    assert answer.receive_nowait() == 3


async def test_one_that_is_there_twice_is_one() -> None:
    await trio.lowlevel.checkpoint()
    reply, _ = open_oneshot[int]("question")
    assert reply_end_of(Pair(reply, reply)) is reply


async def test_several_are_refused() -> None:
    await trio.lowlevel.checkpoint()
    one, _ = open_oneshot[int]("one")
    other, _ = open_oneshot[int]("other")
    with pytest.raises(
        ValueError, match="a Pair carries several reply ends, first, second: send on the one that is meant"
    ):
        reply_end_of(Pair(one, other))


@pytest.mark.parametrize("message", [Item(1), 3, "text", None, Pair(1, 2)])
def test_none_is_refused(message: object) -> None:
    with pytest.raises(ValueError, match="carries no reply end: only requests can be answered"):
        reply_end_of(message)
