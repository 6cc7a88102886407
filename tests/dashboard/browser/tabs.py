"""A tab of a real browser, which watches for what must not happen in it. Tests that import this need Playwright."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
import trio

pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: the live page is not tried in a browser"
)

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

    from orchestra_trio.dashboard import RunningPage

__all__ = ["Tab", "expect", "in_thread", "open_browser"]

ResultT = TypeVar("ResultT")

PATIENCE = 20_000
"""Milliseconds after which what is waited for will never come: the machine may be busy."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SILENT = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(`against the policy: ${event.violatedDirective}`));
"""


def open_browser() -> Iterator[Browser]:
    """Start the system's Chromium, and end it afterwards; skip the test where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine: the live page is not tried in a browser")
    expect.set_options(timeout=PATIENCE)
    # Chromium does not run as root in its own sandbox, and containers have often nobody else.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_SILENT, *sandbox])
        yield browser
        browser.close()


class Tab:
    """A tab. All of it happens in the browser's own thread, so that the orchestra goes on meanwhile."""

    def __init__(self, thread: Executor, browser: Callable[[], Browser]) -> None:
        self.problems: list[str] = []
        """What went wrong: errors on the console, requests to elsewhere, what the policy forbids."""
        self.requests: list[Request] = []
        self._thread = thread
        self._browser = browser
        self._origin = ""

    def begin(self) -> None:
        context = self._browser().new_context(viewport={"width": 1400, "height": 1000}, color_scheme="light")
        context.add_init_script(_TELL_VIOLATIONS)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._note)

    def end(self) -> None:
        self.page.context.close()

    async def open(self, page: RunningPage, path: str = "") -> None:
        """Open a page, and wait until it shows a state and the wiring."""
        self._origin = f"http://{page.host}:{page.port}/"
        await self.do(lambda tab: tab.goto(page.url + path))
        await self.do(lambda tab: expect(tab.locator("#subsystems tbody tr").first).to_be_visible())
        await self.do(lambda tab: expect(tab.locator("#graph .node[aria-label]").first).to_be_attached())

    async def leave(self) -> None:
        """Leave the page before its server goes, so that the browser has nothing to complain of."""
        await self.do(lambda tab: tab.goto("about:blank"))

    async def do(self, step: Callable[[Page], ResultT]) -> ResultT:
        """Do something in the browser, and wait until it is done."""
        return await trio.to_thread.run_sync(lambda: self._thread.submit(step, self.page).result())

    def forgive(self, text: str) -> None:
        """Let problems be in which this occurs; there must be some."""
        left = [one for one in self.problems if text not in one]
        assert left != self.problems, "it did not occur"
        self.problems = left

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _note(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith(self._origin):
            self.problems.append(f"a request to {request.url}")


def in_thread(thread: Executor, opening: AbstractContextManager[ResultT]) -> Iterator[ResultT]:
    """Enter and leave something in a thread."""
    yield thread.submit(opening.__enter__).result()
    thread.submit(partial(opening.__exit__, None, None, None)).result()
