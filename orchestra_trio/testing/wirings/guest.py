"""A trio run that goes on only while somebody asks something of it, in the thread of who asks.

A state machine of hypothesis is not async: its rules are called one after another, and the orchestra must live on
between them. In trio's guest mode (`trio.lowlevel.start_guest_run`) the host decides when trio may take its next
steps; here the host is whoever calls `do`, and it lets trio run until what it asked for is done. So everything happens
in one thread, and draws that decide the schedule come from where hypothesis expects them.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.testing.hangs import MOST_STEPS, watching

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["GuestRun"]

T = TypeVar("T")


class GuestRun:
    """One run, under a clock that jumps when all tasks wait."""

    def __init__(self, *, instruments: Sequence[trio.abc.Instrument] = (), most_steps: int = MOST_STEPS) -> None:
        """Begin it.

        Args:
            instruments: Of the run.
            most_steps: How many steps all tasks together may take for one thing that is asked.
        """
        self._ticks: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._most_steps = most_steps
        self._has_ended = False
        self._failure: BaseException | None = None
        self._commands: trio.MemorySendChannel[Callable[[], Awaitable[object]]]
        self.nursery: trio.Nursery
        """For what is to go on when what was asked is done."""
        self._is_up = False
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._ticks.put,
            done_callback=self._note_end,
            clock=MockClock(autojump_threshold=0),
            instruments=instruments,
        )
        self._go_on_until(lambda: self._is_up)

    def do(self, async_fn: Callable[..., Awaitable[T]], *args: object, then_rest: bool = False) -> T:
        """Call an async function in the run, and let the run go on until it returns.

        Args:
            async_fn: To be called with `args`.
            args: Passed on.
            then_rest: Whether the run goes on after that until all its tasks wait.

        Raises:
            Hang: All tasks wait, and nothing will wake one.
            NeverEnds: It took too many steps.
            RuntimeError: The run has ended.
            BaseException: What the function raises.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        async def command() -> None:  # noqa: ASYNC910 - the function asked for has its own
            scope = trio.CancelScope()
            try:
                with watching(scope, self._most_steps), scope:
                    result = await async_fn(*args)
                    if then_rest:
                        await wait_all_tasks_blocked()
                    results.append(result)
            except Exception as error:  # noqa: BLE001 - raised again by who asked
                errors.append(error)

        if self._has_ended:
            raise RuntimeError("the run has ended: nothing more can be done in it")
        self._commands.send_nowait(command)
        self._go_on_until(lambda: bool(results or errors))
        if errors:
            raise errors[0]
        return results[0]

    def close(self) -> None:
        """Cancel what still runs, and end the run."""
        if not self._has_ended:
            self._commands.close()
            self._go_on_until(lambda: self._has_ended)
        if self._failure is not None:
            raise self._failure

    def _go_on_until(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            if self._has_ended:
                raise self._failure or RuntimeError("the run has ended amid what was asked of it")
            self._ticks.get()()

    async def _main(self) -> None:
        self._commands, commands = trio.open_memory_channel[Any](1)
        async with trio.open_nursery(strict_exception_groups=True) as self.nursery:
            self._is_up = True
            async for command in commands:
                await command()
            self.nursery.cancel_scope.cancel()

    def _note_end(self, outcome: Any) -> None:  # noqa: ANN401 - the library `outcome` is a dependency of trio's alone
        self._failure = getattr(outcome, "error", None)
        self._has_ended = True
