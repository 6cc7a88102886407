"""Opening a harness, and leaving it."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

import trio

from orchestra_trio.runtime.life.failures import members, without_cancelled
from orchestra_trio.testing.harness.declaring import PEER, TEST, GivenTypes, SubjectOptions, make_plan
from orchestra_trio.testing.harness.harness import Harness
from orchestra_trio.testing.harness.session import Session
from orchestra_trio.testing.harness.side import check_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from orchestra_trio.runtime.contexts.subsystem import BlockingSubsystem, Subsystem
    from orchestra_trio.runtime.orchestra import Orchestra

__all__ = ["open_harness"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")
SigT = TypeVar("SigT")


@overload
def open_harness(
    subject: Subsystem[InT, OutT, SigT],
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    slot: tuple[type[Orchestra[Any, Any]], str] | None = None,
    blocking: bool | None = None,
    peer_capacity: int | None = None,
    within: float = 1,
    strict: bool = True,
    **options: Unpack[SubjectOptions],
) -> AbstractAsyncContextManager[Harness[InT, OutT, SigT]]: ...
@overload
def open_harness(
    subject: BlockingSubsystem[InT, OutT, SigT],
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    slot: tuple[type[Orchestra[Any, Any]], str] | None = None,
    blocking: bool | None = None,
    peer_capacity: int | None = None,
    within: float = 1,
    strict: bool = True,
    **options: Unpack[SubjectOptions],
) -> AbstractAsyncContextManager[Harness[InT, OutT, SigT]]: ...
def open_harness(  # noqa: PLR0913 - each is one fact about the harness; few are given at once
    subject: Any,
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    slot: tuple[type[Orchestra[Any, Any]], str] | None = None,
    blocking: bool | None = None,
    peer_capacity: int | None = None,
    within: float = 1,
    strict: bool = True,
    **options: Unpack[SubjectOptions],
) -> AbstractAsyncContextManager[Harness[Any, Any, Any]]:
    """Run one subsystem against a test, which holds a conversation with it.

    Used as `async with open_harness(parse) as harness`. The subject runs in an orchestra of its own, with real lanes,
    capacities and epochs. Leaving the block normally closes its input, waits until it has ended, and fails if it has
    sent anything that the test did not expect. An error of the block comes out as it is, and cancels the subject. An
    error of the subject cancels the block, and comes out in a group as from `Orchestra.open`, but where `expect_error`
    waits for it.

    Args:
        subject: The subsystem, also a blocking one.
        consumes: The types that it consumes: a type, a union, a tuple of types, or Never. Left to `slot`, or else to
            the annotation of its context, if None.
        sends: The types that it sends, likewise.
        signals: The types of signals that it subscribes to, likewise.
        slot: An orchestra's class and the name of one of its slots: types, capacities and options are those of that
            slot, where they are not given here.
        blocking: Whether it is sync, and runs in a thread; found out from slot or annotation if None.
        peer_capacity: Messages that fit into the bounded lane, and into the priority lane, in which its messages wait
            to be expected; the class's `message_capacity` if None.
        within: Seconds that each wait of the harness may take, on trio's clock, if the call does not say otherwise.
        strict: Whether messages that nobody has expected fail the test at the end of the block.
        options: Of its slot, as for `subsystem(...)`: `message_capacity`, `signal_capacity`, `priority`, `unbounded`,
            `select`, `restart`, `after_exit`, `readiness`.

    Returns:
        A context manager; its `Harness` is the test's side of the conversation.

    Raises:
        DeclarationError: Its types are not known, or cannot be wired; raised by this call, as the next two are.
        TypeError: That is no subsystem, there is no such option, `slot` is no pair of a class and a name, or `within`
            no number.
        ValueError: `within` is not above 0.
        ExpectationFailed: It was not ready in time, has sent what nobody expected, or did not end; raised by the
            context manager, as the errors of the subject are.
    """
    check_seconds(within)
    if not within:
        message = f"within must be above 0 seconds, not {within}"
        raise ValueError(message)
    given = GivenTypes(consumes, sends, signals)
    frame = sys._getframe(1)  # noqa: SLF001 - where quoted types are looked up, as with a class statement
    plan = make_plan(subject, given, slot, options, blocking=blocking, peer_capacity=peer_capacity, frame=frame)
    session = Session(plan, within)
    fields: dict[str, Any] = {TEST: session.test, plan.name: subject, PEER: session.peer}
    return _opened(session, plan.orchestra(**fields), strict=strict)


@asynccontextmanager
async def _opened(
    session: Session, orchestra: Orchestra[Any, Any], *, strict: bool
) -> AsyncGenerator[Harness[Any, Any, Any]]:
    errors: list[BaseException] = []
    try:
        async with trio.open_nursery() as session.nursery:
            session.nursery.start_soon(session.serve, orchestra, name=f"harness of {session.plan.name}")  # noqa: ASYNC113 - `wait_open` waits for it
            try:
                await session.wait_open()
                with session.block:
                    yield Harness(session)
                    await session.finish(strict=strict)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - raised below, once nothing runs any more
                errors.append(error)
            if errors:
                session.stop()
    except BaseException as error:  # noqa: ASYNC103, BLE001 - as above: a cancellation, for nothing else leaves here
        errors.append(error)
    try:
        _raise(session, errors)
    finally:
        errors.clear()  # else they would refer to themselves, by their tracebacks, through this frame


def _raise(session: Session, errors: list[BaseException]) -> None:
    """Raise what came of a run: the error of the block as it is, those of the subject as a group."""
    real = [error for error in errors if without_cancelled(error) is not None]
    if session.failure is None:
        if real or errors:
            raise (real or errors)[0]
        return
    if real:
        message = f"the test of {session.plan.name!r} and its subject failed"
        raise BaseExceptionGroup(message, [*real, *members(session.failure)])
    raise session.failure
