"""How many failures a subsystem survives, which, and how long it waits before it begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import Restart
from tests.runtime.life.lives import Lives, boom, failing, hardy
from tests.runtime.samples import AnyContext, Fails, Item, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock


async def test_past_the_limit_the_last_error_is_the_first_error(autojump_clock: MockClock) -> None:
    """With a note that says so, and one that names its origin; those before it have been logged."""
    last = KeyError("one too many")

    async def worker(ctx: AnyContext) -> None:
        await ctx.receive()
        raise last

    lives = Lives(boom, boom, worker)
    with stopped() as errors:
        async with hardy(Restart(max_restarts=2, within=10, backoff=1))(worker=lives).open() as running:
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert errors == [last]
    assert last.__notes__ == [
        "orchestra_trio: 'worker' had begun anew 2 times within the last 10 s, which is all that its restart allows",
        "orchestra_trio: raised in 'worker' of Varied, with an Item in hand",
    ]
    statistics = running.statistics().subsystems["worker"]
    assert (statistics.state, statistics.restarts) == ("failed", 2)


async def test_the_limit_forgets(autojump_clock: MockClock) -> None:
    """A failure that is as old as `within` counts no more; one a moment younger does."""
    at = [1.0, 5.0, 11.0, 15.0, 20.9]
    begun: list[float] = []

    async def worker(_: AnyContext) -> None:
        begun.append(trio.current_time())
        await trio.sleep_until(at[len(begun) - 1])
        raise ValueError

    with stopped():
        async with hardy(Restart(max_restarts=2, within=10, backoff=0))(worker=worker).open():
            await trio.sleep_forever()
    assert trio.current_time() == 20.9
    assert begun == [0, *at[:-1]]


async def test_the_backoff_grows_with_the_failures_that_count(autojump_clock: MockClock) -> None:
    """It begins anew once they are forgotten."""
    lives = Lives(boom, boom, boom, boom, failing(after=100))
    restart = Restart(max_restarts=4, within=50, backoff=1, factor=3, max_backoff=10)
    async with hardy(restart)(worker=lives).open():
        await trio.sleep(500)
    assert lives.begun == [0, 1, 4, 13, 23, 124]


async def test_jitter_shortens_the_backoff(autojump_clock: MockClock) -> None:
    """By chance, by its share of it at the most."""
    lives = Lives(*[boom] * 20)
    restart = Restart(max_restarts=20, backoff=8, factor=1, jitter=0.25)
    async with hardy(restart)(worker=lives).open():
        await trio.sleep(500)
    pauses = [after - before for before, after in zip(lives.begun, lives.begun[1:], strict=False)]
    assert len(pauses) == 20
    assert all(6 <= pause <= 8 for pause in pauses)
    assert len(set(pauses)) > 1


# --- which errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "error", "is_survived"),
    [
        (Exception, OSError(), True),
        (ValueError, UnicodeError(), True),
        (ValueError, KeyError(), False),
        ((ValueError, OSError), ConnectionError(), True),
        ((ValueError, OSError), KeyError(), False),
        (ValueError, ExceptionGroup("", [ValueError(), ExceptionGroup("", [UnicodeError()])]), True),
        (ValueError, ExceptionGroup("", [ValueError(), ExceptionGroup("", [KeyError()])]), False),
        (ExceptionGroup, ExceptionGroup("", [KeyError()]), True),
        ((ValueError, KeyError), ExceptionGroup("", [KeyError(), ValueError()]), True),
        (Exception, KeyboardInterrupt(), False),
        (Exception, SystemExit(3), False),
        (Exception, BaseExceptionGroup("", [ValueError(), SystemExit()]), False),
        (Exception, BaseExceptionGroup("", [ExceptionGroup("", [OSError()]), KeyboardInterrupt()]), False),
    ],
)
@pytest.mark.parametrize("in_job", [False, True])
async def test_which_errors_are_survived(
    on: Any,  # noqa: ANN401 - a class or a tuple
    error: BaseException,
    is_survived: bool,
    in_job: bool,
    autojump_clock: MockClock,
) -> None:
    """What `on` names, groups of nothing else; never what is no `Exception`. Others come out whole."""

    async def worker(ctx: AnyContext) -> None:
        if in_job:
            ctx.start_soon(Fails(error))
            await trio.sleep_forever()
        await Fails(error)(ctx)

    orchestra = hardy(Restart(on=on))(worker=Lives(worker))
    if is_survived:
        async with orchestra.open() as running:
            await trio.sleep(1)
            assert running.statistics().subsystems["worker"].restarts == 1
        return
    with stopped() as errors:
        async with orchestra.open():
            await trio.sleep_forever()
    assert list(map(repr, errors)) == [repr(error)]
    assert trio.current_time() == 0


async def test_without_a_restart_each_error_is_the_first(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        async with hardy(None)(worker=boom).open():
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [ValueError]
