"""Features: conditions that can be combined, and every way to write one wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.features import Feature, feature, read_features
from orchestra_trio.wiring.specifiers import subsystem, subsystem_if
from tests.wiring.samples import Fetch, Imported, Parse, Sample, Store, Subsystem, Tick, facts

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("trace", "lite", "a b", "'")


@st.composite
def conditions(draw: st.DrawFn, depth: int = 4) -> tuple[Feature, str]:
    """A condition, and the text that says the same with `or`, `and` and `not`."""
    kind = draw(st.sampled_from("n|&~")) if depth else "n"
    if kind == "n":
        name = draw(st.sampled_from(NAMES))
        return feature(name), f"({name!r} in given)"
    left, left_text = draw(conditions(depth - 1))
    if kind == "~":
        return ~left, f"(not {left_text})"
    right, right_text = draw(conditions(depth - 1))
    if kind == "|":
        return left | right, f"({left_text} or {right_text})"
    return left & right, f"({left_text} and {right_text})"


@given(conditions(), st.sets(st.sampled_from([*NAMES, "other"])))
def test_a_condition_holds_as_its_words_do(drawn: tuple[Feature, str], given_features: set[str]) -> None:
    """With `|` for or, `&` for and, `~` for not, whatever else is given."""
    condition, text = drawn
    assert condition.holds(given_features) == eval(text, {"given": given_features})  # noqa: S307 - written by the test


@given(conditions())
def test_a_condition_reads_as_it_is_written(drawn: tuple[Feature, str]) -> None:
    """Its text makes an equal condition, and it knows all names that it asks for."""
    condition, text = drawn
    assert str(condition) == repr(condition)
    again = eval(repr(condition), {"feature": feature})  # noqa: S307 - the text of a condition
    assert again == condition
    assert hash(again) == hash(condition)
    assert condition.names == {name for name in NAMES if f"{name!r} in" in text}


def test_the_text_of_a_condition() -> None:
    assert str(feature("trace") & ~feature("lite")) == "(feature('trace') & ~feature('lite'))"
    assert str(~(feature("a") | feature("b"))) == "~(feature('a') | feature('b'))"


@pytest.mark.parametrize(
    "misuse",
    [
        lambda one: one and feature("b"),
        lambda one: one or feature("b"),
        lambda one: not one,
        lambda one: 1 if one else 2,
    ],
    ids=["and", "or", "not", "if"],
)
def test_a_condition_is_not_decided_where_it_is_written(misuse: Callable[[Any], object]) -> None:
    """Python's own words would ask for its truth there, and silently drop half of it."""
    with pytest.raises(TypeError) as caught:
        misuse(feature("a"))
    assert str(caught.value) == "feature('a') is neither true nor false by itself: write | for or, & for and, ~ for not"


def test_a_condition_is_joined_with_conditions_alone() -> None:
    """A bare name beside one is refused by Python itself, on either side."""
    one: Any = feature("a")
    joins: list[Callable[[], object]] = [lambda: one | "b", lambda: one & "b", lambda: "b" | one, lambda: {"b"} & one]
    for join in joins:
        with pytest.raises(TypeError, match="unsupported operand type"):
            join()


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_feature_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"^a feature needs a name, not .*: write feature\(\"trace\"\)$"):
        feature(name)


def test_a_feature_is_named_by_a_text() -> None:
    name: Any = 3
    with pytest.raises(TypeError, match=r"^a feature is named by a text, not by an int$"):
        feature(name)


@given(st.lists(st.sampled_from(NAMES)))
def test_features_are_read_as_a_set(names: list[str]) -> None:
    """From whatever collection, each once."""
    assert read_features(names) == read_features(tuple(names)) == read_features(dict.fromkeys(names)) == set(names)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("trace", "features are a set of names, not one text: write {'trace'}"),
        ("", "features are a set of names, not one text: write {''}"),
        (None, "features are a set of names, not a NoneType: write {'trace'}, or leave them out"),
        (3, "features are a set of names, not an int: write {'trace'}, or leave them out"),
        ([1], "a feature is named by a text, not by an int"),
        ([feature("a")], "a feature is named by a text, not by a Feature"),
        ([["a"]], "a feature is named by a text, not by a list"),
    ],
)
def test_features_that_are_no_names(wrong: Any, complaint: str) -> None:  # noqa: ANN401 - it is the types that are wrong
    """Above all one text alone, whose letters would be taken for features."""
    with pytest.raises(TypeError) as caught:
        read_features(wrong)
    assert str(caught.value) == complaint


class Traced(Sample[Tick]):
    fetch: Subsystem[Fetch, Parse]
    parse: Subsystem[Parse] = subsystem_if(feature("parse") | ~feature("lite"), message_capacity=3, priority=True)
    tick: Subsystem[Never, Never, Tick] = subsystem_if(feature("trace"), sends=Parse, on_exit="stop")
    later: Subsystem[Store] = subsystem(wip=True)


def test_a_conditional_slot_is_declared_like_any_other() -> None:
    """With all its options, and the condition besides."""
    slots = Traced.declaration.slots
    assert slots["fetch"].condition is None
    assert (slots["parse"].message_capacity, slots["parse"].priority) == (3, True)
    assert str(slots["parse"].condition) == "(feature('parse') | ~feature('lite'))"
    assert (slots["tick"].sends, slots["tick"].on_exit) == ((Parse,), "stop")


def test_the_features_of_a_class_are_those_that_its_conditions_name() -> None:
    assert Traced.declaration.features == ("lite", "parse", "trace")


@given(st.sets(st.sampled_from(["lite", "parse", "trace"])))
def test_which_slots_are_needed(features: set[str]) -> None:
    """Those that are built, and have no condition or one that holds, in declaration order."""
    expected = ["fetch"]
    expected += ["parse"] if "parse" in features or "lite" not in features else []
    expected += ["tick"] if "trace" in features else []
    assert Traced.declaration.needed(features) == tuple(expected)


def test_the_graph_of_the_slots_in_use() -> None:
    """The others are shown as not built, and have no part in its components."""
    graph = Traced.declaration.graph_of(["fetch", "tick"])
    assert graph.nodes == Traced.declaration.graph.nodes
    assert graph.edges == Traced.declaration.graph.edges
    assert graph.boundary is Traced.declaration.graph.boundary
    assert graph.wip == {"parse", "later"}
    assert graph.components == (("fetch",), ("tick",))
    assert Traced.declaration.graph_of(["fetch", "parse", "tick"]) is Traced.declaration.graph


def test_conditional_slots_are_inherited_and_can_be_declared_anew() -> None:
    """A subclass keeps the condition of a slot that it does not name, and drops that of one that it does."""

    class Child(Traced, message_capacity=7):
        tick: Subsystem[Never, Never, Tick] = subsystem(sends=Parse)
        extra: Subsystem[Imported] = subsystem_if(feature("extra"))

    slots = Child.declaration.slots
    assert slots["parse"].condition == Traced.declaration.slots["parse"].condition
    assert (slots["parse"].message_capacity, slots["extra"].message_capacity) == (3, 7)
    assert slots["tick"].condition is None
    assert Child.declaration.features == ("extra", "lite", "parse")
    assert Traced.declaration.features == ("lite", "parse", "trace")


def test_a_condition_that_is_none() -> None:
    """A bare name is refused by the class statement, which knows class and field."""
    name: Any = "trace"
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            fetch: Subsystem[Fetch] = subsystem_if(name)

    assert facts(caught.value) == (
        "P",
        "fetch",
        "subsystem_if('trace') is no condition",
        'write subsystem_if(feature("name"))',
    )


def test_a_condition_that_is_missing() -> None:
    """It would make a slot that is always in use."""
    nothing: Any = None
    with pytest.raises(TypeError, match=r'^a condition is missing: write subsystem_if\(feature\("name"\)\), or '):
        subsystem_if(nothing)


def test_a_slot_is_conditional_or_not_built_yet() -> None:
    """Not both: nobody could say what stands in it."""
    declare: Any = subsystem_if
    with pytest.raises(TypeError, match="unexpected keyword argument 'wip'"):
        declare(feature("trace"), wip=True)
