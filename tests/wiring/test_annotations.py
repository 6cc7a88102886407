"""Where the names in a class's annotations are found."""

# Without `from __future__ import annotations`: what is in quotes here is a string, and nothing else is.

import abc
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.annotations import Scope, own_annotations
from tests.wiring.samples import Fetch, Parse, Sample, Store, Subsystem, facts

if TYPE_CHECKING:
    from decimal import Decimal

    class Unseen: ...


def consumed(cls: type[Sample], slot: str = "slot") -> tuple[type, ...]:
    return cls.declaration.slots[slot].consumes


def test_names_of_the_module() -> None:
    class P(Sample):
        slot: "Subsystem[Fetch]"

    assert consumed(P) == (Fetch,)


def test_names_of_the_function_that_the_class_stands_in() -> None:
    class Local: ...

    class P(Sample):
        slot: "Subsystem[Local]"
        quoted_inside: Subsystem["Fetch"]

    assert consumed(P) == (Local,)
    assert consumed(P, "quoted_inside") == (Fetch,)


def test_a_local_name_hides_that_of_the_module() -> None:
    class Fetch: ...

    class P(Sample):
        slot: "Subsystem[Fetch]"

    assert consumed(P) == (Fetch,)


def test_names_of_the_class_body() -> None:
    """A nested class can be a message; it hides what is outside."""

    class P(Sample):
        class Fetch: ...

        slot: "Subsystem[Fetch]"

    assert consumed(P) == (P.Fetch,)


def test_a_field_does_not_hide_what_its_default_is_named_after() -> None:
    class P(Sample):
        slot: "Subsystem[Fetch]"
        Fetch: "Fetch" = Fetch()

    assert consumed(P) == (Fetch,)
    assert P.declaration.baggage == {"Fetch": Fetch}


def test_names_around_a_class_that_stands_in_a_class() -> None:
    """The function around them is seen, and the bodies of enclosing classes where they hide nothing."""

    class Local: ...

    class Outer:
        class Inner: ...

        class Fetch: ...

        class Middle:
            class P(Sample):
                slot: "Subsystem[Local | Inner | Fetch]"  # type: ignore[name-defined]  # noqa: F821

    assert consumed(Outer.Middle.P) == (Local, Outer.Inner, Fetch)


class Outermost:
    class Inner: ...

    class P(Sample):
        slot: "Subsystem[Fetch | Inner]"  # type: ignore[name-defined]  # noqa: F821


def test_names_around_a_class_that_stands_in_a_class_of_the_module() -> None:
    assert consumed(Outermost.P) == (Fetch, Outermost.Inner)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters in brackets are new in Python 3.12")
def test_names_around_a_class_with_type_parameters() -> None:
    """Python puts a scope of its own between such a class and the function that it stands in."""
    names: dict[str, Any] = {"Sample": Sample, "Subsystem": Subsystem, "__name__": "elsewhere"}
    source = """
def make():
    class Local: ...
    class P[T](Sample):
        slot: "Subsystem[Local]"
        bag: "list[T]"
    return P, Local
"""
    exec(source, names)  # noqa: S102
    made, local = names["make"]()
    assert consumed(made) == (local,)
    assert repr(made.declaration.baggage) == "mappingproxy({'bag': list[T]})"


def test_the_name_of_the_class_itself() -> None:
    """It is bound only after the annotations were read."""

    class P(Sample):
        slot: Subsystem[Fetch]
        previous: "P | None"

    assert P.declaration.baggage == {"previous": P | None}


def test_frames_of_the_class_creation_are_not_where_it_stands() -> None:
    """`__init_subclass__` of a class between, and `__new__` of metaclasses, in Python or not."""

    class Meta(abc.ABCMeta):
        def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, object], **options: object) -> "Meta":
            Local = Parse  # noqa: N806, F841 - what must not be found
            return super().__new__(mcs, name, bases, namespace, **options)

    class Between(Sample, metaclass=Meta):
        def __init_subclass__(cls, **options: object) -> None:
            Local = Store  # noqa: N806, F841 - what must not be found
            super().__init_subclass__(**options)

    class Local: ...

    class P(Between):
        slot: "Subsystem[Local]"

    assert consumed(P) == (Local,)


class Maker:
    """An ordinary class that declares an orchestra in its `__new__`, which is no metaclass's."""

    declared: type[Sample]

    def __new__(cls) -> "Maker":  # noqa: PYI034 - it is not meant to be inherited from
        class Local: ...

        class P(Sample):
            slot: "Subsystem[Local]"

        made = super().__new__(cls)
        made.declared = P
        return made


def test_a_class_that_stands_in_new() -> None:
    assert consumed(Maker().declared)[0].__qualname__ == "Maker.__new__.<locals>.Local"


def test_a_class_that_stands_in_a_new_without_variables() -> None:
    """Frames are told by what they hold, not by their name alone."""
    names: dict[str, object] = {"Sample": Sample, "Subsystem": Subsystem, "Fetch": Fetch, "__name__": "elsewhere"}
    exec(  # noqa: S102
        "def __new__():\n    global P\n    class P(Sample):\n        slot: 'Subsystem[Fetch]'\n__new__()", names
    )
    made = names["P"]
    assert isinstance(made, type)
    assert issubclass(made, Sample)
    assert consumed(made) == (Fetch,)


def test_without_a_frame_the_module_of_the_class_is_looked_into() -> None:
    class P: ...

    assert Scope.of_class(P, None).evaluate("Fetch", None) is Fetch
    P.__module__ = "nowhere"
    with pytest.raises(DeclarationError):
        Scope.of_class(P, None).evaluate("Fetch", None)


ONLY_TYPE_CHECKERS = "is not defined at run time, where it may be imported only under TYPE_CHECKING"
UNDEFINED = (
    "import or define it at run time, before the class; for ruff, name the orchestra's base class in "
    "lint.flake8-type-checking.runtime-evaluated-base-classes, so that it leaves the import there"
)


def test_a_name_that_only_type_checkers_see() -> None:
    """The error says so, and what to do, with ruff in mind, which may have moved the import there."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            slot: "Subsystem[Fetch | Unseen]"

    assert facts(caught.value) == (
        "P",
        "slot",
        f"the name 'Unseen' in 'Subsystem[Fetch | Unseen]' {ONLY_TYPE_CHECKERS}",
        UNDEFINED,
    )


def test_a_name_that_only_type_checkers_see_in_baggage_or_inside_a_slot() -> None:
    """Nobody can say what such a field is."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            price: "Decimal"

    assert facts(caught.value)[1:] == (
        "price",
        f"the name 'Decimal' in 'Decimal' {ONLY_TYPE_CHECKERS}",
        UNDEFINED,
    )
    with pytest.raises(DeclarationError) as caught:

        class Q(Sample):
            slot: Subsystem["Unseen"]

    assert caught.value.slot == "slot"


def test_what_is_no_expression() -> None:
    """Whatever the evaluation raises, the error names the field, and has the cause."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            slot: "Subsystem[Fetch, Fetch, Fetch, Fetch]"  # type: ignore[type-arg]

    assert caught.value.slot == "slot"
    assert caught.value.problem.startswith("'Subsystem[Fetch, Fetch, Fetch, Fetch]' cannot be evaluated (TypeError: ")
    assert caught.value.remedy == "write a type expression that holds at run time"
    assert isinstance(caught.value.__cause__, TypeError)

    with pytest.raises(DeclarationError) as caught:

        class Q(Sample):
            slot: "Subsystem[Fetch"  # type: ignore[valid-type]  # noqa: F722

    assert isinstance(caught.value.__cause__, SyntaxError)


def test_annotations_are_those_of_the_class_itself() -> None:
    """In order, un-evaluated, without inherited ones."""

    class Base:
        inherited: int

    class Derived(Base):
        second: "Nowhere"  # type: ignore[name-defined]  # noqa: F821
        first: ClassVar[int] = 1

    assert list(own_annotations(Derived).items()) == [("second", "Nowhere"), ("first", ClassVar[int])]
