"""What a slot says about failures that its subsystem may survive."""

from __future__ import annotations

import math
import random
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Restart, fresh, subsystem
from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.checks import check_restart_groups
from tests.wiring.samples import Fetch, Parse, Sample, Subsystem, facts, make_slot, scope


def test_the_defaults_are_three_failures_a_minute() -> None:
    restart = Restart()
    assert (restart.max_restarts, restart.within) == (3, 60)
    assert (restart.backoff, restart.factor, restart.max_backoff, restart.jitter) == (0.1, 2, 30, 0)
    assert (restart.on, restart.order) == (Exception, "all")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        restart.within = 3  # type: ignore[misc]  # what is refused here


@given(st.integers(0, 50), st.integers(1, 4), st.integers(0, 1000), st.integers(1, 12))
def test_the_backoff_grows_by_its_factor_up_to_its_most(backoff: int, factor: int, most: int, failures: int) -> None:
    """As an oracle says that multiplies step by step."""
    grown = backoff
    for _ in range(failures - 1):
        grown *= factor
    restart = Restart(backoff=backoff, factor=factor, max_backoff=most)
    assert restart.delay(failures) == min(grown, most)


@pytest.mark.parametrize("factor", [10, 10.0, math.inf])
def test_a_backoff_that_no_number_can_hold_is_the_longest(factor: float) -> None:
    """It raised OverflowError, where the factor was larger than 2."""
    restart = Restart(max_restarts=1000, factor=factor)
    assert restart.delay(1) == 0.1
    assert restart.delay(500) == 30
    assert Restart(backoff=0, factor=factor).delay(500) == 0


@given(st.floats(0, 1), st.integers(0, 2**32))
def test_jitter_leaves_its_share_of_the_backoff_to_chance(jitter: float, seed: int) -> None:
    """It never waits longer, never shorter than the share allows, and is spread over all that lies between."""
    random.seed(seed)
    restart = Restart(backoff=8, jitter=jitter)
    delays = [restart.delay(1) for _ in range(200)]
    least = 8 * (1 - jitter)
    assert least - 1e-9 <= min(delays) <= least + 8 * jitter / 4 + 1e-9
    assert 8 - 8 * jitter / 4 - 1e-9 <= max(delays) <= 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_restarts": 0}, "max_restarts must be at least 1, not 0; leave restart= out for no restarts"),
        ({"max_restarts": -1}, "max_restarts must be at least 1, not -1; leave restart= out for no restarts"),
        ({"within": 0}, "within must be above 0, not 0"),
        ({"within": -1.5}, "within must be above 0, not -1.5"),
        ({"within": math.nan}, "within must be above 0, not nan"),
        ({"backoff": -1}, "backoff must be finite, at least 0, not -1"),
        ({"backoff": math.inf}, "backoff must be finite, at least 0, not inf"),
        ({"factor": 0.5}, "factor must be at least 1, not 0.5"),
        ({"max_backoff": -1}, "max_backoff must be at least 0, not -1"),
        ({"max_backoff": math.nan}, "max_backoff must be at least 0, not nan"),
        ({"jitter": -0.1}, "jitter must be from 0 to 1, not -0.1"),
        ({"jitter": 1.1}, "jitter must be from 0 to 1, not 1.1"),
        ({"order": "one"}, 'order=\'one\' is unknown; write "all" or "rest"'),
        ({"order": None}, 'order=None is unknown; write "all" or "rest"'),
        ({"order": ["all"]}, 'order=[\'all\'] is unknown; write "all" or "rest"'),
    ],
)
def test_a_value_that_is_out_of_bounds(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        Restart(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_restarts": 1.5}, "max_restarts must be an integer, not float"),
        ({"max_restarts": True}, "max_restarts must be an integer, not bool"),
        ({"max_restarts": None}, "max_restarts must be an integer, not NoneType"),
        ({"within": "60"}, "within must be a number, not str"),
        ({"within": None}, "within must be a number, not NoneType"),
        ({"backoff": True}, "backoff must be a number, not bool"),
        ({"factor": [2]}, "factor must be a number, not list"),
        ({"max_backoff": 1j}, "max_backoff must be a number, not complex"),
        ({"jitter": False}, "jitter must be a number, not bool"),
    ],
)
def test_a_value_of_a_wrong_type(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Restart(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "on",
    [
        BaseException,
        KeyboardInterrupt,
        BaseExceptionGroup,
        (ValueError, SystemExit),
        (),
        ((ValueError,), KeyError),
        [ValueError],
        ValueError(),
        "ValueError",
        int,
        None,
    ],
)
def test_what_can_be_survived_are_classes_of_exceptions(on: Any) -> None:  # noqa: ANN401 - wrong on purpose
    """Never those beside `Exception`: what means to end the program does."""
    with pytest.raises(TypeError) as caught:
        Restart(on=on)
    assert str(caught.value) == f"on={on!r} must be an exception class, or a tuple of them, under Exception"


def test_numbers_at_their_bounds_are_taken() -> None:
    Restart(max_restarts=1, within=math.inf, backoff=0, factor=1, max_backoff=math.inf, jitter=1)
    Restart(within=1e-9, max_backoff=0, factor=math.inf, jitter=0.0, on=(ValueError, ExceptionGroup))


# --- fresh -----------------------------------------------------------------------------------------------------------


class Counting:
    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.number = self.made

    def __call__(self, ctx: str) -> str:
        return f"{ctx} {self.number}"


def test_fresh_calls_its_factory_for_each_call() -> None:
    """What it returns is a subsystem as any other."""
    made = fresh(Counting)
    first = made("a")
    number = int(first.removeprefix("a "))
    assert made("b") == f"b {number + 1}"
    assert repr(made) == f"fresh({Counting!r})"


@pytest.mark.parametrize(("factory", "kind"), [(None, "NoneType"), (3, "int"), ("Fetcher", "str")])
def test_a_factory_that_cannot_be_called(factory: Any, kind: str) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(TypeError) as caught:
        fresh(factory)
    assert str(caught.value) == f"fresh() takes a factory, such as a class, not {kind}"


# --- slots -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [Restart, 3, True, "always", {"max_restarts": 3}])
def test_a_restart_that_is_none(value: Any) -> None:  # noqa: ANN401 - wrong on purpose
    """The error names class and slot."""
    with pytest.raises(DeclarationError) as caught:

        class Wrong(Sample):
            fetcher: Subsystem[Fetch] = subsystem(restart=value)

    assert facts(caught.value) == (
        "Wrong",
        "fetcher",
        f"restart={value!r} is no Restart",
        "write restart=Restart(), with its limits",
    )


@pytest.mark.parametrize("value", ["", "  ", 3, True, ("a", "b")])
def test_a_restart_group_that_is_no_name(value: Any) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(DeclarationError) as caught:

        class Wrong(Sample):
            fetcher: Subsystem[Fetch] = subsystem(restart=Restart(), restart_group=value)

    assert facts(caught.value) == ("Wrong", "fetcher", f"restart_group={value!r} is no name", "write a text")


def test_a_group_without_any_restart() -> None:
    """It would never begin anew."""
    with pytest.raises(DeclarationError) as caught:

        class Wrong(Sample):
            fetcher: Subsystem[Fetch, Parse] = subsystem(restart=Restart(), restart_group="one")
            parser: Subsystem[Parse] = subsystem(restart_group="other")

    assert facts(caught.value) == (
        "Wrong",
        "parser",
        "no slot of its restart_group='other' has a restart",
        "add restart=Restart() to those whose failures the group is to survive, or leave the group out",
    )


def test_an_order_without_a_group() -> None:
    """There is nobody to begin anew with."""
    with pytest.raises(DeclarationError) as caught:

        class Wrong(Sample):
            fetcher: Subsystem[Fetch] = subsystem(restart=Restart(order="rest"))

    assert facts(caught.value) == (
        "Wrong",
        "fetcher",
        'it has Restart(order="rest") and no group',
        'add restart_group="name" to it and to those that are to begin anew with it',
    )


def test_a_subclass_that_takes_the_restart_out_of_a_group() -> None:
    """What is inherited is checked with what takes its place."""

    class Base(Sample):
        fetcher: Subsystem[Fetch, Parse] = subsystem(restart=Restart(), restart_group="web")
        parser: Subsystem[Parse] = subsystem(restart_group="web")

    with pytest.raises(DeclarationError) as caught:

        class Derived(Base):
            fetcher: Subsystem[Fetch, Parse]

    assert facts(caught.value)[:3] == ("Derived", "parser", "no slot of its restart_group='web' has a restart")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, Restart(), Restart(order="rest")]),
            st.sampled_from([None, "a", "b", "c"]),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_groups_are_refused_as_an_oracle_says(drawn: list[tuple[Restart | None, str | None, bool]]) -> None:
    """Each group has a restart in it, if only that of a slot which is not built yet; an order has a group."""
    slots = [
        make_slot(f"s{number}", (type(f"T{number}", (), {}),), restart=restart, restart_group=group, wip=wip)
        for number, (restart, group, wip) in enumerate(drawn)
    ]
    groups = {group: [restart for restart, other, _ in drawn if other == group] for _, group, _ in drawn if group}
    is_wrong = not all(any(members) for members in groups.values())
    is_wrong |= any(restart is not None and restart.order == "rest" and group is None for restart, group, _ in drawn)
    try:
        check_restart_groups(slots, scope())
    except DeclarationError:
        assert is_wrong
    else:
        assert not is_wrong
