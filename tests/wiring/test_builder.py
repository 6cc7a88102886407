"""The builder: what each of its methods does, and what it says when it is used wrongly."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from orchestra_trio import (
    Builder,
    DeclarationError,
    MeteredSender,
    Orchestra,
    RunningOrchestra,
    Subsystem,
    feature,
    subsystem,
    subsystem_if,
)
from tests.runtime.samples import AnyContext, Imported, Item, Other, Tick, forever, idle

if TYPE_CHECKING:
    from collections.abc import Callable


class Later: ...


class Span: ...


class Pipeline(Orchestra[Tick, Imported], message_capacity=3, signal_capacity=3):
    """What the tests build."""

    fetcher: Subsystem[Item, Other, Tick]
    parser: Subsystem[Other, Item] = subsystem(message_capacity=2, signal_capacity=1, signals=Tick)
    tracer: Subsystem[Span] = subsystem_if(feature("trace"))
    later: Subsystem[Later] = subsystem(wip=True)
    db_path: str
    depth: int = 3

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await running.route_message(Item(event.number))


AnyBuilder = Builder[Pipeline]


def started() -> AnyBuilder:
    return Pipeline.builder().fetcher(idle).parser(idle).db_path("x")


class Seen:
    """A subsystem that was made from something: a handle, or the one whose place it takes."""

    def __init__(self, of: object) -> None:
        self.of = of

    async def __call__(self, ctx: AnyContext) -> None:
        await idle(ctx)


def fails(wrong: Callable[[], object]) -> str:
    with pytest.raises(DeclarationError) as caught:
        wrong()
    return str(caught.value)


def test_it_makes_what_the_constructor_makes() -> None:
    """Of the same class, with the same fields."""
    built = Pipeline.builder().fetcher(idle).parser(forever).db_path("x").depth(5).build()
    assert type(built) is Pipeline
    fields: list[object] = [built.fetcher, built.parser, built.tracer, built.db_path, built.depth]
    assert fields == [idle, forever, None, "x", 5]
    assert built.features == frozenset()
    assert started().build().depth == 3


def test_each_call_leaves_the_builder_as_it_is() -> None:
    """So that one may be built upon in several ways."""
    one = started()
    two, three = one.depth(5), one.replace_parser(Seen)
    assert (one.build().depth, two.build().depth, three.build().depth) == (3, 5, 3)
    assert (one.build().parser, two.build().parser) == (idle, idle)
    assert isinstance(three.build().parser, Seen)
    assert one.build() is not one.build()
    assert copy.copy(two).build().depth == 5


def test_it_shows_what_is_set() -> None:
    assert repr(Pipeline.builder()) == "<Pipeline.builder(): nothing set>"
    assert repr(Pipeline.builder().db_path("x").parser(idle)) == "<Pipeline.builder(): parser, db_path set>"


@pytest.mark.parametrize("first", ["fetcher", "fetcher_with"])
@pytest.mark.parametrize("second", ["fetcher", "fetcher_with"])
def test_a_subsystem_is_set_once(first: str, second: str) -> None:
    """In whichever way; the error names what changes it."""
    one = getattr(Pipeline.builder(), first)(Seen)
    assert fails(lambda: getattr(one, second)(Seen)) == (
        "Pipeline.fetcher: it was set already; call .replace_fetcher(lambda original: ...) to change it"
    )


def test_baggage_may_be_set_again() -> None:
    """The last value counts."""
    assert started().db_path("y").db_path("z").build().db_path == "z"


def test_what_replaces_a_subsystem_gets_the_original() -> None:
    """One after another, in the order of the calls, by whichever way it was set."""
    first = started().replace_fetcher(Seen).replace_fetcher(lambda one: Seen(("second", one))).build().fetcher
    assert isinstance(first, Seen)
    assert isinstance(first.of, tuple)
    assert (first.of[0], first.of[1].of) == ("second", idle)
    made = Pipeline.builder().fetcher_with(Seen).replace_fetcher(Seen).parser(idle).db_path("x").build().fetcher
    assert isinstance(made, Seen)
    assert isinstance(made.of, Seen)
    assert isinstance(made.of.of, MeteredSender)


def test_nothing_to_replace_yet() -> None:
    assert fails(lambda: Pipeline.builder().replace_fetcher(Seen)) == (
        "Pipeline.fetcher: there is nothing to replace yet; call .fetcher(...) first"
    )


@pytest.mark.parametrize("method", ["later", "later_with", "replace_later"])
def test_a_slot_that_is_not_built_yet_cannot_be_set(method: str) -> None:
    assert fails(lambda: getattr(Pipeline.builder(), method)(Seen)) == (
        "Pipeline.later: it is declared with wip=True, so that nothing can be held in it; "
        "take wip=True out of its declaration, or do not set it"
    )


@pytest.mark.parametrize(("method", "argument"), [("fetcher_with", "handle"), ("replace_fetcher", "original")])
def test_what_is_to_be_called_is_a_function(method: str, argument: str) -> None:
    """It is refused at once, where the slot is known, not when it is called."""
    assert fails(lambda: getattr(Pipeline.builder(), method)(3)) == (
        f"Pipeline.fetcher: .{method} takes a function, not an int; write .{method}(lambda {argument}: ...)"
    )


def test_all_that_is_missing_is_named_at_once() -> None:
    """In declaration order, subsystems first, with the calls that are to be made; a default is not missing."""
    assert fails(Pipeline.builder().build) == (
        "Pipeline: it cannot be built without fetcher, parser, db_path; call .fetcher(...), .parser(...), .db_path(...)"
    )
    assert fails(Pipeline.builder().features({"trace"}).parser(idle).db_path("x").build) == (
        "Pipeline: it cannot be built without fetcher, tracer; call .fetcher(...), .tracer(...)"
    )


def test_what_cannot_be_held_is_refused_as_by_the_constructor() -> None:
    assert fails(Pipeline.builder().fetcher(3).parser(idle).db_path("x").build) == (
        "Pipeline.fetcher: an int is no subsystem; set it to an async callable that takes a context"
    )


def test_features_decide_what_is_needed() -> None:
    """Those of the last call count."""
    built = started().features({"trace"}).tracer(idle).build()
    assert (built.features, built.tracer) == ({"trace"}, idle)
    assert started().features({"trace"}).features(()).build().features == set()


def test_features_that_are_wrong() -> None:
    """One text is refused at once; whether a slot asks for them shows when it is built, as with the constructor."""
    with pytest.raises(TypeError, match=r"^features are a set of names, not one text: write \{'trace'\}$"):
        started().features("trace")
    assert fails(started().features(["tarce"]).build) == "Pipeline: no slot asks for a feature 'tarce'; write trace"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("fetche", "write fetcher"),
        ("fetch_with", "write fetcher_with or tracer_with"),
        ("message_capacity", "write message_channel_capacity"),
        ("later_wit", None),
        ("zzz", None),
    ],
)
def test_a_method_that_it_does_not_have(name: str, remedy: str | None) -> None:
    """It names the nearest ones, or else all, but for those of slots that cannot be set."""
    assert not hasattr(Pipeline.builder(), name)
    with pytest.raises(AttributeError) as caught:
        getattr(Pipeline.builder(), name)
    text = str(caught.value)
    assert text.startswith(f"the builder of Pipeline has no {name!r}; {remedy or ''}")
    assert "later" not in text.removeprefix(f"the builder of Pipeline has no {name!r}")
    if name == "zzz":
        assert text.split("; ")[1] == (
            "it has fetcher, parser, tracer, db_path, depth, fetcher_with, replace_fetcher, parser_with, "
            "replace_parser, tracer_with, replace_tracer, build, build_with_connector, features, "
            "message_channel_capacity, signal_channel_capacity"
        )


def test_a_method_is_called_with_one_argument() -> None:
    """Python's complaint names what was called."""
    for method, argument in [("fetcher", "subsystem"), ("fetcher_with", "make"), ("db_path", "value")]:
        call = getattr(Pipeline.builder(), method)
        with pytest.raises(TypeError, match=rf"^Pipeline\.builder\(\)\.{method}\(\) missing .*: '{argument}'$"):
            call()


def test_dir_names_the_methods_for_fields_too() -> None:
    """For completion in an interactive session."""
    assert {"build", "fetcher", "fetcher_with", "replace_fetcher", "db_path"} <= set(dir(Pipeline.builder()))
    assert "later" not in dir(Pipeline.builder())


@pytest.mark.parametrize("method", ["message_channel_capacity", "signal_channel_capacity"])
@pytest.mark.parametrize("wrong", [0, -1, True, 2.0, "3", None])
def test_a_capacity_is_a_positive_integer(method: str, wrong: object) -> None:
    assert fails(lambda: getattr(started(), method)(wrong)) == (
        f"Pipeline: {method}={wrong!r} is no positive integer; write an integer of 1 or more"
    )


def test_functions_are_called_by_each_build() -> None:
    """Each gets a handle of its own; what they raise comes out as it is."""
    builder = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x")
    one, two = builder.build().fetcher, builder.build().fetcher
    assert isinstance(one, Seen)
    assert isinstance(two, Seen)
    assert one.of is not two.of

    def broken(_: object) -> Any:  # noqa: ANN401 - nothing at all
        message = "boom"
        raise LookupError(message)

    with pytest.raises(LookupError, match="boom"):
        Pipeline.builder().fetcher_with(broken).parser(idle).db_path("x").build()


def test_the_builder_of_a_subclass() -> None:
    """It has the inherited fields and its own, and makes the subclass."""

    class Child(Pipeline):
        auditor: Subsystem[str]
        depth: int = 8

    built = Child.builder().fetcher(idle).parser(idle).db_path("x").auditor(forever).build()
    assert type(built) is Child
    assert (built.auditor, built.depth) == (forever, 8)


RESERVED = ["build", "build_with_connector", "features", "message_channel_capacity", "signal_channel_capacity"]


@pytest.mark.parametrize(
    "name", [*RESERVED, "builder", "replace", "graph", "open", "run", "serve", "on_event", "message_types", "self"]
)
@pytest.mark.parametrize("annotation", [Subsystem[Item], str])
def test_names_that_class_and_builder_need_are_no_fields(name: str, annotation: object) -> None:
    """Neither slots nor baggage; `self` is what a constructor calls the instance."""
    with pytest.raises(DeclarationError) as caught:

        class P(Orchestra):
            __annotations__ = {name: annotation}

    assert str(caught.value) == f"P.{name}: the class needs this name itself; give the field another name"


@pytest.mark.parametrize("name", ["parser_with", "replace_parser"])
@pytest.mark.parametrize("annotation", [Subsystem[Other], str])
def test_names_of_further_methods_for_slots_are_no_fields(name: str, annotation: object) -> None:
    """Nobody could tell what the builder means by them."""
    with pytest.raises(DeclarationError) as caught:

        class P(Orchestra):
            __annotations__ = {name: annotation, "parser": Subsystem[Item]}

    assert str(caught.value) == (
        f"P.{name}: the builder needs this name itself, for the slot 'parser'; give one of them another name"
    )
