"""One run of a harness: the orchestra in a task of its own, the mailbox of the peer, and how it ends.

States::

    open -> input closed -> over

* *open*: the subject runs, or has ended by itself.
* *input closed*: by `close_input`, or because the block was left: the subject drains. What it sends then still lies
  in the lanes of the peer.
* *over*: nothing runs any more: the block was left, `terminate` has returned, or the subject has failed. What was sent
  and not taken before was kept as dead letters of the peer, and is taken from there.

The orchestra runs in a task of its own, not around the test's block: so a failure that the test expects does not
cancel what comes after it, and an error of the test itself comes out as it is, in no group.

The peer takes from its mailbox only when the test asks for more than was taken before. Its messages are taken by the
test's own tasks, with the context that the peer's task lends them; that task itself only waits to be let go, which no
part of the library can see through: so no deadlock is ever found that the test could still resolve.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from orchestra_trio.records import StopReport
from orchestra_trio.runtime.life.failures import without_cancelled
from orchestra_trio.runtime.surroundings import on_opening
from orchestra_trio.runtime.watch.standing import stand
from orchestra_trio.testing.harness.declaring import PEER, TEST
from orchestra_trio.testing.harness.failures import Arrival, ExpectationFailed, Scene
from orchestra_trio.testing.harness.lookout import Lookout
from orchestra_trio.testing.harness.threads import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from orchestra_trio.records import LaneName
    from orchestra_trio.runtime.contexts.context import SubsystemContext
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.runtime.orchestra import Orchestra
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.testing.harness.declaring import Plan

__all__ = ["Lent", "Session"]

_MOST_UNEXPECTED: Final = 100
"""How many messages that nobody expected are taken before the test fails for them."""

_MOST_FLUSHED: Final = 10_000
"""Where they are no failure: how many are taken before the subject is taken for one that never ends."""


@attrs.define(eq=False)
class Lent:
    """A subsystem that does nothing but lend its context to the test, until it is let go."""

    ctx: SubsystemContext[Any, Any, Any] = attrs.field(init=False)
    let_go: trio.Event = attrs.Factory(trio.Event)

    async def __call__(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        """Lend the context."""
        self.ctx = ctx
        ctx.started()
        await self.let_go.wait()


@attrs.define(eq=False)
class Session:
    """One run of a harness, and all that its calls share."""

    plan: Plan
    within: float
    """Seconds that each wait may take where its caller does not say otherwise."""
    test: Lent = attrs.Factory(Lent)
    peer: Lent = attrs.Factory(Lent)
    opened: trio.Event = attrs.Factory(trio.Event)
    over: trio.Event = attrs.Factory(trio.Event)
    serving: trio.CancelScope = attrs.Factory(trio.CancelScope)
    block: trio.CancelScope = attrs.Factory(trio.CancelScope)
    """What a failure of the subject cancels: the test's block, or the part of it in which a failure is expected."""
    failure: BaseException | None = None
    """What `open()` of the orchestra has raised, as long as nobody has taken it."""
    arrived: list[Arrival] = attrs.Factory(list[Arrival])
    """What was taken from the peer's mailbox and not expected yet."""
    nursery: trio.Nursery = attrs.field(init=False)
    running: RunningOrchestra[Any, Any] = attrs.field(init=False)
    begun: trio.Event = attrs.Factory(trio.Event)
    """Set once there is a running orchestra, or never will be."""
    _is_taking: bool = False
    _expects_failure: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether the orchestra was opened, be it that not all in it is ready."""
        return hasattr(self, "running")

    @property
    def peer_has_ended(self) -> bool:
        """Whether what the subject still sends becomes dead letters."""
        return self.running.statistics().subsystems[PEER].has_ended

    @property
    def live(self) -> LiveSubsystem:
        """The subject as it runs: its tasks, and where they stand, which the public face tells in words alone."""
        return self.running._run.subsystems[self.plan.name]  # noqa: SLF001 - a tool of the library's own

    async def serve(self, orchestra: Orchestra[Any, Any]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Run the orchestra; keep its error, and cancel the block for it."""
        try:
            with self.serving, on_opening(self._note_running):
                async with orchestra.open():
                    self.opened.set()
                    await self.running.wait_input_closed()
                    self.test.let_go.set()
                    await self.peer.let_go.wait()
        except BaseException as error:  # noqa: ASYNC103 - kept, and raised by the block
            self.failure = without_cancelled(error)
            if self.failure is None:
                raise
            self.block.cancel()
        finally:
            if self.has_begun:
                letters = [letter for letter in self.running.dead_letters if letter.consumer == PEER]
                self.arrived += [Arrival(letter.message, letter.lane) for letter in letters]
            self.begun.set()
            self.opened.set()
            self.over.set()

    async def wait_open(self) -> None:
        """Wait until the subject is ready.

        Raises:
            ExpectationFailed: It was not ready in time.
            BaseExceptionGroup: It has failed before.
        """
        await self.begun.wait()
        if self.has_begun and not await Limit(self.within).keeps(self.live, self.opened.wait):
            raise self.failed(
                f"the subject to be ready within {self.within:g} s", "but it has not called ctx.started()"
            )
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    @contextmanager
    def expecting_failure(self) -> Generator[None]:
        """Let a failure of the subject cancel no more than what is done in here.

        Raises:
            RuntimeError: It does so already.
        """
        if self._expects_failure:
            message = f"an error of {self.plan.name!r} is being expected already"
            raise RuntimeError(message)
        outer, self.block = self.block, trio.CancelScope()
        self._expects_failure = True
        try:
            with self.block:
                yield
        finally:
            self.block = outer
            self._expects_failure = False

    async def terminate(self, signal: object, grace: float) -> StopReport:
        """Terminate the orchestra; the peer outlives the subject."""
        scope = trio.CancelScope()
        self.nursery.start_soon(self._let_peer_go, scope)
        try:
            report = await self.running.terminate(signal, grace=grace)
        finally:
            scope.cancel()
        self.peer.let_go.set()
        await self.over.wait()
        name = self.plan.name
        return StopReport(
            finished=tuple(one for one in report.finished if one == name),
            cancelled=tuple(one for one in report.cancelled if one == name),
            undelivered={one: count for one, count in report.undelivered.items() if one == name},
        )

    async def _let_peer_go(self, scope: trio.CancelScope) -> None:
        with scope:
            await self.wait_until(lambda: self.live.has_ended, Limit(math.inf))
            self.peer.let_go.set()

    def stop(self) -> None:
        """Cancel the subject, if it still runs."""
        if self.opened.is_set() and self.has_begun:
            self.running.cancel()
        else:
            self.serving.cancel()  # an orchestra that is cancelled while it opens takes that for an error

    def _note_running(self, running: RunningOrchestra[Any, Any]) -> None:
        if not self.has_begun:  # else the subject has opened an orchestra itself
            self.running = running
            self.begun.set()

    def check_open(self) -> None:
        """Refuse what would send to the subject once its input was closed.

        Raises:
            trio.ClosedResourceError: It was.
        """
        if self.over.is_set() or self.test.let_go.is_set():
            message = f"the input of {self.plan.name!r} is closed: it gets nothing more from this harness"
            raise trio.ClosedResourceError(message)

    def close_input(self) -> None:
        """Let the subject drain."""
        self.running.close_input()
        self.test.let_go.set()

    # --- What the peer takes ---------------------------------------------------------------------------------------

    @contextmanager
    def taking(self) -> Generator[None]:
        """Let one task at a time take messages.

        Raises:
            trio.BusyResourceError: Another task does.
        """
        if self._is_taking:
            message = f"another task of the test expects something of {self.plan.name!r}: let one task do so"
            raise trio.BusyResourceError(message)
        self._is_taking = True
        try:
            yield
        finally:
            self._is_taking = False

    async def has_arrived(self, count: int, limit: Limit) -> bool:  # noqa: ASYNC910 - callers have checked for cancellation
        """Take messages until there are so many that nobody has expected yet.

        Args:
            count: How many.
            limit: For how long.

        Returns:
            False if that many have not come in time, or no more will come.
        """
        while len(self.arrived) < count:
            try:
                if not self._take_nowait() and not await limit.keeps(self.live, self._take):
                    return False  # noqa: ASYNC910 - as above
            except trio.EndOfChannel:
                if self.peer_has_ended:
                    await self.over.wait()  # then what lay in the lanes has arrived, and an error has cancelled this
                return len(self.arrived) >= count  # noqa: ASYNC910 - as above
        return True  # noqa: ASYNC910 - as above

    def _take_nowait(self) -> bool:
        before = self._received()
        try:
            message = self.peer.ctx.receive_nowait()
        except trio.WouldBlock:
            return False
        self._add(message, before)
        return True

    async def _take(self) -> None:
        before = self._received()
        self._add(await self.peer.ctx.receive(), before)

    def _received(self) -> dict[LaneName, int]:
        peer = self.running.statistics().subsystems[PEER]
        return {
            "priority": peer.priority.received,
            "unbounded": peer.unbounded.received,
            "bounded": peer.bounded.received,
        }

    def _add(self, message: object, before: dict[LaneName, int]) -> None:
        # Nobody else takes from this mailbox, so that the meters tell through which lane this one came.
        after = self._received()
        lane: LaneName = next(name for name, count in before.items() if after[name] > count)
        self.arrived.append(Arrival(message, lane))

    # --- How it stands ---------------------------------------------------------------------------------------------

    def failed(self, expected: str, outcome: str, arrived: Iterable[Arrival] = ()) -> ExpectationFailed:
        """Return the error for an expectation that was not met."""
        numbers = self.running.statistics()
        peer = numbers.subsystems[PEER]
        scene = Scene(
            standing=stand(self.live),
            lying=sum(lane.channel_len for lane in (peer.priority, peer.unbounded, peer.bounded)),
            epoch=numbers.epoch,
            test_waits=numbers.subsystems[TEST].waits,
        )
        return ExpectationFailed(expected, outcome, arrived, scene)

    async def wait_until(self, condition: Callable[[], bool], limit: Limit) -> bool:
        """Wait until a condition holds that is about the subject; return whether it came to that in time."""
        await trio.lowlevel.checkpoint()
        if not condition():
            lookout = Lookout(condition)
            trio.lowlevel.add_instrument(lookout)
            try:
                if not await limit.keeps(self.live, lookout.found.wait):
                    return False
            finally:
                trio.lowlevel.remove_instrument(lookout)
        await self.give_way()
        return True

    async def give_way(self) -> None:  # noqa: ASYNC910 - callers have checked for cancellation
        """Let an error of the subject cancel this, if it has failed: rather than go on for another moment."""
        if self.live.end == "failed":
            await self.over.wait()

    # --- How it ends -----------------------------------------------------------------------------------------------

    async def finish(self, *, strict: bool) -> None:  # noqa: ASYNC910 - leaving the nursery is one
        """Close the input, and take all that the subject still sends, until it has ended.

        Raises:
            ExpectationFailed: There was something that nobody had expected, or it did not end in time.
        """
        if strict:
            self.close_input()
        elif not self.over.is_set():
            # A subject that is being terminated may end by losing an answer: requests that nobody expected are let
            # go of. In strict mode the test fails for them, and they are kept until then.
            self.nursery.start_soon(partial(self.running.terminate, grace=math.inf), name="terminate")
            await self.running.wait_input_closed()
        unexpected: list[Arrival] = []
        count, most = 0, _MOST_UNEXPECTED if strict else _MOST_FLUSHED
        limit = Limit(self.within)
        with self.taking():
            while count < most and await self.has_arrived(1, limit):
                count += 1
                unexpected += self.arrived[:1] if strict else ()
                del self.arrived[0]
        if strict and count:
            came = f"{count} messages came" if count > 1 else "a message came"
            raise self.failed("nothing more before the end of the test", f"but {came}", unexpected)
        # Where it sends the peer nothing, it may outlive the peer's input.
        if count == most or not await self.wait_until(lambda: self.live.has_ended, limit):
            outcome = f"but it sent {count} messages and went on" if count == most else "but it runs on"
            raise self.failed(f"the subject to end within {self.within:g} s of the end of its input", outcome)
        self.peer.let_go.set()
