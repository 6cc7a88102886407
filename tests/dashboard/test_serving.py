"""The page over real sockets: where it listens, how long it lasts, and what becomes of clients that behave badly."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio.dashboard import RunningPage, application, connections, serve_dashboard, stream
from tests.dashboard.asking import asking, listening, served, talk
from tests.runtime.samples import Item, Solo, idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "a-token-of-sixteen-and-more"  # noqa: S105 - of these tests alone
FAST: dict[str, Any] = {"interval": 0.05}


@pytest.fixture
async def page() -> AsyncIterator[RunningPage]:
    async with Solo(worker=idle).open() as running, served(running, **FAST) as page:
        yield page


async def test_it_listens_on_this_machine_alone(page: RunningPage) -> None:
    assert page.host == "127.0.0.1"
    assert page.url == f"http://127.0.0.1:{page.port}/"
    async with asking(page) as client:
        response = await client.get(page.url)
        assert response.status_code == 200
        assert response.text.lower().startswith("<!doctype html>")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert (await client.get("/favicon.ico")).status_code == 204


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - refused
async def test_any_other_address_needs_a_token(host: str) -> None:
    async with Solo(worker=idle).open() as running:
        with pytest.raises(ValueError, match="pass a token"):
            await serve_dashboard(running, host=host)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"host": "example.org"}, "must be an address"),
        ({"allowed_hosts": ["box:8080"]}, "without a port, not 'box:8080'"),
        ({"allowed_hosts": ["a b"]}, "not 'a b'"),
        ({"host": ""}, "must be an address"),
        ({"token": ""}, "the token must be"),
        ({"token": "short"}, "the token must be"),
        ({"token": "with spaces and quotes\"'"}, "the token must be"),
        ({"interval": 0}, "interval must be"),
        ({"interval": float("nan")}, "interval must be"),
        ({"interval": float("inf")}, "interval must be"),
        ({"port": -1}, "port must be"),
        ({"port": 65536}, "port must be"),
    ],
)
async def test_what_cannot_be_served(options: dict[str, Any], complaint: str) -> None:
    async with Solo(worker=idle).open() as running:
        with pytest.raises(ValueError, match=complaint):
            await serve_dashboard(running, **options)


async def test_one_name_is_not_taken_for_several() -> None:
    """Letter by letter, one would let in whoever has the name of a letter; and nothing listens by then."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    async with Solo(worker=idle).open() as running:
        with pytest.raises(TypeError, match="several names"):
            await serve_dashboard(running, port=port, allowed_hosts="box")
        with pytest.raises(OSError, match=r"."):
            await trio.open_tcp_stream("127.0.0.1", port)


async def test_the_page_waits_for_no_thread_of_the_orchestra() -> None:
    """Its jobs may hold all that trio has by default, just when somebody wants to look."""
    limiter = trio.to_thread.current_default_thread_limiter()
    before, limiter.total_tokens = limiter.total_tokens, 1
    try:
        async with Solo(worker=idle).open() as running, served(running) as page, limiter, asking(page) as client:
            for path in ("", "page/main.js", "api/layout", "metrics"):
                assert (await client.get(page.url + path)).status_code == 200
    finally:
        limiter.total_tokens = before


async def test_a_port_that_is_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with Solo(worker=idle).open() as running:
            with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1, port {port}: "):
                await serve_dashboard(running, port=port)


async def test_with_a_token_at_all_addresses() -> None:
    async with Solo(worker=idle).open() as running, served(running, host="0.0.0.0", token=TOKEN) as page:  # noqa: S104
        assert page.url == f"http://127.0.0.1:{page.port}/?token={TOKEN}"
        assert TOKEN not in repr(page)
        async with asking(RunningPage("127.0.0.1", page.port)) as client:
            assert (await client.get("/api/state")).status_code == 401
            response = await client.get(page.url, follow_redirects=True)
            assert response.status_code == 200
            assert str(response.url) == f"http://127.0.0.1:{page.port}/"
            assert (await client.get("/api/state")).status_code == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_ipv6() -> None:
    async with Solo(worker=idle).open() as running:
        try:
            async with served(running, host="::1") as page:
                assert page.url == f"http://[::1]:{page.port}/"
                answer = await talk(page, GOOD.replace(b"localhost", b"[::1]:%d" % page.port))
                assert answer.startswith(b"HTTP/1.1 200")
        except* OSError:
            pytest.skip("IPv6 is switched off here")


async def test_it_outlives_the_orchestra() -> None:
    """The stream ends with the last state; who asks then is told that it has ended."""
    async with trio.open_nursery() as nursery:
        async with Solo(worker=idle).open() as running:
            page: RunningPage = await nursery.start(serve_dashboard, running)  # noqa: ASYNC111 - it is to outlive it
            async with listening(page) as client:
                assert client.headers["content-type"].startswith("text/event-stream")
                event = await client.next()
                assert event is not None
                assert (event[0], event[1]["ended"]) == ("state", False)
                running.close_input()
                kinds: list[tuple[str, bool]] = []
                while (event := await client.next()) is not None:
                    kinds.append((event[0], event[1]["ended"]))
                assert kinds[-1] == ("end", True)
        async with listening(page) as client:
            event = await client.next()
            assert event is not None
            assert (event[0], event[1]["ended"]) == ("end", True)
            assert await client.next() is None
        async with asking(page) as asker:
            assert (await asker.get("/api/subsystems/worker")).json()["place"] == "has ended"
        nursery.cancel_scope.cancel()


async def test_states_come_by_themselves(page: RunningPage) -> None:
    async with listening(page) as client:
        times = [(await client.state())["time"] for _ in range(4)]
        assert times == sorted(set(times))


async def test_a_hundred_clients_at_once(page: RunningPage) -> None:
    """All are told of the same looks."""
    got: list[float] = []

    async def listen() -> None:
        async with listening(page) as client:
            got.append((await client.state())["time"])
            await everybody.wait_for(len(got))

    everybody = _Counter(100)
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(listen)
    assert len(got) == 100


class _Counter:
    """Lets go of all who wait once there are enough."""

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._event = trio.Event()

    async def wait_for(self, count: int) -> None:
        if count == self._enough:
            self._event.set()
        await self._event.wait()


async def test_too_many_streams(page: RunningPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is refused; states can still be asked for; and there is room again when one has gone."""
    monkeypatch.setattr(application, "MOST_STREAMS", 2)
    async with asking(page) as client:
        async with listening(page) as one, listening(page) as two:
            assert one.status == two.status == 200
            response = await client.get("/api/stream")
            assert response.status_code == 503
            assert response.headers["retry-after"] == "5"
            assert (await client.get("/api/state")).status_code == 200
        status = 503
        while status == 503:  # until the server has seen that they have gone
            async with listening(page) as one:
                status = one.status


async def test_too_many_connections(page: RunningPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 1)
    async with asking(page) as client:
        assert (await client.get("/api/state")).status_code == 200  # its connection stays open
        assert (await talk(page)).startswith(b"HTTP/1.1 503 ")


async def test_head_of_a_stream_ends(page: RunningPage) -> None:
    async with asking(page) as client:
        response = await client.head("/api/stream")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")


async def test_heartbeats(page: RunningPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nothing to say for long."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.001)
    async with listening(page) as client:
        while await client.next() != ("", None):
            pass


UPGRADE_TO_HTTP2 = (
    b"GET /api/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
)
UPGRADE_TO_WEB_SOCKET = (
    b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
GOOD = b"GET /api/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GOOD, b"200"),
        (b"GET /api/state HTTP/1.0\r\n\r\n", b"400"),
        (b"GET /page/../serving.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET http://evil.example/api/state HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"403"),
        (b"GET /api/state HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /api/state HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 20_000 + b"\r\n", b"431"),
        (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"405"),
        (b"POST /api/state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nxx", b"405"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", b"400"),
        (UPGRADE_TO_HTTP2, b"200"),
        (UPGRADE_TO_WEB_SOCKET, b"403"),
    ],
)
async def test_odd_requests(
    page: RunningPage, request_: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Each gets an answer, and none is worth a line in the log."""
    answer = await talk(page, request_)
    assert answer.split(b" ", 2)[1:2] == [status], answer[:200]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (await talk(page, GOOD)).startswith(b"HTTP/1.1 200")


async def test_one_request_after_another_on_a_connection(page: RunningPage) -> None:
    """Also those that come before the first one is answered."""
    keep = b"GET /api/history HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = await talk(page, keep * 20 + GOOD)
    assert answer.count(b"HTTP/1.1 200") == 21


@pytest.mark.parametrize("sent", [b"", b"GET /api/state HT", GOOD[:-2]])
async def test_who_asks_too_slowly_loses_the_connection(
    page: RunningPage, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "IDLE", 0.001)
    assert b"200" not in await talk(page, sent)


async def _stuck(page: RunningPage, clients: int, nursery: trio.Nursery) -> None:
    """Have clients ask for more than fits into their connections, and read nothing."""

    async def ask_on_and_on(client: trio.SocketStream) -> None:
        async with client:
            while True:
                await client.send_all(b"GET /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)

    for _ in range(clients):
        client = await trio.open_tcp_stream(page.host, page.port)
        nursery.start_soon(ask_on_and_on, client)


async def _be_stuck(page: RunningPage) -> None:
    async with trio.open_nursery() as nursery:
        await _stuck(page, 1, nursery)


async def test_slow_readers_lose_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept for them."""
    monkeypatch.setattr(connections, "PATIENCE", 0.05)
    async with Solo(worker=idle).open() as running, served(running) as page:
        with pytest.RaisesGroup(trio.BrokenResourceError):
            await _be_stuck(page)


async def test_slow_readers_do_not_keep_it_from_ending() -> None:
    """Neither does who listens; and the orchestra has been running all the time."""
    async with Solo(worker=idle).open() as running, trio.open_nursery() as clients, served(running, **FAST) as page:
        await _stuck(page, 3, clients)
        async with listening(page) as client:
            for number in range(5):
                await running.route_message(Item(number))
                await client.state()
        clients.cancel_scope.cancel()
    assert running.statistics().subsystems["worker"].bounded.received == 5
