"""What goes on in the orchestra is seen on the page while it goes on."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.display import PlainDisplay
from orchestra_trio.cli.demo.program import Work, index_folder
from orchestra_trio.dashboard import serve_dashboard
from tests.dashboard.asking import served
from tests.dashboard.browser.scenes import INTERVAL, make_duo, shown
from tests.dashboard.browser.tabs import Tab, expect
from tests.runtime.samples import Duo, Fails, Playing, Ring, Solo, forever, idle, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from orchestra_trio import RunningOrchestra


async def test_values_move(tab: Tab) -> None:
    """Rates, counts on the edges, the clock and the plots."""

    def move(page: Page) -> None:
        expect(page.locator("#subsystems tbody tr").nth(1).locator("td.number").first).not_to_have_text("0")
        expect(page.locator("#graph .label").first).to_contain_text("/s")
        for figure in (page.locator("#graph .wire title").first, page.locator("#uptime")):
            expect(figure).not_to_have_text(figure.text_content() or "")
        line = page.locator("#plots .plot-line").first
        expect(line).not_to_have_attribute("d", line.get_attribute("d") or "")

    async with shown(tab, make_duo()):
        await tab.do(move)
        await tab.do(lambda view: expect(view.locator("#health")).to_have_text("running"))


async def test_demo_is_seen_to_work_and_to_end(tab: Tab, tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number}.txt").write_text("Some words to be found. " * 20)
    _sender, interrupts = trio.open_memory_channel[int](1)
    async with trio.open_nursery() as pages:

        async def open_page(running: RunningOrchestra[Any, Any]) -> None:
            page = await pages.start(partial(serve_dashboard, running, interval=0.05))
            await tab.open(page)  # only then is there work

        with closing(Database.open(None)) as database:
            await index_folder(Work(folder=tmp_path, questions=()), database, PlainDisplay(), interrupts, open_page)
        await tab.do(_seen_to_end)
        await tab.leave()
        pages.cancel_scope.cancel()


def _seen_to_end(page: Page) -> None:
    expect(page.locator("#name")).to_have_text("Indexing")
    expect(page.locator("#health")).to_have_text("has ended")
    expect(page.locator("#plots .most").first).not_to_have_text("at most 0 in the last minute")
    expect(page.locator("#subsystems tbody .pill.calm")).to_have_count(5)


async def test_what_failed_is_named_when_all_has_ended(tab: Tab) -> None:
    async with trio.open_nursery() as pages:
        failing = trio.Event()

        async def fail(_: object) -> None:
            await failing.wait()
            await Fails(ValueError("as planned"))()

        with stopped():
            async with Duo(source=Playing(fail), sink=forever).open() as running:
                serve = partial(serve_dashboard, running, interval=INTERVAL)
                await tab.open(await pages.start(serve))
                failing.set()
                await trio.sleep_forever()
        await tab.do(lambda view: expect(view.locator("#health")).to_have_text("has ended: source failed"))
        await tab.do(lambda view: expect(view.locator("#graph .node.failed")).to_have_count(1))
        await tab.leave()
        pages.cancel_scope.cancel()


async def test_lost_connection_is_said_and_mended(tab: Tab) -> None:
    """Also if another orchestra runs there then."""

    def mended(page: Page) -> None:
        expect(page.locator("#health")).to_have_text("running")
        expect(page.locator("#name")).to_have_text("Ring")
        expect(page.locator("#graph .node")).to_have_count(2)
        expect(page.locator("#graph")).to_contain_text("pong")

    async with Solo(worker=idle).open() as first, Ring(ping=idle, pong=idle).open() as second:
        async with served(first, interval=INTERVAL) as page:
            await tab.open(page)
            await tab.do(lambda view: expect(view.locator("#health")).to_have_text("running"))
        gone = "the page does not answer; trying again"
        await tab.do(lambda view: expect(view.locator("#health")).to_have_text(gone))
        async with served(second, interval=INTERVAL, port=page.port):
            await tab.do(mended)
            await tab.leave()
        first.cancel()
        second.cancel()
    tab.forgive("net::ERR_")
