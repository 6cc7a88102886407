"""The example of a service, on streams in memory: what lines are answered with, time limits, and failures."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from examples import service
from examples.service import IDLE, LONGEST, PATIENCE, Journal, KeyValue, Record, serve_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from trio.testing import MockClock

    from orchestra_trio import BlockingSubsystemContext, RunningOrchestra

    Stream = trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]

BAD = b"ERROR write GET key, or SET key value, in UTF-8 and 1000 bytes at most"
FULL = Path("/dev/full")


def note_nothing(ctx: BlockingSubsystemContext[Record]) -> None:
    """Stand in for the journal."""
    for record in ctx:
        record.reply.send(None)


@asynccontextmanager
async def connected(
    journal: Callable[[BlockingSubsystemContext[Record]], None] = note_nothing,
) -> AsyncIterator[tuple[Stream, RunningOrchestra]]:
    """Open a service with one client; the block may leave the client's stream open."""
    async with KeyValue(store=service.store, journal=journal).open() as running, trio.open_nursery() as nursery:
        client, server = trio.testing.memory_stream_pair()
        nursery.start_soon(serve_connection, running, server)
        yield client, running
        await client.aclose()


async def receive_lines(stream: Stream, count: int) -> list[bytes]:
    """Return so many lines, which must be all that has come."""
    data = b""
    while data.count(b"\n") < count:
        received = await stream.receive_some()
        assert received, "the service has ended the connection"
        data += received
    *lines, rest = data.split(b"\n")
    assert (len(lines), rest) == (count, b"")
    return lines


async def ask(stream: Stream, line: bytes) -> bytes:
    """Return the answer to one line."""
    await stream.send_all(line + b"\n")
    [answer] = await receive_lines(stream, 1)
    return answer


async def read_to_end(stream: Stream) -> bytes:
    """Return all that comes."""
    return b"".join([data async for data in stream])


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"SET colour green", b"OK"),
        (b"GET colour", b"NONE"),
        (b"  GET\tcolour\r", b"NONE"),
        ("SET größe π".encode(), b"OK"),
        (b"", BAD),
        (b"GET", BAD),
        (b"get colour", BAD),
        (b"GET one two", BAD),
        (b"SET colour light green", BAD),
        (b"GET \xff", BAD),
        (bytes(range(10)), BAD),
    ],
)
async def test_answers(line: bytes, answer: bytes) -> None:
    """Each line has one, and the next one is as good as the first."""
    async with connected() as (client, _):
        assert await ask(client, line) == answer
        assert await ask(client, b"SET another one") == b"OK"
        assert await ask(client, b"GET another") == b"VALUE one"


@pytest.mark.parametrize(
    ("length", "answer"), [(LONGEST, b"NONE"), (LONGEST + 1, BAD), (LONGEST + 2, BAD), (9 * LONGEST, BAD)]
)
async def test_long_lines(length: int, answer: bytes) -> None:
    """One that is too long gets one answer, in however many pieces it comes."""
    line = b"GET ".ljust(length, b"x")
    async with connected() as (client, _):
        assert await ask(client, line) == answer
        for start in range(0, length, 100):
            await client.send_all(line[start : start + 100])
            await trio.testing.wait_all_tasks_blocked()
        assert await ask(client, b"") == answer
        assert await ask(client, b"GET colour") == b"NONE"


WORDS = st.sampled_from(["GET", "SET", "a", "b", "ü", " ", "\r", "\0", "\x85", "\n", "\n"])


def answers_to(lines: list[bytes]) -> list[str]:
    """Answer lines in the plainest way."""
    values: dict[str, str] = {}
    answers = []
    for line in lines:
        answer = BAD.decode()
        match line.decode("utf-8", "replace").split() if len(line) <= LONGEST and b"\xff" not in line else []:
            case ["GET", key]:
                answer = f"VALUE {values[key]}" if key in values else "NONE"
            case ["SET", key, value]:
                values[key] = value
                answer = "OK"
        answers.append(answer)
    return answers


@given(
    st.lists(st.lists(WORDS, max_size=9).map(lambda words: " ".join(words).encode()) | st.just(b"\xff")),
    st.lists(st.integers(0, 60)),
)
async def test_lines_may_come_in_any_pieces(parts: list[bytes], cuts: list[int]) -> None:
    """They are answered in their order; what no newline has ended is not."""
    data = b"".join(parts)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    async with connected() as (client, _):
        for start, end in itertools.pairwise(places):
            await client.send_all(data[start:end])
            await trio.testing.wait_all_tasks_blocked()
        await client.send_stream.aclose()
        received = await read_to_end(client)
    assert received.decode().split("\n") == [*answers_to(data.split(b"\n")[:-1]), ""]


@pytest.mark.parametrize("sent", [b"", b"GET col"], ids=["silence", "an unfinished line"])
async def test_idle_client(sent: bytes, autojump_clock: MockClock) -> None:
    """Its connection is ended."""
    async with connected() as (client, _):
        if sent:
            await client.send_all(sent)
        assert await read_to_end(client) == b""
        assert trio.current_time() == pytest.approx(IDLE)


async def trickle(stream: Stream) -> None:
    """Send without ever ending a line."""
    while True:
        await stream.send_all(b"x")
        await trio.sleep(1)


async def test_client_that_trickles(autojump_clock: MockClock) -> None:
    """A line must come whole before the time is over; each one that does gives more time."""
    async with connected() as (client, _):
        for _ in range(3):
            await trio.sleep(IDLE - 1)
            assert await ask(client, b"GET colour") == b"NONE"
        with pytest.raises(trio.BrokenResourceError):
            await trickle(client)
        assert trio.current_time() == pytest.approx(4 * IDLE - 3, abs=1)


async def test_client_that_takes_no_answer(autojump_clock: MockClock) -> None:
    """Its connection is ended, too."""
    client, server = trio.testing.lockstep_stream_pair()
    async with KeyValue(store=service.store, journal=note_nothing).open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(serve_connection, running, server)
        await client.send_all(b"GET colour\n")
    assert trio.current_time() == pytest.approx(IDLE)


async def test_client_that_breaks_off() -> None:
    """With an answer on its way, too; that is nobody's error."""
    async with connected() as (client, running):
        await client.send_all(b"GET colour\n" * 9)
        await client.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert await running.request(service.Get, "colour") is None


async def test_journal_is_slow(autojump_clock: MockClock) -> None:
    """A client waits for it only for so long; who asks the store alone does not wait at all."""
    go_on = threading.Event()

    def journal(ctx: BlockingSubsystemContext[Record]) -> None:
        go_on.wait()
        note_nothing(ctx)

    async with connected(journal) as (client, _):
        try:
            assert await ask(client, b"SET colour green") == b"ERROR there is too much to do; try again"
            assert trio.current_time() == pytest.approx(PATIENCE)
            assert await ask(client, b"GET colour") == b"VALUE green"
            assert trio.current_time() == pytest.approx(PATIENCE)
        finally:
            go_on.set()


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a mock clock jump over nothing but the time before a restart: it jumps while threads are at work, too."""
    monkeypatch.setattr(service, "PATIENCE", math.inf)
    monkeypatch.setattr(service, "IDLE", math.inf)


needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no file that is always full")


@needs_full
async def test_writing_fails_once(
    autojump_clock: MockClock, endless_patience: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has asked is told, and everything goes on."""
    file = tmp_path / "journal"
    files = [FULL, file]

    def journal(ctx: BlockingSubsystemContext[Record]) -> None:
        Journal(files.pop(0))(ctx)

    async with connected(journal) as (client, running):
        assert await ask(client, b"SET one 1") == b"ERROR this was not written down; try again"
        assert await ask(client, b"SET two 2") == b"OK"
        assert await ask(client, b"GET two") == b"VALUE 2"
        assert running.statistics().subsystems["journal"].restarts == 1
    assert file.read_text("utf-8") == "two 2\n"
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "'journal' of KeyValue failed with OSError" in record.getMessage()


@needs_full
async def test_writing_fails_again_and_again(autojump_clock: MockClock, endless_patience: None) -> None:
    """Past the limit, the service ends with the last error."""
    answers: list[bytes] = []
    with pytest.RaisesGroup(OSError):
        async with connected(Journal(FULL)) as (client, _):
            for _ in range(9):
                answers += [await ask(client, b"SET one 1")]
    assert len(answers) in {5, 6}  # the last client may learn of it, or not any more
    assert set(answers) == {b"ERROR this was not written down; try again"}
