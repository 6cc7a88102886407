"""Restart groups: who begins anew with whom, and that all of them wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
import trio

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from tests.runtime.life.lives import Lives, Play, boom, failing, restart_records, tidying
from tests.runtime.samples import AnyContext, Ask, Imported, Item, Other, Tick, done, idle, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock


class Chain(Orchestra[Tick]):
    """Three in a group, of which each failure lets all begin anew, and one beside them.

    In the order of the wiring they are c, b, a, loner: not that of the declaration.
    """

    a: Subsystem[Item] = subsystem(restart=Restart(backoff=1), restart_group="chain")
    b: Subsystem[Other, Item] = subsystem(restart=Restart(backoff=2), restart_group="chain")
    c: Subsystem[Ask, Other, Tick] = subsystem(restart=Restart(backoff=4), restart_group="chain")
    loner: Subsystem[Imported] = subsystem(restart=Restart(backoff=1))


class Rest(Chain):
    """The same, where only those begin anew that come after the one that failed."""

    a: Subsystem[Item] = subsystem(restart=Restart(backoff=1, order="rest"), restart_group="chain")
    b: Subsystem[Other, Item] = subsystem(restart=Restart(backoff=2, order="rest"), restart_group="chain")
    c: Subsystem[Ask, Other, Tick] = subsystem(restart=Restart(backoff=4, order="rest"), restart_group="chain")


class Cast:
    """Lives for each slot of a chain, by the plays of their incarnations; the others receive until their input ends."""

    def __init__(self, **plays: list[Play]) -> None:
        self.lives = {name: Lives(*plays.get(name, [])) for name in ("a", "b", "c", "loner")}

    def held(self, orchestra: type[Chain] = Chain) -> Chain:
        fields: dict[str, Any] = dict(self.lives)
        return orchestra(**fields)

    @property
    def begun(self) -> dict[str, list[float]]:
        """When the incarnations of each began, after the first."""
        return {name: lives.begun[1:] for name, lives in self.lives.items() if lives.begun[1:]}


def ends_after(seconds: float, ended: list[float] | None = None) -> Play:
    """Make a play that waits to be cancelled, and then takes some time to end."""

    async def play(_: object) -> None:
        await tidying(seconds, ended)

    return play


async def test_one_for_all(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """All of the group begin anew at one time, its backoff after the last of them has ended; nobody else does."""
    cast = Cast(a=[ends_after(5)], b=[failing(after=1)], c=[ends_after(3)])
    async with cast.held().open() as running:
        await trio.sleep(5)
        states = {"a": "restarting", "b": "restarting", "c": "restarting", "loner": "running"}
        assert {one.name: one.state for one in running.statistics().subsystems.values()} == states
        await trio.sleep(5)
        restarts = {"a": 1, "b": 1, "c": 1, "loner": 0}
        assert {one.name: one.restarts for one in running.statistics().subsystems.values()} == restarts
    assert cast.begun == {"a": [8], "b": [8], "c": [8]}
    assert [record.getMessage() for record in restart_records(caplog)] == [
        "subsystem 'b' of Chain failed with ValueError and begins anew after a backoff of 2 s",
        "subsystem 'c' of Chain begins anew after a backoff of 2 s, with 'b', which failed",
        "subsystem 'a' of Chain begins anew after a backoff of 2 s, with 'b', which failed",
    ]
    assert [vars(record)["subsystem"] for record in restart_records(caplog)] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("failed", "expected"), [("a", {"a": [2]}), ("b", {"a": [3], "b": [3]}), ("c", {"a": [5], "b": [5], "c": [5]})]
)
async def test_the_rest(failed: str, expected: dict[str, list[float]], autojump_clock: MockClock) -> None:
    """Those that come after it in the order of the wiring, upstream first, whatever that of the declaration."""
    cast = Cast(**{failed: [failing(after=1)]})
    async with cast.held(Rest).open() as running:
        assert Rest.graph().components == (("c",), ("b",), ("a",), ("loner",))
        await trio.sleep(10)
        assert sum(one.restarts for one in running.statistics().subsystems.values()) == len(expected)
    assert cast.begun == expected


async def test_mailboxes_of_all_stay(autojump_clock: MockClock) -> None:
    """What lies in the lanes of those who begin anew with another is received by their next incarnations."""
    got: list[object] = []

    async def receives(ctx: AnyContext) -> None:
        async for incoming in ctx:
            got.append((ctx.name, incoming, ctx.epoch))  # noqa: PERF401 - seen when it is cancelled, too

    cast = Cast(a=[ends_after(5), receives], b=[failing(after=1)], c=[ends_after(5), receives])
    async with cast.held().open() as running:
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick(1))
        await trio.sleep(3)
        await running.route_message(Item(2))
    assert sorted(map(str, got)) == [
        "('a', Item(number=1), 0)",
        "('a', Item(number=2), 0)",
        "('c', Tick(number=1), 1)",
    ]


async def test_who_has_finished_stays_so(autojump_clock: MockClock) -> None:
    """Also one whose background job still takes its time to end."""

    async def ends(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 5, background=True)
        await trio.sleep(0.5)

    cast = Cast(a=[done], b=[failing(after=1)], c=[ends])
    async with cast.held().open() as running:
        await trio.sleep(10)
        states = {"a": "finished", "b": "running", "c": "finished", "loner": "running"}
        assert {one.name: one.state for one in running.statistics().subsystems.values()} == states
    assert cast.begun == {"b": [3]}


async def test_each_has_a_limit_of_its_own(autojump_clock: MockClock) -> None:
    """To begin anew with another is no failure."""

    class Limited(Orchestra):
        a: Subsystem[Item] = subsystem(restart=Restart(max_restarts=1, backoff=0), restart_group="x")
        b: Subsystem[Other] = subsystem(restart=Restart(max_restarts=2, backoff=0), restart_group="x")

    error = KeyError("one too many")

    async def last(_: AnyContext) -> None:
        await trio.sleep(1)
        raise error

    b = Lives(failing(after=1), failing(after=1), ends_after(0), last)
    a = Lives(idle, idle, failing(after=1))
    with stopped() as errors:
        async with Limited(a=a, b=b).open() as running:
            await trio.sleep_forever()
    assert errors == [error]
    assert running.map_subsystems(lambda one: (one.name, one.restarts)) == [("a", 3), ("b", 3)]


# --- errors of several -----------------------------------------------------------------------------------------------


async def test_errors_of_others_while_they_end_are_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """They are no failures that count: the next is the first of each."""

    async def fails_when_cancelled(_: AnyContext) -> None:
        await tidying(1, None, LookupError())

    cast = Cast(a=[fails_when_cancelled] * 3 + [boom] * 3, b=[failing(after=1)] * 3)
    async with cast.held().open() as running:
        await trio.sleep(100)
        assert running.statistics().subsystems["a"].restarts == 6
    messages = [record.getMessage() for record in restart_records(caplog) if vars(record)["subsystem"] == "a"]
    assert messages == [
        f"subsystem 'a' of Chain failed with {kind} and begins anew after a backoff of {backoff} s"
        for kind, backoff in [("LookupError", number) for number in (2, 4, 8)]
        + [("ValueError", number) for number in (1, 2, 4)]
    ]


@pytest.mark.parametrize("restart", [None, Restart(on=OSError)])
async def test_errors_of_others_that_are_not_survived_are_first_errors(
    restart: Restart | None, autojump_clock: MockClock
) -> None:
    """Whether their slot has no restart at all, or one for other errors."""

    class Both(Orchestra):
        hardy: Subsystem[Item] = subsystem(restart=Restart(), restart_group="both")
        frail: Subsystem[Other] = subsystem(restart=restart, restart_group="both")

    survived, fatal = ValueError(), LookupError()

    async def hardy(_: AnyContext) -> None:
        await trio.sleep(1)
        raise survived

    async def frail(_: AnyContext) -> None:
        await tidying(1, None, fatal)

    with stopped() as errors:
        async with Both(hardy=hardy, frail=frail).open() as running:
            await trio.sleep_forever()
    assert errors == [fatal, survived]
    assert running.map_subsystems(lambda one: one.state) == ["failed", "failed"]


class Slow(Rest):
    """The same, where the one that comes last waits longest."""

    a: Subsystem[Item] = subsystem(restart=Restart(backoff=10, order="rest"), restart_group="chain")


@pytest.mark.parametrize(("orchestra", "begins"), [(Rest, 5.5), (Slow, 11)])
async def test_one_that_fails_during_the_backoff_of_others_begins_anew_with_them(
    orchestra: type[Chain], begins: float, autojump_clock: MockClock
) -> None:
    """When the longer of the backoffs is over: each began when its own was."""
    cast = Cast(a=[failing(after=1)], c=[failing(after=1.5)])
    async with cast.held(orchestra).open():
        await trio.sleep(20)
    assert cast.begun == {"a": [begins], "b": [begins], "c": [begins]}


@pytest.mark.parametrize(("orchestra", "begins"), [(Rest, 17), (Slow, 23)])
async def test_one_that_fails_while_others_end_joins_them(
    orchestra: type[Chain], begins: float, autojump_clock: MockClock
) -> None:
    """The longest backoff counts, after the last has ended; who was not concerned before is now."""

    async def takes_long(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 4)
        await failing(after=1)(ctx)

    cast = Cast(a=[takes_long], b=[ends_after(10)], c=[failing(after=3)])
    async with cast.held(orchestra).open():
        await trio.sleep(50)
    assert cast.begun == {"a": [begins], "b": [begins], "c": [begins]}


async def test_one_that_fails_the_moment_it_begins_takes_the_others_with_it(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that begin at the same time, or just have; and each restart has one record."""

    async def at_once(_: AnyContext) -> None:  # noqa: ASYNC124 - a subsystem
        raise ValueError

    cast = Cast(b=[failing(after=1), at_once, at_once])
    async with cast.held().open() as running:
        await trio.sleep(50)
        restarts = {one.name: one.restarts for one in running.statistics().subsystems.values()}
    assert cast.lives["b"].begun == [0, 3, 7, 15]
    for name in "ac":
        assert cast.lives[name].begun[0] == 0
        assert cast.lives[name].begun[-1] == 15
        assert set(cast.lives[name].begun) <= {0, 3, 7, 15}
    records = [vars(record)["subsystem"] for record in restart_records(caplog)]
    assert {name: records.count(name) for name in restarts} == restarts


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_cancelled_while_they_are_to_begin_anew(autojump_clock: MockClock) -> None:
    """Who had failed has failed; the others were cancelled, and no old incarnation is left behind."""
    ended: list[float] = []
    cast = Cast(a=[ends_after(5, ended)], b=[failing(after=1)])
    with stopped() as errors:
        async with cast.held().open() as running:
            await trio.sleep(3)
            running.cancel()
    assert [type(error) for error in errors] == [ValueError]
    assert ended == [6]
    assert trio.current_time() == 6
    states = {"a": "cancelled", "b": "failed", "c": "cancelled", "loner": "cancelled"}
    assert {one.name: one.state for one in running.statistics().subsystems.values()} == states
    assert not cast.begun


async def test_no_error_is_lost_when_it_joined_another_backoff(autojump_clock: MockClock) -> None:
    """The first failure was forgotten when the sleep for its own backoff was over, though it did not begin anew."""
    cast = Cast(a=[failing(after=1, error=KeyError)], c=[failing(after=1.5, error=OSError)])
    with stopped() as errors:
        async with cast.held(Rest).open() as running:
            await trio.sleep(4)
            running.cancel()
    assert {type(error) for error in errors} == {KeyError, OSError}
    assert [running.statistics().subsystems[name].state for name in "abc"] == ["failed", "cancelled", "failed"]


async def test_all_errors_of_a_round_come_out_when_nothing_begins_anew(autojump_clock: MockClock) -> None:
    """Behind the one that stopped the orchestra."""

    async def fails_when_cancelled(_: AnyContext) -> None:
        await tidying(1, None, LookupError())

    cast = Cast(a=[fails_when_cancelled], b=[failing(after=1)], c=[ends_after(5)])
    cast.lives["loner"].plays = (failing(after=3, error=SystemExit),)
    with stopped() as errors:
        async with cast.held().open() as running:
            await trio.sleep_forever()
    assert type(errors[0]) is SystemExit
    assert {type(error) for error in errors[1:]} == {LookupError, ValueError}
    states = {"a": "failed", "b": "failed", "c": "cancelled", "loner": "failed"}
    assert {one.name: one.state for one in running.statistics().subsystems.values()} == states


# --- who there is not ------------------------------------------------------------------------------------------------


async def test_slots_without_a_subsystem_are_no_members(autojump_clock: MockClock) -> None:
    """Those not built yet."""

    class Partly(Orchestra):
        built: Subsystem[Item, Other] = subsystem(restart=Restart(order="rest", backoff=1), restart_group="x")
        later: Subsystem[Other] = subsystem(wip=True, restart_group="x")
        frail: Subsystem[Ask, Never] = subsystem(restart_group="x")

    built, frail = Lives(boom), Lives()
    async with Partly(built=built, frail=frail).open():
        await trio.sleep(5)
    assert built.begun == frail.begun == [0, 1]
