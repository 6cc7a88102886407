"""What is asked of schedules is looked at before anything runs: misuse passes neither for a finding nor for none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import testing
from orchestra_trio.testing import Schedule, Uniform, schedules

if TYPE_CHECKING:
    from collections.abc import Callable


# Arguments are to be of wrong types here, too.
explore: Any = testing.explore
replay: Any = testing.replay


async def rest() -> None:
    await trio.lowlevel.checkpoint()


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lag": -1}, ValueError, "^lag must be at least 0, not -1$"),
    ({"lag": "a"}, TypeError, "^lag must be an integer, not 'a'$"),
    ({"most_steps": 0}, ValueError, "^most_steps must be at least 1, not 0$"),
    ({"most_steps": "a"}, TypeError, "^most_steps must be an integer, not 'a'$"),
    ({"strategy": Uniform}, TypeError, r"^the class Uniform is no strategy: give an object, Uniform\(\)$"),
    ({"strategy": 3}, TypeError, r"^3 is no strategy: give one such as Uniform\(\) or Priorities\(\)$"),
]


@pytest.mark.parametrize(("wrong", "error", "text"), WRONG, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("function", [partial(explore, rest), schedules, partial(replay, rest, 1)])
def test_options_are_checked(
    function: Callable[..., object], wrong: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        function(**wrong)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: explore(rest, schedules=0), ValueError, "^schedules must be at least 1, not 0$"),
        (lambda: explore(rest, seed="x"), TypeError, "^seed must be an integer, not 'x'$"),
        (lambda: replay(rest, 2.0), TypeError, "it must be an integer, not 2.0$"),
        (lambda: replay(rest, "20"), ValueError, "; a seed is written without quotes$"),
        (lambda: replay(rest, "9-3:1"), ValueError, "^'9-3:1' ends before it begins: write '3-9:1'$"),
        (lambda: Schedule("9:cancel 10:cancel"), ValueError, "^'10:cancel' is a second cancellation"),
        (lambda: explore(3), TypeError, r"^explore\(\) needs an async function, not an int$"),
        (lambda: explore(lambda: 3), TypeError, "returned an int: make it an async function"),
        (
            lambda: explore(rest()),
            TypeError,
            r"calls the function itself, many times: give rest, not rest\(\)$",
        ),
    ],
    ids=range(9),
)
def test_misuse_says_what_to_do(call: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("function", [explore, Schedule().run, partial(replay, schedule="")])
async def test_schedules_run_trio_themselves(function: Callable[..., object]) -> None:
    await trio.lowlevel.checkpoint()
    with pytest.raises(RuntimeError, match="runs trio itself: call it from a sync function") as caught:
        function(rest)
    assert not hasattr(caught.value, "__notes__"), "it is no finding"


def test_a_schedule_that_ran_with_arguments_is_replayed_with_them() -> None:
    async def fail(number: int) -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError(number)

    with pytest.raises(LookupError) as caught:
        Schedule("5:1").run(fail, 3)
    assert caught.value.__notes__[-1].endswith('to run it again: Schedule("").run(fail, ...)')


def test_what_has_no_name_leaves_a_gap() -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError

    with pytest.raises(LookupError) as caught:
        Schedule().run(partial(fail))
    assert caught.value.__notes__[-1].endswith('to run it again: replay(..., "")')
