"""Scrapes from other threads than trio's: while it runs, while it is busy, while it ends, and afterwards."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import trio
from prometheus_client import CollectorRegistry

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.display import PlainDisplay
from orchestra_trio.cli.demo.program import Work, index_folder
from orchestra_trio.metrics import OrchestraCollector
from orchestra_trio.runtime.surroundings import on_opening
from tests.metrics.scrapes import Scrape, fetch, scrape, serving
from tests.runtime.samples import Item, idle, stopped

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from orchestra_trio import BlockingSubsystemContext, OrchestraStatistics


class Solo(Orchestra):
    sink: Subsystem[Item]


class Threaded(Orchestra):
    sink: BlockingSubsystem[Item]


def registered(collector: OrchestraCollector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def sent(shown: Scrape) -> float:
    (value,) = shown.values("messages_sent_total", subsystem="sink", lane="bounded")
    return value


async def test_a_scrape_over_http_shows_the_figures_of_this_moment() -> None:
    async with Solo(sink=idle).open() as running:
        with serving(registered(OrchestraCollector(running, timeout=60))) as address:
            for number in range(3):
                await running.route_message(Item(number))
                shown = await trio.to_thread.run_sync(fetch, address)
                assert (sent(shown), shown("figures_age_seconds", orchestra="Solo")) == (number + 1, 0)


async def test_many_scrapes_at_once_are_all_answered() -> None:
    async with Solo(sink=idle).open() as running:
        registry = registered(OrchestraCollector(running, timeout=60))
        await running.route_message(Item(1))
        shown: list[float] = []

        async def one() -> None:
            shown.append(sent(await trio.to_thread.run_sync(scrape, registry)))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(one)
        assert shown == [1.0] * 20


async def test_a_scrape_while_trio_is_busy_shows_the_figures_before_and_their_age() -> None:
    async with Solo(sink=idle).open() as running:
        registry = registered(OrchestraCollector(running, timeout=0.01))
        await running.route_message(Item(1))
        shown: list[Scrape] = []
        thread = threading.Thread(target=lambda: shown.append(scrape(registry)))
        thread.start()
        thread.join()  # trio's thread does nothing else meanwhile
        assert sent(shown[0]) == 0
        assert shown[0]("figures_age_seconds", orchestra="Solo") > 0
        assert sent(scrape(registry)) == 1


async def test_trio_is_asked_once_however_many_scrapes_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Solo(sink=idle).open() as running:
        registry = registered(OrchestraCollector(running, timeout=0))
        plain = running.statistics
        reads: list[int] = []

        def statistics() -> OrchestraStatistics:
            reads.append(1)
            return plain()

        monkeypatch.setattr(running, "statistics", statistics)
        for _ in range(5):
            thread = threading.Thread(target=scrape, args=(registry,))
            thread.start()
            thread.join()
        assert reads == []
        is_answered = trio.Event()
        trio.lowlevel.current_trio_token().run_sync_soon(is_answered.set)
        await is_answered.wait()
        assert reads == [1]


def test_after_the_run_a_scrape_shows_the_last_figures_from_any_thread() -> None:
    async def main() -> CollectorRegistry:
        async with Solo(sink=idle).open() as running:
            registry = registered(OrchestraCollector(running, timeout=60))
            for number in range(3):
                await running.route_message(Item(number))
        return registry

    registry = trio.run(main)
    with serving(registry) as address:
        for shown in (fetch(address), fetch(address), scrape(registry)):
            assert sent(shown) == 3
            assert shown("running", orchestra="Solo") == 0


def test_after_a_run_that_was_stopped_by_an_error_a_scrape_says_who_failed() -> None:
    async def fail(ctx: object) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError

    registries: list[CollectorRegistry] = []

    async def main() -> None:
        async with Solo(sink=fail).open() as running:
            registries.append(registered(OrchestraCollector(running, timeout=60)))
            await trio.sleep_forever()

    with stopped():
        trio.run(main)
    with serving(registries[0]) as address:
        assert fetch(address)("subsystem_state", orchestra="Solo", subsystem="sink", state="failed") == 1


def test_a_scrape_in_another_run_of_trio_in_the_same_thread_shows_the_last_figures() -> None:
    collector = OrchestraCollector()

    async def main() -> None:
        async with Solo(sink=idle).open() as running:
            await running.route_message(Item(1))
            collector.add(running)

    async def later() -> float:
        await trio.lowlevel.checkpoint()
        return sent(scrape(registered(collector)))

    trio.run(main)
    assert trio.run(later) == 1


async def test_flights_that_land_in_threads_are_counted() -> None:
    def sink(ctx: BlockingSubsystemContext[Item]) -> None:
        for _ in ctx:
            pass

    async with Threaded(sink=sink).open() as running:
        registry = registered(OrchestraCollector(running, timeout=60))
        for number in range(160):
            await running.route_message(Item(number))
    shown = scrape(registry)
    assert shown("flight_seconds_count", orchestra="Threaded", subsystem="sink", lane="bounded") == 10


async def test_the_demo_is_scraped_under_load(tmp_path: Path) -> None:
    """Scraped over HTTP again and again, counters never fall, and at the end all adds up."""
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"some words {number} " * 200)
    collector = OrchestraCollector(timeout=60)
    shown: list[Scrape] = []
    is_done = trio.Event()
    _, no_signals = trio.open_memory_channel[int](0)

    async def keep_scraping(address: str) -> None:
        while not is_done.is_set():
            shown.append(await trio.to_thread.run_sync(fetch, address))

    with serving(registered(collector)) as address, closing(Database.open(None)) as database:
        with on_opening(collector.add):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep_scraping, address)
                await index_folder(Work(folder=tmp_path, questions=()), database, PlainDisplay(), no_signals)
                is_done.set()
        shown.append(await trio.to_thread.run_sync(fetch, address))
    for earlier, later in pairwise(shown):
        for key, value in earlier.samples.items():
            if key[0].endswith(("_total", "_count", "_bucket")):
                assert later.samples[key] >= value
    reader = {"orchestra": "Indexing", "subsystem": "reader", "lane": "bounded"}
    assert shown[-1]("messages_received_total", **reader) == 40
    assert shown[-1]("flight_seconds_count", **reader) == 2
