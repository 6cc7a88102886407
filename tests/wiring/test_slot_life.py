"""What a class says about the lives of its subsystems: deadlocks, restarts, threads."""

from __future__ import annotations

from typing import Any, Never

import pytest

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    DeclarationError,
    Orchestra,
    Restart,
    Subsystem,
    SubsystemContext,
    fresh,
    subsystem,
)
from tests.wiring.samples import Fetch, Parse, Store, Tick, facts

often = Restart(max_restarts=10)


class Base(Orchestra[Tick], on_deadlock="warn"):
    fetcher: Subsystem[Fetch, Parse | Store, Tick] = subsystem(restart=often, restart_group="both")
    parser: Subsystem[Parse] = subsystem(restart=often, restart_group="both")
    store: BlockingSubsystem[Store] = subsystem(restart=Restart(order="all"))


class Child(Base, on_deadlock="ignore"):
    parser: Subsystem[Parse]


def test_a_deadlock_is_an_error_unless_the_class_says_otherwise() -> None:
    """A subclass inherits what its base says, or says something else."""

    class Plain(Orchestra):
        fetcher: Subsystem[Fetch]

    class Same(Base):
        pass

    classes: list[type[Orchestra[Any, Any]]] = [Plain, Base, Same, Child]
    assert [one.__declaration__.options.on_deadlock for one in classes] == ["error", "warn", "warn", "ignore"]


@pytest.mark.parametrize("value", ["nope", "raise", "", None, True, 0])
def test_an_unknown_word_for_deadlocks(value: Any) -> None:  # noqa: ANN401 - values of wrong types on purpose
    with pytest.raises(DeclarationError) as caught:

        class Wrong(Orchestra, on_deadlock=value):
            fetcher: Subsystem[Fetch]

    problem = f"on_deadlock={value!r} is unknown"
    assert facts(caught.value) == ("Wrong", None, problem, 'write "error" or "warn" or "ignore"')


def test_a_slot_has_no_restart_unless_it_says_so() -> None:
    """One that a subclass declares anew forgets what the base said about it."""
    slots = Base.__declaration__.slots
    assert [(one.restart, one.restart_group) for one in slots.values()] == [
        (often, "both"),
        (often, "both"),
        (Restart(order="all"), None),
    ]
    inherited = Child.__declaration__.slots
    assert (inherited["fetcher"].restart, inherited["fetcher"].restart_group) == (often, "both")
    assert (inherited["parser"].restart, inherited["parser"].restart_group) == (None, None)


def test_the_annotation_says_whether_a_subsystem_blocks() -> None:
    """Quoted or not, also in a subclass."""

    class Quoted(Orchestra):
        fetcher: "Subsystem[Fetch]"
        parser: "BlockingSubsystem[Parse]"

    class Turned(Quoted):
        fetcher: BlockingSubsystem[Fetch]  # type: ignore[assignment]  # the other kind
        store: BlockingSubsystem[Never, Parse]

    assert {name: slot.blocking for name, slot in Quoted.__declaration__.slots.items()} == {
        "fetcher": False,
        "parser": True,
    }
    assert {name: slot.blocking for name, slot in Turned.__declaration__.slots.items()} == {
        "fetcher": True,
        "parser": True,
        "store": True,
    }


class Threads(Orchestra):
    parser: BlockingSubsystem[Parse]


async def parse_async(ctx: object) -> None:
    pass


class AsyncParser:
    async def __call__(self, ctx: object) -> None:
        pass

    async def parse(self, ctx: object) -> None:
        pass


def parse(ctx: BlockingSubsystemContext[Parse]) -> None:
    pass


class Parser:
    def __call__(self, ctx: BlockingSubsystemContext[Parse]) -> None:
        pass


@pytest.mark.parametrize("wrong", [parse_async, AsyncParser(), AsyncParser().parse])
def test_an_async_function_in_a_blocking_slot(wrong: Any) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(DeclarationError) as caught:
        Threads(parser=wrong)
    problem, remedy = facts(caught.value)[2:]
    assert (caught.value.orchestra, caught.value.slot) == ("Threads", "parser")
    assert problem == "an async function is no blocking subsystem"
    assert remedy == "annotate the slot as a Subsystem, or set it to a function that is not async"


@pytest.mark.parametrize("right", [parse, Parser(), Parser().__call__, fresh(Parser)])
def test_sync_functions_in_a_blocking_slot(right: Any) -> None:  # noqa: ANN401 - of several types
    assert Threads(parser=right).parser is right


async def test_a_sync_function_in_another_slot_shows_when_it_is_called() -> None:
    """What it would return cannot be told before."""

    class Tasks(Orchestra):
        parser: Subsystem[Parse]

    def wrong(ctx: SubsystemContext[Parse]) -> None:
        pass

    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="returned a NoneType: make it an async function")):
        await Tasks(parser=wrong).run()  # type: ignore[arg-type]  # that is the test
