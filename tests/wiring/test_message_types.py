"""What a type expression leaves for routing to see, and what it refuses."""

# Without `from __future__ import annotations`, and with names in quotes: both ways of writing must do.

import enum
import sys
import typing
from collections import deque
from collections.abc import Callable, Sequence
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Generic,
    Literal,
    NamedTuple,
    Never,
    NewType,
    NoReturn,
    Optional,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
)

import pytest
import typing_extensions

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.message_types import message_types
from tests.wiring.samples import Fetch, Parse, Store, facts, scope

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)
UserId = NewType("UserId", int)


class Box(Generic[T]): ...


class Readable(Protocol):
    def read(self) -> bytes: ...


class GenericReadable(Protocol[T_co]):
    def read(self) -> T_co: ...


class File(Readable):
    def read(self) -> bytes:
        return b""


class Plain(TypedDict):
    key: int


class Pair(NamedTuple):
    left: int


class Colour(enum.Enum):
    RED = 1


class OwnGetItem:
    def __class_getitem__(cls, item: object) -> type:
        return cls


Either = typing_extensions.TypeAliasType("Either", Fetch | Parse)
Later = typing_extensions.TypeAliasType("Later", "Fetch | Parse")
Boxes = typing_extensions.TypeAliasType("Boxes", Box[T] | Store, type_params=(T,))
Same = typing_extensions.TypeAliasType("Same", T, type_params=(T,))
Swapped = typing_extensions.TypeAliasType("Swapped", Annotated[U, "u"] | T, type_params=(T, U))
Constant = typing_extensions.TypeAliasType("Constant", Fetch, type_params=(T,))
Endless = typing_extensions.TypeAliasType("Endless", "Endless")  # type: ignore[misc]
Growing = typing_extensions.TypeAliasType("Growing", "Fetch | Growing")  # type: ignore[misc]


def told(expression: object) -> tuple[type, ...]:
    names = {"Fetch": Fetch, "Parse": Parse, "Endless": Endless, "Growing": Growing}
    return message_types(expression, scope(**names), "consumed type", "slot")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Fetch, (Fetch,)),
        (Fetch | Parse, (Fetch, Parse)),
        (Union[Parse, Fetch], (Parse, Fetch)),  # noqa: UP007 - the old way is what is tested
        (Never, ()),
        (NoReturn, ()),
        ((), ()),
        ((Fetch, Parse | Store, Fetch), (Fetch, Parse, Store)),
        (Annotated[Fetch, "note"], (Fetch,)),
        (Annotated[Fetch | Parse, []], (Fetch, Parse)),
        ("Fetch | Parse", (Fetch, Parse)),
        (" Fetch ", (Fetch,)),
        (ForwardRef("Fetch"), (Fetch,)),
        (Union["Fetch", Store], (Fetch, Store)),
        (Box, (Box,)),
        (Box[int], (Box,)),
        (Box[int] | Box[str], (Box,)),
        (Box[T], (Box,)),  # type: ignore[valid-type]
        (Either, (Fetch, Parse)),
        (Later, (Fetch, Parse)),
        (Boxes[int] | Either, (Box, Store, Fetch, Parse)),
        (Same[Same[Fetch]], (Fetch,)),
        (Swapped[Fetch, Parse], (Parse, Fetch)),
        (Constant[int], (Fetch,)),
        (File, (File,)),
        (Pair, (Pair,)),
        (Colour, (Colour,)),
        (int | object, (int, object)),
        (list, (list,)),
        (OwnGetItem[int], (OwnGetItem,)),  # type: ignore[misc]
    ],
    ids=repr,
)
def test_what_an_expression_stands_for(expression: object, expected: tuple[type, ...]) -> None:
    """Each class once, in the order in which it is written."""
    assert told(expression) == expected


OWN = "write {} for all of them, or a class of your own that holds one"


@pytest.mark.parametrize(
    ("expression", "shown", "remedy"),
    [
        (list[int], "list[int]", OWN.format("list")),
        (typing.List[int], "typing.List[int]", OWN.format("list")),  # noqa: UP006 - the old way is what is tested
        (typing.List, "typing.List", OWN.format("list")),  # noqa: UP006
        (deque[int], "collections.deque[int]", OWN.format("deque")),
        (Sequence[int], "collections.abc.Sequence[int]", OWN.format("Sequence")),
        (type[Fetch], f"type[{__name__.rpartition('.')[0]}.samples.Fetch]", OWN.format("type")),
        (Callable[[], int], "collections.abc.Callable[[], int]", OWN.format("Callable")),
        (UserId, repr(UserId), "make it a class: class UserId"),
        (Literal["a"], "typing.Literal['a']", "write an enum, or a class for each value"),
        (T, "~T", "write the class that the type variable stands for"),
        (Any, "Any", "write the classes that are meant, or object for all of them"),
        (Plain, "Plain", "write a frozen class: the values of a TypedDict are plain dicts"),
        (
            Readable,
            "Readable",
            "write the classes that implement the protocol: routing goes by class, not by structure",
        ),
        (
            GenericReadable[int],
            f"{__name__}.GenericReadable[int]",
            "write the classes that implement the protocol: routing goes by class, not by structure",
        ),
        (5, "5", "write a class"),
        pytest.param(Fetch(), None, "write a class", id="an instance"),
        (Same, "~T", "write the class that the type variable stands for"),
    ],
    ids=repr,
)
def test_what_cannot_be_told_at_run_time(expression: object, shown: str | None, remedy: str) -> None:
    """Class, field, role and expression are named, and what to write in its place; also inside a union."""
    for whole in (expression, (Store, expression)):
        with pytest.raises(DeclarationError) as caught:
            told(whole)
        problem = f"its consumed type {shown or repr(expression)} cannot be told apart at run time"
        if expression is Any:
            assert caught.value.problem in (problem, problem.replace("Any", "typing.Any"))
            assert caught.value.remedy == remedy
        else:
            assert facts(caught.value) == ("P", "slot", problem, remedy)


@pytest.mark.parametrize("expression", [None, type(None), Optional[Fetch], "None"], ids=repr)  # noqa: UP045
def test_none_is_no_message(expression: object) -> None:
    """`Never` is the way to say that there is none."""
    with pytest.raises(DeclarationError) as caught:
        told(expression)
    assert facts(caught.value) == (
        "P",
        "slot",
        "its consumed type None is no type of its own",
        "leave it out; write Never for no type at all, and a class of your own for an empty message",
    )


@pytest.mark.parametrize(("alias", "name"), [(Endless, "Endless"), (Growing, "Growing")], ids=repr)
def test_an_alias_that_never_ends(alias: object, name: str) -> None:
    """It is refused, rather than followed for ever."""
    with pytest.raises(DeclarationError) as caught:
        told(alias)
    assert caught.value.slot == "slot"
    assert caught.value.problem.startswith("the type alias ")
    assert caught.value.problem.endswith(" refers to itself without end")
    assert caught.value.remedy == "name the classes it stands for"
    assert name in caught.value.problem


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_aliases_of_the_type_statement() -> None:
    """They are evaluated only now; a name that is missing in them is the declaration's error."""
    names: dict[str, Any] = {"Fetch": Fetch, "Parse": Parse}
    exec("type Both = Fetch | Parse\ntype Of[X] = X | Fetch\ntype Missing = Nowhere", names)  # noqa: S102

    assert told(names["Both"]) == (Fetch, Parse)
    assert told(names["Of"][Store]) == (Store, Fetch)
    with pytest.raises(DeclarationError) as caught:
        told(names["Missing"])
    assert caught.value.problem.startswith("the name 'Nowhere' in 'Missing' is not defined at run time")
