"""The messages, signals and orchestra that the other files are checked against."""

from dataclasses import dataclass
from typing import Never

from orchestra_trio import (
    BlockingSubsystem,
    OneshotSender,
    Orchestra,
    Restart,
    RunningOrchestra,
    Subsystem,
    subsystem,
)


@dataclass(frozen=True)
class Fetch:
    url: str


@dataclass(frozen=True)
class Parse:
    text: str


@dataclass(frozen=True)
class ParseFast(Parse):
    pass


@dataclass(frozen=True)
class Store:
    record: str


@dataclass(frozen=True)
class Lookup:
    reply: OneshotSender[int]
    key: str


@dataclass(frozen=True)
class Audit:
    line: str


@dataclass(frozen=True)
class Tick:
    number: int


@dataclass(frozen=True)
class Imported:
    block: int


class Pipeline(Orchestra[Tick, Imported], message_capacity=64):
    fetcher: Subsystem[Fetch, Parse | Audit, Tick]
    parser: Subsystem[Parse, Store | Lookup] = subsystem(priority=True)
    store: Subsystem[Store | Lookup, Never, Tick]
    clock: Subsystem[Never, Fetch]
    later: Subsystem[Audit] = subsystem(wip=True)
    db_path: str

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await running.route_message(Fetch(str(event.block)))


class Quiet(Orchestra):
    """Neither signals nor events."""

    parser: Subsystem[Parse]


class Service(Orchestra[Tick], on_deadlock="warn"):
    """With a thread, and with restarts."""

    fetcher: Subsystem[Fetch, Parse, Tick] = subsystem(
        restart=Restart(max_restarts=3, within=60, backoff=0.1, factor=2, max_backoff=5, jitter=0.5, on=(OSError,)),
        restart_group="net",
    )
    parser: Subsystem[Parse, Store] = subsystem(restart=Restart(order="rest"), restart_group="net")
    store: BlockingSubsystem[Store | Lookup, Audit, Tick]
    later: BlockingSubsystem[Audit] = subsystem(wip=True)
