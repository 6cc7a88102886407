"""Threads in dumps and stalls: those of blocking subsystems, of their jobs, and those that async ones wait for."""

from __future__ import annotations

import pytest
import trio

from tests.runtime.contexts.blocking import AnyBlockingContext, Desk, Gate, Mixed, until, until_it_waits
from tests.runtime.samples import AnyContext, Duo, Other, done, forever
from tests.runtime.watch.dumps import section, titles


async def test_threads_that_compute() -> None:
    """Of blocking subsystems, and of their jobs."""
    gates = Gate(), Gate()

    def compact() -> None:
        gates[1].wait()

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(compact, name="compaction")
        gates[0].wait()

    async with Desk(worker=worker).open() as running:
        await until(lambda: all(gate.is_reached for gate in gates))
        text = running.dump()
        for gate in gates:
            gate.open()
    assert section(text, "worker")[0].startswith("worker: running, stands in a thread, at ")
    assert titles(text, "worker") == ["thread of worker:", "thread of compaction:"]
    assert "in compact" in text
    assert "threading.py" not in text


async def test_a_thread_that_waits_beside_another_that_computes() -> None:
    """Each is shown with what it does itself."""
    gate = Gate()

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(gate.wait, name="compaction")
        for _ in ctx:
            pass

    async with Desk(worker=worker).open() as running:
        await until(lambda: gate.is_reached)
        await until_it_waits(running, "worker")
        text = running.dump()
        gate.open()
    assert section(text, "worker")[0] == "worker: running, waits to receive"
    waiting, computing = titles(text, "worker")
    assert waiting.startswith("thread of worker: waits to receive, for ")
    assert computing == "thread of compaction:"


async def test_threads_that_wait_in_a_call() -> None:
    """They are shown with what the task waits for that carries it out, and their own stacks."""

    def ping(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Other(0), Other(1)])

    async with Mixed(ping=ping, pong=forever).open() as running:
        await until_it_waits(running, "ping", "send")
        text = running.dump()
        running.cancel()
    assert section(text, "ping")[0] == "ping: running, waits for room at 'pong' (bounded lane), to send an Other"
    (title,) = titles(text, "ping")
    assert title.startswith("thread of ping: waits for room at 'pong' (bounded lane), to send an Other, for ")
    assert "ctx.send_many([Other(0), Other(1)])" in text
    assert "bridge.py" not in text


@pytest.mark.parametrize("kind", ["job", "call"])
async def test_threads_of_async_subsystems(kind: str) -> None:
    """Of jobs that block, and of `trio.to_thread.run_sync`."""
    gate = Gate()

    def compute() -> None:
        gate.wait()

    async def sink(ctx: AnyContext) -> None:
        if kind == "job":
            ctx.start_blocking_soon(compute, name="sums")
        else:
            await trio.to_thread.run_sync(compute)
        await trio.lowlevel.checkpoint()

    async with Duo(source=done, sink=sink).open() as running:
        await until(lambda: gate.is_reached)
        text = running.dump()
        gate.open()
    assert titles(text, "sink") == ["thread of sums:" if kind == "job" else "thread of sink:"]
    assert "in compute" in text
    where = "has 1 jobs running: sums stands in a thread, at " if kind == "job" else "stands in a thread, at "
    assert section(text, "sink")[0].startswith(f"sink: running, {where}")
