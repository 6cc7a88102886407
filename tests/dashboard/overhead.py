"""Measures what the live page takes from an orchestra: `python -m tests.dashboard.overhead [SUBSYSTEMS]`.

A program by itself, no test. Clients live in a process of their own, as browsers do. All contenders take turns, again
and again; each is compared with the orchestra alone in the same round. Messages are counted per second of this
process's own processor time, the kernel's included, so that what else the machine does matters little.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import trio

from orchestra_trio import Orchestra, RunningOrchestra, Subsystem
from orchestra_trio.dashboard import serve_dashboard
from orchestra_trio.dashboard.sampling import Sampler
from tests.dashboard.asking import chain_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROUNDS = 9
SECONDS = 4.0

CONTENDERS = {"without the page": (0, 0), "nobody watches": (0, 0), "1 watches": (1, 0), "100 watch": (100, 0)}
CONTENDERS |= {"1 reads nothing": (0, 1), "1 polls as fast as it can": (0, 0)}


def wiring(count: int) -> Orchestra[Any, Any]:
    """Return a chain in which the first sends all the time, and each of the others passes on what it gets."""
    types: list[Any] = [type(f"Message{number}", (), {}) for number in range(count)]
    generic: Any = Subsystem
    slots: dict[str, Any] = {"s0": generic[type("Go", (), {}), types[0]]}
    slots |= {f"s{one}": generic[types[one - 1], types[one]] for one in range(1, count - 1)}
    slots[f"s{count - 1}"] = generic[types[count - 2]]
    made: Any = type("Chain", (Orchestra,), {"__annotations__": slots}, message_capacity=64)

    async def first(ctx: Any) -> None:  # noqa: ANN401 - of any wiring
        while True:
            await ctx.send(types[0]())

    def passing(number: int) -> Any:  # noqa: ANN401 - of any wiring
        async def pass_on(ctx: Any) -> None:  # noqa: ANN401 - of any wiring
            async for _ in ctx:
                await ctx.send(types[number]())

        return pass_on

    async def last(ctx: Any) -> None:  # noqa: ANN401 - of any wiring
        async for _ in ctx:
            pass

    middle = {f"s{one}": passing(one) for one in range(1, count - 1)}
    orchestra: Orchestra[Any, Any] = made(s0=first, **middle, **{f"s{count - 1}": last})
    return orchestra


def received(running: RunningOrchestra[Any, Any]) -> int:
    """Return how many messages all have received so far."""
    return sum(one.bounded.received for one in running.statistics().subsystems.values())


@asynccontextmanager
async def clients(kind: str, port: int) -> AsyncIterator[None]:
    """Have clients in a process of their own."""
    listening, stuck = CONTENDERS[kind]
    arguments = [str(port), str(listening), str(stuck), str(int(kind.startswith("1 polls")))]
    if not any(map(int, arguments[1:])):
        yield
        return
    command = [sys.executable, "-m", "tests.dashboard.overhead", "--clients", *arguments]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(trio.run_process, command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        )
        await process.stdout.receive_some()  # type: ignore[union-attr]  # it was asked for
        yield
        process.kill()


async def be_clients(port: int, listening: int, stuck: int, polling: int) -> None:
    """Listen, ask without reading, and ask on and on."""
    stream = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
    state = b"GET /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def listen() -> None:
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            await client.send_all(stream)
            async for _ in client:
                pass

    async def ask_and_not_read() -> None:
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            while True:
                await client.send_all(state * 100)

    async def poll() -> None:
        while True:  # a connection is good for a thousand requests
            async with await trio.open_tcp_stream("127.0.0.1", port) as client:
                await client.send_all(state.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                async for _ in client:
                    pass

    async with trio.open_nursery() as nursery:
        for many, what in ((listening, listen), (stuck, ask_and_not_read), (polling, poll)):
            for _ in range(many):
                nursery.start_soon(what)
        await trio.sleep(1)
        print("ready", flush=True)  # noqa: T201 - this is how it says so


async def rate_of(kind: str, count: int) -> float:
    """Return how many messages an orchestra moves per second of processor time."""
    async with wiring(count).open() as running, trio.open_nursery() as nursery:
        port = 0
        if kind != "without the page":
            port = (await nursery.start(serve_dashboard, running)).port
        async with clients(kind, port):
            await trio.sleep(0.5)
            before, begun = received(running), time.process_time()
            await trio.sleep(SECONDS)
            rate = (received(running) - before) / (time.process_time() - begun)
        nursery.cancel_scope.cancel()
        running.cancel()
    return rate


async def cost_at_rest(kind: str, count: int) -> float:
    """Return the milliseconds of processor time that the page takes per second, while the orchestra does nothing."""
    async with chain_of(count).open() as running, trio.open_nursery() as nursery:
        port = 0
        if kind != "without the page":
            port = (await nursery.start(serve_dashboard, running)).port
        async with clients(kind, port):
            await trio.sleep(1.5)
            begun, before = time.perf_counter(), time.process_time()
            await trio.sleep(SECONDS)
            cost = (time.process_time() - before) / (time.perf_counter() - begun)
        nursery.cancel_scope.cancel()
        running.cancel()
    return cost * 1e3


async def cost_of_looks(count: int) -> dict[str, float]:
    """Return milliseconds that each thing takes which happens once per interval."""
    async with wiring(count).open() as running:
        await trio.sleep(0.5)
        sampler = Sampler(running, 1.0)
        costs: dict[str, list[float]] = {}

        def timed(what: str, function: Any) -> None:  # noqa: ANN401 - whatever is timed
            begun = time.perf_counter()
            function()
            costs.setdefault(what, []).append((time.perf_counter() - begun) * 1e3)

        for _ in range(9):
            sampler.streams = 0
            timed("a look, nobody watches", sampler._take)
            sampler.streams = 1
            timed("a look, somebody watches", sampler._take)
            timed("a state as JSON, for all", partial(sampler.state, (None, 0)))
            await trio.sleep(0.05)
        costs["bytes of a state"] = [float(len(sampler.state((None, 0)) or b""))]
        running.cancel()
    return {what: min(times) for what, times in costs.items()}


async def measure(count: int) -> None:
    """Print the figures."""
    print(f"{count} subsystems, {ROUNDS} rounds of {SECONDS:g} s")  # noqa: T201 - this is a program
    for what, cost in (await cost_of_looks(count)).items():
        print(f"  {what}: {cost:,.2f}")  # noqa: T201 - as above
    for kind in CONTENDERS:
        costs = [await cost_at_rest(kind, count) for _ in range(3)]
        print(f"  at rest, {kind}: {median(costs):.1f} ms of processor time per second")  # noqa: T201 - as above
    rates: dict[str, list[float]] = {kind: [] for kind in CONTENDERS}
    for number in range(ROUNDS):
        kinds = list(CONTENDERS)
        for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
            rates[kind].append(await rate_of(kind, count))
    alone = rates["without the page"]
    for kind, found in rates.items():
        shares = sorted(one / other for one, other in zip(found, alone, strict=True))
        print(f"  {kind}: {median(found):,.0f} messages/CPU s, x {median(shares):.3f}", end="")  # noqa: T201 - as above
        print(f" ({shares[0]:.3f} to {shares[-1]:.3f})")  # noqa: T201 - as above


if __name__ == "__main__":
    if sys.argv[1:2] == ["--clients"]:
        how_many: Any = map(int, sys.argv[2:])
        trio.run(be_clients, *how_many)
    else:
        logging.getLogger("orchestra_trio").addHandler(logging.NullHandler())
        trio.run(measure, int(next(iter(sys.argv[1:]), "25")))
