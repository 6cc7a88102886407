"""Makes the pictures of the live page for the documentation: `python -m tests.dashboard.browser.pictures`.

It needs Chromium, and Pillow, which comes with matplotlib.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from PIL import Image

from examples.network_node.program import _play_network, make_node
from tests.dashboard.browser.scenes import make_knot, shown
from tests.dashboard.browser.tabs import Tab, expect, in_thread, open_browser
from tests.runtime.samples import Item

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from examples.network_node.wiring import NodeEvent, NodeSignal
    from orchestra_trio import RunningOrchestra

_FOLDER = Path("docs/images")
_COLOURS = 256


async def _picture_node(tab: Tab) -> None:
    """The network node of the examples, after a minute of work."""
    async with shown(tab, make_node(), interval=1) as running, trio.open_nursery() as nursery:
        nursery.start_soon(_play, running)
        await trio.sleep(61)
        await tab.do(partial(_take, name="live-page.png", size=(1400, 1000)))
        nursery.cancel_scope.cancel()


async def _play(running: RunningOrchestra[NodeSignal, NodeEvent]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_play_network, running, 100_000, 0.1)
        async for _ in running.outgoing:
            pass


async def _picture_deadlock(tab: Tab) -> None:
    async with shown(tab, make_knot(), interval=1) as running:
        await trio.sleep(10)
        await running.route_message(Item(1))
        await tab.do(lambda page: expect(page.locator("#health")).to_have_text("deadlock"))
        await trio.sleep(10)
        await tab.do(partial(_take, name="live-page-deadlock.png", size=(1000, 1000)))


def _take(page: Page, *, name: str, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # Few colours are enough for boxes and lines, and make a small file.
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE)
    picture.save(_FOLDER / name, optimize=True)
    print(f"{_FOLDER / name}: {(_FOLDER / name).stat().st_size // 1000} kB")  # noqa: T201 - what came of it


async def _main() -> None:
    with (
        ThreadPoolExecutor(max_workers=1) as thread,
        contextmanager(in_thread)(thread, contextmanager(open_browser)()) as browser,
    ):
        for picture in (_picture_node, _picture_deadlock):
            tab = Tab(thread, lambda: browser)
            await trio.to_thread.run_sync(lambda made: thread.submit(made.begin).result(), tab)
            await picture(tab)


if __name__ == "__main__":
    logging.disable()
    _FOLDER.mkdir(exist_ok=True)
    trio.run(_main)
