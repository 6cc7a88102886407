"""Nothing of the page reaches the orchestra, and no payload reaches the page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Never

import trio

from orchestra_trio import OneshotSender, Orchestra, Restart, RunningOrchestra, Subsystem, SubsystemContext, subsystem
from tests.dashboard.asking import in_process
from tests.runtime.samples import Item, Solo, Tick, idle

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from trio.testing import MockClock

SECRET = "correct horse battery staple"  # noqa: S105 - this is what must not be found


class Closed:
    """What must not be looked into."""

    def __init__(self, secret: str = SECRET) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        raise AssertionError(SECRET)

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise AssertionError(SECRET)

    def __hash__(self) -> int:
        raise AssertionError(SECRET)


class Guarded(Closed):
    """A message, and an event."""


class Wanted(Closed):
    """A message that carries a reply end."""

    def __init__(self, reply: OneshotSender[str]) -> None:
        super().__init__()
        self.reply = reply


class Sign(Closed):
    """A signal."""


class Post(Orchestra[Sign, Guarded], message_capacity=1, on_deadlock="warn", outgoing=str):
    """Messages that must not be looked into, in all lanes."""

    full: Subsystem[Guarded, Wanted] = subsystem(priority=True)
    asks: Subsystem[Wanted, Guarded | str, Sign] = subsystem(unbounded={str: "few"})
    fails: Subsystem[Item] = subsystem(restart=Restart(backoff=1000))

    async def on_event(self, event: Guarded, running: RunningOrchestra[Sign, Guarded]) -> None:
        await trio.sleep_forever()


async def full(ctx: SubsystemContext[Guarded, Wanted]) -> None:
    held = SECRET
    await ctx.request(Wanted)
    await ctx.send(Wanted(held))  # type: ignore[arg-type]  # it never comes so far


async def asks(ctx: SubsystemContext[Wanted, Guarded | str, Sign]) -> None:
    secret = Guarded()
    ctx.send_unbounded(SECRET)
    while True:
        await ctx.send(secret)


async def fails(ctx: SubsystemContext[Item]) -> None:
    async for _ in ctx:
        raise ValueError(SECRET)


PATHS = ["/api/state", "/api/layout", "/api/history", "/metrics"]


async def test_payloads_are_never_shown(autojump_clock: MockClock) -> None:
    """Neither messages, signals and events nor local variables nor the texts of exceptions."""
    async with Post(full=full, asks=asks, fails=fails).open() as running, in_process(running) as page:
        await running.route_message(Item(1))
        running.handle.send_nowait(Guarded())
        running.handle.send_nowait(Guarded())
        await trio.sleep(3.5)
        running.send_signal_nowait("asks", Sign())
        state = await page.json("/api/state")
        full_now, asks_now, fails_now = state["subsystems"]
        assert state["deadlocks"][0]["holds"]
        assert fails_now["state"] == "restarting"
        assert asks_now["waits"][0]["type"] == "Guarded"
        assert full_now["waits"][0]["type"] == "Wanted"
        for path in (*PATHS, *(f"/api/subsystems/{name}" for name in ("full", "asks", "fails"))):
            response = await page.get(path)
            assert response.status_code == 200, path
            assert SECRET not in response.text
        stack = (await page.json("/api/subsystems/asks"))["stack"]
        assert "await ctx.send(secret)" in stack
        running.cancel()


async def test_what_the_page_cannot_look_at_stops_neither(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The look is missed, the log says so, and the next one is taken."""
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        await trio.sleep(1.5)
        with monkeypatch.context() as patched:
            patched.setattr(RunningOrchestra, "statistics", _fails)
            await trio.sleep(2)
            assert (await page.get("/api/state")).status_code == 500
        assert [record.getMessage() for record in caplog.records] == [
            "the live page could not look at Solo",
            "the live page could not look at Solo",
            "the live page could not answer /api/state",
        ]
        await trio.sleep(1)
        state = await page.json("/api/state")
        assert state["uptime"] == 4.0
        await running.route_message(Item(1))


def _fails(*_: object) -> Never:
    raise ZeroDivisionError


async def test_without_the_extra_there_is_no_scraping(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        response = await page.get("/metrics")
        assert response.status_code == 404
        assert "pip install" in response.json()["error"]


async def test_scraping(autojump_clock: MockClock) -> None:
    """In either of Prometheus' formats, whichever is asked for."""
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick())
        await trio.sleep(1)
        plain = await page.get("/metrics")
        assert plain.headers["content-type"].startswith("text/plain")
        assert 'orchestra_messages_sent_total{lane="bounded",orchestra="Solo",subsystem="worker"} 1.0' in plain.text
        openly = await page.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert openly.headers["content-type"].startswith("application/openmetrics-text")
        assert openly.text.endswith("# EOF\n")


async def test_looking_is_shared(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask, statistics are taken once per interval, and stacks only when somebody asks."""
    counts: dict[str, int] = {}

    def counted(name: str) -> Any:  # noqa: ANN401
        real = getattr(RunningOrchestra, name)

        def count(*args: object) -> object:
            counts[name] = counts.get(name, 0) + 1
            return real(*args)

        return count

    for name in ("statistics", "graph", "standing"):
        monkeypatch.setattr(RunningOrchestra, name, counted(name))
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        at_first = dict(counts)
        await trio.sleep(10.5)
        assert counts["statistics"] - at_first["statistics"] == 10
        assert counts["graph"] == at_first["graph"]  # nobody watches
        assert "standing" not in counts
        texts = {(await page.get("/api/state")).text for _ in range(50)}
        assert len(texts) == 1
        for _ in range(50):
            await page.json("/api/subsystems/worker")
        assert counts["statistics"] - at_first["statistics"] == 11  # the first look was too old
        assert counts["standing"] == 1
        await trio.sleep(2)
        assert counts["graph"] - at_first["graph"] == 3


async def test_a_stream_that_nobody_takes_holds_one_state(autojump_clock: MockClock) -> None:
    """Who is slow is told the latest state, not those that were missed."""
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        sent: list[bytes] = []
        taken = trio.Event()

        async def send(message: Any) -> None:  # noqa: ANN401
            sent.append(message.get("body", b""))
            if len(sent) == 2:
                await taken.wait()

        async def receive() -> Any:  # noqa: ANN401
            return await trio.sleep_forever()

        headers: Sequence[tuple[bytes, bytes]] = [(b"host", b"localhost")]
        scope = {"type": "http", "method": "GET", "path": "/api/stream", "headers": headers, "query_string": b""}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(page.app, scope, receive, send)
            await trio.sleep(30.5)
            assert len(sent) == 2
            taken.set()
            await trio.sleep(0.1)
            assert len(sent) == 3
            assert b'"uptime":30.0' in sent[2]
            nursery.cancel_scope.cancel()
        assert page.sampler.streams == 0
