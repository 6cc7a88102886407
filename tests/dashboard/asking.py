"""What the tests of the live page share: asking it, in this process or over a socket."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
import httpx  # noqa: ASYNC127 - it asks nobody but the servers of these tests
import trio

from orchestra_trio import Orchestra, Subsystem
from orchestra_trio.dashboard import RunningPage, serve_dashboard
from orchestra_trio.dashboard.application import Application
from orchestra_trio.dashboard.guard import Guard
from orchestra_trio.dashboard.hosts import own_names
from orchestra_trio.dashboard.sampling import Sampler
from tests.runtime.samples import idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from orchestra_trio import RunningOrchestra

ADDRESS = "http://127.0.0.1:8000"


class InProcess:
    """The application behind its guard, asked without a socket, so that it can live by a mock clock."""

    def __init__(self, running: RunningOrchestra[Any, Any], *, interval: float = 1.0, token: str | None = None) -> None:
        self.sampler = Sampler(running, interval)
        names = own_names("127.0.0.1", ["box.example.org"])
        self.app = Guard(Application(running, self.sampler), names=names, token=token)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=ADDRESS)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for something, with headers whose names have underscores for hyphens."""
        return await self.client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    async def json(self, path: str) -> Any:  # noqa: ANN401 - whatever it answers
        response = await self.get(path)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()


@asynccontextmanager
async def in_process(
    running: RunningOrchestra[Any, Any], *, interval: float = 1.0, token: str | None = None
) -> AsyncIterator[InProcess]:
    """Look at an orchestra once per interval, and answer."""
    page = InProcess(running, interval=interval, token=token)
    async with trio.open_nursery() as nursery, page.client:
        nursery.start_soon(page.sampler.run)
        yield page
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def served(running: RunningOrchestra[Any, Any], **options: Any) -> AsyncIterator[RunningPage]:  # noqa: ANN401
    """Serve the page of an orchestra on a port of this machine."""
    async with trio.open_nursery() as nursery:
        yield await nursery.start(partial(serve_dashboard, running, **options))
        nursery.cancel_scope.cancel()


def asking(page: RunningPage) -> httpx.AsyncClient:
    """Return a client that asks a page over sockets; it waits as long as it takes."""
    return httpx.AsyncClient(base_url=f"http://{page.host}:{page.port}", timeout=None, trust_env=False)  # noqa: S113 - a test that hangs is seen


async def talk(page: RunningPage, *parts: bytes) -> bytes:
    """Send these bytes over a connection of their own, and return all that comes back until it is closed."""
    async with await trio.open_tcp_stream(page.host, page.port) as stream:
        try:
            for part in parts:
                await stream.send_all(part)
        except trio.BrokenResourceError:
            pass  # it has heard enough
        answer = bytearray()
        try:
            async for chunk in stream:
                answer += chunk
        except trio.BrokenResourceError:
            pass
        return bytes(answer)


class Listening:
    """A client that is told of every look, and takes events one at a time."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._protocol = h11.Connection(h11.CLIENT)
        self._text = b""
        self.status = 0
        self.headers: dict[str, str] = {}

    async def begin(self, path: str) -> None:
        """Ask, and see what comes of it."""
        request = h11.Request(method="GET", target=path, headers=[("Host", "localhost")])
        await self._stream.send_all(self._protocol.send(request) + self._protocol.send(h11.EndOfMessage()))
        response = await self._next()
        assert isinstance(response, h11.Response)
        self.status = response.status_code
        self.headers = {name.decode(): value.decode() for name, value in response.headers}

    async def next(self) -> tuple[str, Any] | None:
        """Return the kind and the data of the next event; None at the end, and `("", None)` for a heartbeat."""
        while b"\n\n" not in self._text:
            event = await self._next()
            if not isinstance(event, h11.Data):
                return None
            self._text += event.data
        part, _, self._text = self._text.partition(b"\n\n")
        if part.startswith(b":"):
            return "", None
        kind, data = part.split(b"\n")
        return kind.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: "))

    async def state(self) -> Any:  # noqa: ANN401 - as the server tells it
        """Return the data of the next event."""
        event = await self.next()
        assert event is not None
        return event[1]

    async def _next(self) -> object:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(bytes(await self._stream.receive_some()))
        return event


@asynccontextmanager
async def listening(page: RunningPage, path: str = "/api/stream") -> AsyncIterator[Listening]:
    """Listen to a page until the block is left."""
    async with await trio.open_tcp_stream(page.host, page.port) as stream:
        client = Listening(stream)
        await client.begin(path)
        yield client


def chain_of(count: int, prefix: str = "s") -> Orchestra[Any, Any]:
    """Return an orchestra of so many subsystems, each of which may send to the next one, and that only receive."""
    types: list[Any] = [type(f"Message{number}", (), {}) for number in range(count + 1)]
    generic: Any = Subsystem
    slots = {f"{prefix}{number}": generic[types[number], types[number + 1]] for number in range(count)}
    made: Any = type("Chain", (Orchestra,), {"__annotations__": slots}, outgoing=types[count])
    orchestra: Orchestra[Any, Any] = made(**dict.fromkeys(slots, idle))
    return orchestra
