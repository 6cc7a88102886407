"""The browser that all these tests share, and a tab of it for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from playwright.sync_api import Browser

    from tests.dashboard.browser.tabs import Tab


@pytest.fixture(scope="session")
def browser_thread() -> Iterator[Executor]:
    """The one thread from which the browser is driven."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser") as thread:
        yield thread


@pytest.fixture(scope="session")
def browser(browser_thread: Executor) -> Iterator[Browser]:
    from tests.dashboard.browser.tabs import in_thread, open_browser  # noqa: PLC0415 - only where there is Playwright

    yield from in_thread(browser_thread, contextmanager(open_browser)())


@pytest.fixture
def tab(browser_thread: Executor, browser: Browser) -> Iterator[Tab]:
    """A tab in which nothing may go wrong that a test has not forgiven."""
    from tests.dashboard.browser.tabs import Tab  # noqa: PLC0415 - only where there is Playwright

    made = Tab(browser_thread, lambda: browser)
    browser_thread.submit(made.begin).result()
    yield made
    browser_thread.submit(made.end).result()
    assert made.problems == []
