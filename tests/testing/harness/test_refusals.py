"""What `open_harness` and the calls of a harness refuse, and in which words."""

from __future__ import annotations

import inspect
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from orchestra_trio import Orchestra
from orchestra_trio.testing.harness.declaring import SubjectOptions
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Collect, Item, Other, Solo, idle
from tests.testing.harness.samples import relay

if TYPE_CHECKING:
    from trio.testing import MockClock


def test_options_that_there_are_not_are_refused() -> None:
    with pytest.raises(TypeError, match=r"open_harness\(\) has no option 'capacity'; write"):
        open_harness(relay, capacity=3)  # type: ignore[call-overload]  # that is the point


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("consume", "consumes"),
        ("signal", "signals"),
        ("send", "sends"),
        ("peer_capacitie", "peer_capacity"),
        ("withn", "within"),
        ("selekt", "select"),
    ],
)
def test_a_wrong_name_is_compared_with_all_options(wrong: str, meant: str) -> None:
    """Those of the harness as well as those of the slot."""
    with pytest.raises(TypeError, match=rf"open_harness\(\) has no option '{wrong}'; write .*\b{meant}\b"):
        open_harness(relay, **{wrong: Item})  # type: ignore[call-overload]  # that is the point


def test_the_compared_options_are_those_of_the_signature() -> None:
    with pytest.raises(TypeError, match="its options are ") as caught:
        open_harness(relay, xyz=3)  # type: ignore[call-overload]  # that is the point
    listed = str(caught.value).partition("its options are ")[2].split(", ")
    own = [name for name, one in inspect.signature(open_harness).parameters.items() if one.kind is one.KEYWORD_ONLY]
    assert sorted(listed) == sorted([*own, *SubjectOptions.__optional_keys__])


@pytest.mark.parametrize(
    "slot",
    ["worker", (relay, "worker"), Solo, (Solo,), (Solo, 1), (Orchestra, "worker"), [Solo, "worker"]],
    ids=["name", "no class", "class", "one", "no name", "base", "list"],
)
def test_a_slot_is_told_by_class_and_name(slot: Any) -> None:  # noqa: ANN401 - of any type
    with pytest.raises(TypeError) as caught:
        open_harness(relay, slot=slot)
    assert str(caught.value) == f"slot must be (an orchestra's class, the name of its slot), not {slot!r}"


def test_an_orchestra_is_no_class_of_one() -> None:
    solo: Any = Solo(worker=idle)
    with pytest.raises(TypeError, match=r"slot must be \(an orchestra's class, the name of its slot\), not \("):
        open_harness(relay, slot=(solo, "worker"))


def test_a_harness_must_have_time() -> None:
    with pytest.raises(ValueError, match="within must be above 0 seconds, not 0"):
        open_harness(relay, within=0)


TIMES = pytest.mark.parametrize(
    ("within", "error"), [(-1, ValueError), (math.nan, ValueError), ("1", TypeError), (True, TypeError)]
)


@TIMES
def test_a_time_that_is_none_is_refused(within: Any, error: type[Exception]) -> None:  # noqa: ANN401 - of any type
    with pytest.raises(error) as caught:
        open_harness(relay, within=within)
    assert str(caught.value) == f"within must be a number of seconds, at least 0, not {within!r}"


@TIMES
async def test_a_time_that_is_none_is_refused_by_each_call(
    within: Any,  # noqa: ANN401 - of any type
    error: type[Exception],
    autojump_clock: MockClock,
) -> None:
    async with open_harness(relay) as harness:
        calls: list[Any] = [
            partial(harness.send, Item(1)),
            partial(harness.send_many, []),
            partial(harness.expect, Other),
            partial(harness.expect_many, Other, 2),
            partial(harness.expect_unordered, Other),
            harness.expect_nothing,
            harness.expect_end,
            harness.wait_at_rest,
            partial(harness.wait_epoch, 0),
        ]
        for call in calls:
            with pytest.raises(error, match="within must be a number of seconds, at least 0, not"):
                await call(within=within)
        with pytest.raises(error, match="within must be a number of seconds, at least 0, not"):
            async with harness.expect_error(KeyError, within=within):
                """Not reached."""


def test_what_is_no_subsystem_is_refused() -> None:
    """With words that say what to give instead, whether or not types are given."""
    anything: Any = Collect
    with pytest.raises(TypeError, match=r"^open_harness: the class Collect is no subsystem: give an object, Collect\("):
        open_harness(anything, consumes=Item, sends=Other)
    anything = idle(anything)
    with pytest.raises(TypeError, match=r"^open_harness: a coroutine is no subsystem: give the async function itself"):
        open_harness(anything)
    anything = Solo(worker=idle)
    with pytest.raises(
        TypeError, match=r"^open_harness: the whole orchestra Solo is no subsystem: give one of its subsystems"
    ):
        open_harness(anything)
