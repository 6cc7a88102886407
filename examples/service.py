"""A TCP line service embedded in a trio application: a small key-value store that keeps a journal of all changes.

Connections are trio's business, and what they ask for is the orchestra's: each line is a request to it. The store
answers `GET key`. Of `SET key value` it tells the journal, which writes it to a file, in a thread of its own, and
answers once that is done. When writing fails, the journal begins anew, and only the client whose line it was is told.

    python examples/service.py journal.txt --port 7000
    telnet localhost 7000

SIGTERM and Ctrl-C end it in order: it accepts no more connections, gives those that there are a few seconds to end,
handles what still lies in the lanes, and exits with status 0.
"""

import argparse
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import attrs
import trio

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    OneshotCancelled,
    OneshotSender,
    Orchestra,
    Restart,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    subsystem,
)

PATIENCE = 5  # seconds for the answer to a request
IDLE = 60  # seconds for a client to send the next line, and to take the answer
LONGEST = 1000  # bytes of a line


class Get(NamedTuple):
    """A request for the value of a key."""

    reply: OneshotSender[str | None]
    key: str


class Set(NamedTuple):
    """A request to set a key; answered when the journal has it."""

    reply: OneshotSender[None]
    key: str
    value: str


class Record(NamedTuple):
    """A line for the journal, with the reply end of who waits for it."""

    reply: OneshotSender[None]
    line: str


async def store(ctx: SubsystemContext[Get | Set, Record]) -> None:
    """Know the values."""
    values: dict[str, str] = {}
    async for incoming in ctx:
        match incoming:
            case Get(reply, key):
                reply.send(values.get(key))
            case Set(reply, key, value):
                values[key] = value
                await ctx.send(Record(reply, f"{key} {value}\n"))  # the journal answers


@attrs.frozen
class Journal:
    """Writes down what was set."""

    file: Path

    def __call__(self, ctx: BlockingSubsystemContext[Record]) -> None:
        """Append line by line. Whenever it begins anew, it opens the file again."""
        with self.file.open("a", encoding="utf-8") as file:
            for record in ctx:
                with record.reply:  # closes it: when writing fails, the client learns that there is no answer
                    file.write(record.line)
                    file.flush()
                    record.reply.send(None)


class KeyValue(Orchestra, message_capacity=100):
    """The wiring. Of the requests, 100 wait in a lane at the most, and the other connections for room in it."""

    store: Subsystem[Get | Set, Record]
    journal: BlockingSubsystem[Record] = subsystem(restart=Restart(max_restarts=5, within=60, on=OSError))


def words_of(line: bytes) -> list[str]:
    """Return the words of a line; none if it is no text, or too long."""
    try:
        return line.decode().split() if len(line) <= LONGEST else []
    except UnicodeDecodeError:
        return []


async def answer(running: RunningOrchestra, line: bytes) -> str:
    """Return the answer to one line, which is one line too."""
    await trio.lowlevel.checkpoint()  # so that a client with many bad lines does not keep the others waiting
    try:
        match words_of(line):
            case ["GET", key]:
                value = await running.request(Get, key)
                return "NONE" if value is None else f"VALUE {value}"
            case ["SET", key, value]:
                await running.request(Set, key, value)
                return "OK"
            case _:
                return f"ERROR write GET key, or SET key value, in UTF-8 and {LONGEST} bytes at most"
    except OneshotCancelled:
        return "ERROR this was not written down; try again"


async def serve_connection(running: RunningOrchestra, stream: trio.abc.Stream) -> None:
    """Answer a client line by line, until it ends or breaks off, or has got nothing done for a while."""
    rest = b""
    async with stream:
        with trio.move_on_after(IDLE) as scope, suppress(trio.BrokenResourceError):
            async for data in stream:
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[: LONGEST + 1]  # of a line that is too long, no more is kept than shows that it is
                for line in lines:
                    text = "ERROR there is too much to do; try again"  # unless there is an answer in time
                    with trio.move_on_after(PATIENCE):
                        text = await answer(running, line)
                    await stream.send_all(f"{text}\n".encode())
                    scope.deadline = trio.current_time() + IDLE


async def serve(
    port: int, journal: Path, grace: float, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until the process is told to stop; the task status gets the port."""
    key_value = KeyValue(store=store, journal=Journal(journal))
    async with key_value.open() as running, trio.open_nursery() as connections:
        async with trio.open_nursery() as accepting:
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                connect = partial(serve_connection, running)
                listen = partial(trio.serve_tcp, connect, port, host="127.0.0.1", handler_nursery=connections)
                [listener] = await accepting.start(listen)
                port = listener.socket.getsockname()[1]
                print(f"listening on 127.0.0.1:{port}", flush=True)
                task_status.started(port)
                await anext(signals)
            accepting.cancel_scope.cancel()
        print(f"stopping: {len(connections.child_tasks)} connections left", flush=True)
        connections.cancel_scope.deadline = trio.current_time() + grace
    print("stopped")


def main() -> None:
    """Take the arguments, and serve."""
    parser = argparse.ArgumentParser(description="A small key-value store: GET key, SET key value.")
    parser.add_argument("journal", type=Path, help="the file that changes are written to")
    parser.add_argument("--port", type=int, default=7000, help="0 for any that is free; default: %(default)s")
    parser.add_argument("--grace", type=float, default=3, help="seconds for connections to end; default: %(default)s")
    options = parser.parse_args()
    try:
        options.journal.touch()
    except OSError as error:
        parser.error(str(error))
    trio.run(serve, options.port, options.journal, options.grace)


if __name__ == "__main__":
    main()
