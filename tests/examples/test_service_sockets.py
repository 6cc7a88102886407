"""The example of a service, on real sockets: many clients, odd ones, and how it stops."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio

from examples import service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

CLIENTS = 200
STOPPING = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@asynccontextmanager
async def serving(journal: Path, grace: float = 3) -> AsyncIterator[int]:
    """Serve in this process, on a port that is handed to the block, and stop in order."""
    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(service.serve, 0, journal, grace)
        yield port
        signal.raise_signal(signal.SIGTERM)


connect = partial(trio.open_tcp_stream, "127.0.0.1")


async def read_line(stream: trio.abc.ReceiveStream) -> bytes:
    """Read one line, and nothing of the next one."""
    line = b""
    while not line.endswith(b"\n"):
        received = await stream.receive_some(1)
        assert received, "it has ended within a line"
        line += received
    return line


async def read_to_end(stream: trio.abc.ReceiveStream) -> bytes:
    """Read all that comes."""
    return b"".join([data async for data in stream])


async def ask(stream: trio.SocketStream, line: bytes) -> bytes:
    """Return the answer to one line."""
    await stream.send_all(line + b"\n")
    return await read_line(stream)


async def lines_of(journal: Path) -> list[str]:
    """Return what was written down."""
    return (await trio.Path(journal).read_text("utf-8")).splitlines()


async def test_burst_of_clients(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are connected at the same time, and each gets its own answers."""
    monkeypatch.setattr(service, "PATIENCE", 600)  # the machine may be slow
    connected = 0
    all_connected = trio.Event()
    answers: dict[int, bytes] = {}

    async def talk(port: int, number: int) -> None:
        nonlocal connected
        async with await connect(port) as stream:
            await stream.send_all(b"GET nothing\n")
            assert await read_line(stream) == b"NONE\n"
            connected += 1
            if connected == CLIENTS:
                all_connected.set()
            await all_connected.wait()
            await stream.send_all(f"SET key{number} {number}\nGET key{number}\n".encode())
            await stream.send_eof()
            answers[number] = await read_to_end(stream)

    async with serving(journal) as port, trio.open_nursery() as nursery:
        for number in range(CLIENTS):
            nursery.start_soon(talk, port, number)
    assert answers == {number: f"OK\nVALUE {number}\n".encode() for number in range(CLIENTS)}
    assert sorted(await lines_of(journal)) == sorted(f"key{number} {number}" for number in answers)


async def is_slow(stream: trio.SocketStream) -> None:
    """Send byte after byte."""
    for byte in b"SET slow client\n":
        await stream.send_all(bytes([byte]))
        await trio.lowlevel.checkpoint()
    assert await read_line(stream) == b"OK\n"


async def is_half_closed(stream: trio.SocketStream) -> None:
    """Say at once that nothing more will come, in the middle of a line."""
    await stream.send_all(b"SET half closed\nGET half\nGET ha")
    await stream.send_eof()
    assert await read_to_end(stream) == b"OK\nVALUE closed\n"


async def is_garbage(stream: trio.SocketStream) -> None:
    """Send what is no text."""
    garbage = bytes(range(256)) * 99
    await stream.send_all(garbage)
    await stream.send_eof()
    answers = (await read_to_end(stream)).splitlines()
    assert len(answers) == garbage.count(b"\n")
    assert {answer.partition(b" ")[0] for answer in answers} == {b"ERROR"}


async def is_hasty(stream: trio.SocketStream) -> None:
    """Send many lines before reading any answer."""
    await stream.send_all(b"SET hasty client\n" * 500)
    await stream.send_eof()
    assert await read_to_end(stream) == b"OK\n" * 500


async def is_rude(stream: trio.SocketStream) -> None:
    """Reset the connection while answers are on their way."""
    await stream.send_all(b"SET rude client\n" * 500)
    assert await read_line(stream) == b"OK\n"
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


async def test_clients_of_all_kinds(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them disturbs another one, or the service."""
    monkeypatch.setattr(service, "PATIENCE", 600)

    async def talk(port: int, kind: Callable[[trio.SocketStream], Awaitable[None]]) -> None:
        async with await connect(port) as stream:
            await kind(stream)

    async with serving(journal) as port:
        async with trio.open_nursery() as nursery:
            for kind in (is_slow, is_half_closed, is_garbage, is_hasty, is_rude) * 3:
                nursery.start_soon(talk, port, kind)
        async with await connect(port) as stream:
            for key, value in {"slow": "client", "half": "closed", "hasty": "client", "rude": "client"}.items():
                assert await ask(stream, f"GET {key}".encode()) == f"VALUE {value}\n".encode()


async def test_silent_connection_ends_with_the_grace(journal: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The service does not wait for it for ever."""
    async with serving(journal, grace=0.01) as port:
        stream = await connect(port)
        assert await ask(stream, b"SET colour green") == b"OK\n"
    assert await read_to_end(stream) == b""
    await stream.aclose()
    assert capfd.readouterr().out.splitlines()[1:] == ["stopping: 1 connections left", "stopped"]


@asynccontextmanager
async def program(journal: Path, *options: str) -> AsyncIterator[trio.Process]:
    """Run it as a program."""
    command = [sys.executable, "-W", "error", service.__file__, str(journal), "--port", "0", *options]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()  # noqa: ASYNC102 - it was killed


@pytest.mark.parametrize("number", STOPPING)
async def test_stop_in_the_middle(number: signal.Signals, journal: Path) -> None:
    """It accepts nothing more, serves the connections in hand to their end, and exits with status 0."""
    async with program(journal, "--grace", "600") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int((await read_line(process.stdout)).rpartition(b":")[2])
        streams = [await connect(port) for _ in range(20)]
        for place, stream in enumerate(streams):
            assert await ask(stream, f"SET before{place} x".encode()) == b"OK\n"
        await streams[0].send_all(b"SET in the_")
        process.send_signal(number)
        assert await read_line(process.stdout) == b"stopping: 20 connections left\n"
        with pytest.raises(OSError, match="all attempts to connect"):
            await connect(port)
        assert await ask(streams[0], b"middle") == b"OK\n"
        for place, stream in enumerate(streams):
            assert await ask(stream, f"SET after{place} x".encode()) == b"OK\n"
            await stream.aclose()
        assert await read_to_end(process.stdout) == b"stopped\n"
        assert await process.wait() == 0
        assert await read_to_end(process.stderr) == b""
    assert len(await lines_of(journal)) == 41


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "the following arguments are required: journal"),
        (["missing/journal"], "No such file or directory: 'missing/journal'"),
        (["journal", "--port", "http"], "argument --port: invalid int value: 'http'"),
    ],
)
def test_misuse(arguments: list[str], problem: str, tmp_path: Path) -> None:
    """It is explained, and nothing is served."""
    command = [sys.executable, service.__file__, *arguments]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert problem in finished.stderr
