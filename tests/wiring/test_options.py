"""The options of a class."""

from __future__ import annotations

import math
from typing import Literal, get_type_hints

import attrs
import pytest

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.options import GivenOptions, OrchestraOptions, check_word, read_options
from tests.wiring.samples import Fetch, Parse, facts, scope


class AppError(Exception): ...


def read(**given: object) -> OrchestraOptions:
    return read_options(given, OrchestraOptions(), scope())


def test_defaults() -> None:
    assert attrs.asdict(read()) == {
        "message_capacity": 1024,
        "signal_capacity": 64,
        "event_capacity": 64,
        "signal_timeout": 10,
        "message_timeout": 10,
        "error": None,
        "outgoing": (),
        "unconsumed": "error",
        "unsent": "allow",
        "on_deadlock": "error",
        "yield_every": 64,
    }


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("message_capacity", 1),
        ("signal_capacity", 7),
        ("event_capacity", 10**6),
        ("yield_every", 1),
        ("signal_timeout", 0.5),
        ("message_timeout", math.inf),
        ("error", AppError),
        ("error", None),
        ("unconsumed", "warn"),
        ("unsent", "error"),
        ("on_deadlock", "ignore"),
    ],
)
def test_values_that_can_be(option: str, value: object) -> None:
    assert getattr(read(**{option: value}), option) == value


def test_outgoing_types_are_taken_apart() -> None:
    assert read(outgoing=Fetch).outgoing == (Fetch,)
    assert read(outgoing=Fetch | Parse).outgoing == (Fetch, Parse)
    assert read(outgoing=(Parse, Fetch)).outgoing == (Parse, Fetch)


def test_options_that_are_not_given_are_inherited() -> None:
    inherited = OrchestraOptions(message_capacity=3, yield_every=9)
    assert read_options({"yield_every": 5}, inherited, scope()) == OrchestraOptions(message_capacity=3, yield_every=5)


@pytest.mark.parametrize("option", ["message_capacity", "signal_capacity", "event_capacity", "yield_every"])
@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, math.inf])
def test_what_is_no_positive_integer(option: str, value: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(**{option: value})
    assert facts(caught.value) == (
        "P",
        None,
        f"{option}={value!r} is no positive integer",
        "write an integer of 1 or more",
    )


@pytest.mark.parametrize("option", ["signal_timeout", "message_timeout"])
@pytest.mark.parametrize("value", [0, -1, "1", None, True, math.nan])
def test_what_is_no_time_limit(option: str, value: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(**{option: value})
    assert facts(caught.value) == (
        "P",
        None,
        f"{option}={value!r} is no time limit",
        "write seconds above 0, or math.inf for none",
    )


@pytest.mark.parametrize("option", ["unconsumed", "unsent"])
@pytest.mark.parametrize("value", ["ignore", None, 1, ["warn"]])
def test_an_unknown_word(option: str, value: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(**{option: value})
    assert facts(caught.value) == (
        "P",
        None,
        f"{option}={value!r} is unknown",
        'write "error" or "warn" or "allow"',
    )


@pytest.mark.parametrize("value", ["ValueError", ValueError("x"), int, KeyboardInterrupt])
def test_what_is_no_exception_class(value: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(error=value)
    assert facts(caught.value) == (
        "P",
        None,
        f"error={value!r} is no exception class",
        "write a subclass of Exception, or None",
    )


def test_outgoing_types_that_cannot_be_told() -> None:
    with pytest.raises(DeclarationError) as caught:
        read(outgoing=list[int])
    assert facts(caught.value) == (
        "P",
        None,
        "its outgoing type list[int] cannot be told apart at run time",
        "write list for all of them, or a class of your own that holds one",
    )


def test_an_unknown_option_names_near_ones() -> None:
    with pytest.raises(DeclarationError) as caught:
        read(mesage_capacity=1)
    assert caught.value.problem == "it has no option 'mesage_capacity'"
    assert caught.value.remedy.startswith("write message_capacity")


def test_an_option_like_no_other_names_all() -> None:
    with pytest.raises(DeclarationError) as caught:
        read(zzz=1)
    assert facts(caught.value) == (
        "P",
        None,
        "it has no option 'zzz'",
        f"the options are {', '.join(attrs.asdict(OrchestraOptions()))}",
    )


def test_a_word_of_a_field() -> None:
    """The field is named too, where it is one's."""
    with pytest.raises(DeclarationError) as caught:
        check_word("colour", "green", Literal["red", "blue"], scope(), "slot")
    assert facts(caught.value) == ("P", "slot", "colour='green' is unknown", 'write "red" or "blue"')


def test_type_checkers_know_the_options_that_there_are() -> None:
    """The class statement's options are spelled out once more for them."""
    fields = {field.name: field.type for field in attrs.fields(OrchestraOptions)}
    assert set(GivenOptions.__annotations__) == set(fields)
    same = {name for name in fields if name != "outgoing"}  # given as a type or a union, kept as a tuple
    hints = get_type_hints(GivenOptions)
    kept = get_type_hints(OrchestraOptions)
    assert {name: hints[name] for name in same} == {name: kept[name] for name in same}
