"""The command `top`: against a page that is served, and against what is none."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
from rich.console import Console

import orchestra_trio
from orchestra_trio.cli import main
from orchestra_trio.cli.printing import Failed
from orchestra_trio.cli.top.address import read_address
from orchestra_trio.cli.top.command import follow
from orchestra_trio.dashboard import serve_dashboard
from tests.dashboard.asking import listening, served
from tests.runtime.samples import Item, Solo, Tick, idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "a-token-of-sixteen-and-more"  # noqa: S105 - of these tests alone


async def top(*arguments: str) -> int:
    """Run the command in a thread, while this one serves."""
    return await trio.to_thread.run_sync(main, ["top", *arguments])


async def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the output is no terminal, there is one, and that is all."""
    async with Solo(worker=idle).open() as running, served(running) as page:
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick())
        for once in ([], ["--once"]):
            assert await top(page.url, *once) == 0
            output, errors = capsys.readouterr()
            assert errors == ""
            assert output.startswith("Solo  up 0 s  ")
            row = next(line for line in output.splitlines() if "worker" in line)
            assert row.split()[:2] == ["worker", "running"]
            assert "0/2" in row


async def test_with_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """In the URL, or beside it; without it, that is misuse."""
    async with Solo(worker=idle).open() as running, served(running, token=TOKEN) as page:
        bare = page.url.partition("?")[0]
        assert await top(page.url) == 0
        assert await top(bare, "--token", TOKEN) == 0
        capsys.readouterr()
        for arguments in ([bare], [bare, "--token", "another-one-of-sixteen"]):
            assert await top(*arguments) == 2
            assert capsys.readouterr().err == (
                f"orchestra-trio top: error: the page at {bare} needs its token: the URL with ?token=..., or --token\n"
            )


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ftp://localhost/", "is not the URL of a live page"),
        ("http://", "is not the URL of a live page"),
        ("http://localhost/somewhere", "is not the URL of a live page"),
        ("http://localhost:x/", "is no URL"),
        ("http://[::1/", "is no URL"),
        ("http://localhost/?token=a%0d%0aX:y", "visible ASCII"),
    ],
)
def test_urls_that_are_wrong(url: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", url]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "token", "shown"),
    [
        ("http://127.0.0.1:80/?token=abc", "abc", "http://127.0.0.1:80/"),
        ("localhost:8000", None, "http://localhost:8000/"),
        ("https://box.example.org", None, "https://box.example.org/"),
        ("http://[::1]:9", None, "http://[::1]:9/"),
    ],
)
def test_addresses(url: str, token: str | None, shown: str) -> None:
    address = read_address(url, None)
    assert (address.token, str(address)) == (token, shown)
    assert token is None or token not in repr(address)


@pytest.mark.parametrize("interval", ["soon", "-1", "inf", "nan"])
def test_intervals_that_are_none(interval: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["top", "localhost:1", f"--interval={interval}"])
    assert caught.value.code == 2
    assert "is no number of seconds" in capsys.readouterr().err


async def test_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    async with Solo(worker=idle).open() as running, served(running) as page:
        pass
    assert await top(page.url) == 1
    assert f"error: nothing answers at {page.url}: " in capsys.readouterr().err


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Serve something that is no live page."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"
        nursery.cancel_scope.cancel()


def http(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        (http(b"<html>"), 2, "there is no live page at"),
        (http(b"[]"), 2, "it answers something else"),
        (http(b'{"schema": 1}'), 2, "it answers something else"),
        (http(b'{"schema": 2}'), 2, "it speaks version 2"),
        (http(b"no", b"404 Not Found"), 2, "it answers 404 Not Found"),
        (http(b'{"error": "\x1b[31mno"}', b"403 Forbidden"), 2, "there is no live page"),
        (http(b'{"error": "so many"}', b"503 Busy"), 1, "is busy: so many"),
        (b"SSH-2.0-OpenSSH\r\n", 1, "nothing answers"),
        (b"", 1, "nothing answers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", 1, "is gone"),
    ],
)
async def test_what_is_no_live_page(
    answer: bytes, status: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with answering(answer) as url:
        assert await top(url) == status
    error = capsys.readouterr().err
    assert complaint in error
    assert "\x1b" not in error


class Screen(io.StringIO):
    """A terminal that tells when it shows something."""

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(file=self, force_terminal=True, width=120, height=40, highlight=False)
        self._awaited: dict[str, trio.Event] = {}
        self._token = trio.lowlevel.current_trio_token()

    def write(self, text: str) -> int:
        """Take what a thread draws."""
        count = super().write(text)
        shown = self.getvalue()
        for one, event in [*self._awaited.items()]:
            if one in shown:
                self._token.run_sync_soon(event.set, idempotent=True)
        return count

    async def shows(self, text: str) -> None:
        """Wait until a text is to be seen."""
        event = self._awaited[text] = trio.Event()
        if text not in self.getvalue():
            await event.wait()


async def test_a_live_table_until_the_orchestra_has_ended() -> None:
    screen = Screen()
    async with trio.open_nursery() as pages, trio.open_nursery() as nursery:
        async with Solo(worker=idle).open() as running:
            page = await pages.start(partial(serve_dashboard, running, interval=0.05))  # noqa: ASYNC111 - to outlive it
            nursery.start_soon(trio.to_thread.run_sync, follow, read_address(page.url, None), 0.0, screen.console)
            await screen.shows("running")
        await screen.shows("ended")
        pages.cancel_scope.cancel()
    assert "finished" in screen.getvalue()


async def test_a_long_interval_skips_states() -> None:
    """But for the last one."""
    screen = Screen()
    async with trio.open_nursery() as pages, trio.open_nursery() as nursery:
        async with Solo(worker=idle).open() as running:
            page = await pages.start(partial(serve_dashboard, running, interval=0.05))  # noqa: ASYNC111 - to outlive it
            nursery.start_soon(trio.to_thread.run_sync, follow, read_address(page.url, None), 1e6, screen.console)
            await screen.shows("running")
            async with listening(page) as other:
                for _ in range(4):
                    await other.state()
            assert screen.getvalue().count("Solo") == 1
        await screen.shows("ended")
        pages.cancel_scope.cancel()
    assert "finished" in screen.getvalue()


async def test_the_page_goes_while_it_is_shown() -> None:
    """That is a failure, with a line that says so."""
    screen = Screen()
    failures: list[Failed] = []

    def watch(url: str) -> None:
        try:
            follow(read_address(url, None), 0.0, screen.console)
        except Failed as error:
            failures.append(error)

    async with Solo(worker=idle).open() as running, trio.open_nursery() as nursery, served(running) as page:
        nursery.start_soon(trio.to_thread.run_sync, watch, page.url)  # noqa: ASYNC111 - it is to outlive it
        await screen.shows("running")
    assert str(failures[0]) == f"the page at {page.url} is gone"


async def test_ctrl_c() -> None:
    """While it waits for an answer."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        command = [sys.executable, "-W", "error", "-m", "orchestra_trio", "top"]
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"
        environment = {**os.environ, "PYTHONPATH": str(Path(orchestra_trio.__path__[0]).parent)}
        process: trio.Process = await nursery.start(
            partial(trio.run_process, [*command, url], check=False, env=environment, stderr=subprocess.DEVNULL)
        )
        async with listener, await listener.accept() as stream:
            await stream.receive_some()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130


def test_without_rich(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["top", "localhost:1"]) == 2
    assert "pip install 'orchestra-trio[dashboard]'" in capsys.readouterr().err
