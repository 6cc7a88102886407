"""One subsystem is looked at closely, and the table is sorted: by mouse, by keyboard, by address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dashboard.browser.scenes import make_duo, make_knot, shown
from tests.dashboard.browser.tabs import Tab, expect
from tests.runtime.samples import Item

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def _node(page: Page) -> Locator:
    return page.locator("#graph .node").filter(has_text="sink")


def _button(page: Page) -> Locator:
    return page.locator("#subsystems tbody").get_by_role("button", name="sink")


def _shows_sink(page: Page) -> None:
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#detail-name")).to_have_text("sink")
    expect(page.locator("#detail-name")).to_be_focused()
    expect(page.locator("#detail-place")).to_contain_text("running: ")
    expect(page.locator("#detail-stack")).to_contain_text("task sink: ")
    expect(page.locator("#detail-stack")).to_contain_text("async for _ in ctx")
    expect(page.locator("#detail-lanes tbody th")).to_have_text("bounded")
    expect(page.locator("#detail-waits li")).to_have_count(1)
    assert page.url.endswith("#sink")


@pytest.mark.parametrize("how", ["click", "Enter", "Space"])
async def test_detail_opens_and_closes(tab: Tab, how: str) -> None:
    """In the graph and in the table. It has the focus then, and Escape gives it back to where it was."""

    def try_it(page: Page) -> None:
        for opener in (_node(page), _button(page)):
            if how == "click":
                opener.click()
            else:
                opener.press(how)
            _shows_sink(page)
            expect(_node(page)).to_have_attribute("aria-pressed", "true")
            expect(page.locator("#subsystems tr.chosen th")).to_contain_text("sink")
            page.keyboard.press("Escape")
            expect(page.locator("#detail")).to_be_hidden()
            expect(opener).to_be_focused()
            expect(page.locator(".chosen")).to_have_count(0)
            assert "#" not in page.url

    async with shown(tab, make_duo()):
        await tab.do(try_it)


async def test_detail_moves(tab: Tab) -> None:
    """What it shows is as new as the rest."""

    def moves(page: Page) -> None:
        _button(page).click()
        received = page.locator("#detail-lanes tbody td").nth(3)
        expect(received).not_to_be_empty()
        expect(received).not_to_have_text(received.inner_text())
        expect(page.locator("#detail-plots figure").first).to_contain_text("in the last minute")

    async with shown(tab, make_duo()):
        await tab.do(moves)


async def test_detail_shows_why_it_waits(tab: Tab) -> None:
    """In a deadlock, the place at which it stands."""

    def stuck(page: Page) -> None:
        expect(page.locator("#health")).to_have_text("deadlock")
        page.locator("#subsystems tbody").get_by_role("button", name="asker").click()
        expect(page.locator("#detail-place")).to_contain_text("waits for room at 'broker'")
        expect(page.locator("#detail-stack")).to_contain_text("await ctx.send(make(incoming.number))")
        expect(page.locator("#detail-lanes tr.full")).to_have_count(1)
        page.locator("#close").click()
        expect(page.locator("#detail")).to_be_hidden()

    async with shown(tab, make_knot()) as running:
        await running.route_message(Item(1))
        await tab.do(stuck)


async def test_address_opens_a_subsystem(tab: Tab) -> None:
    """One that is given with it, and one that is written into it later; without one it is closed."""

    def follow(page: Page) -> None:
        _shows_sink(page)
        page.evaluate("location.hash = 'source'")
        expect(page.locator("#detail-name")).to_have_text("source")
        page.evaluate("location.hash = ''")
        expect(page.locator("#detail")).to_be_hidden()
        # Nobody had the focus before: the subsystem's own row has it now.
        expect(page.locator("#subsystems").get_by_role("button", name="source")).to_be_focused()

    async with shown(tab, make_duo(), "#sink"):
        await tab.do(follow)


async def test_address_that_names_nothing(tab: Tab) -> None:
    def follow(page: Page) -> None:
        expect(page.locator("#detail-place")).to_have_text("there is no subsystem of this name")
        page.evaluate("location.hash = '%'")  # not even encoded as it should be
        page.evaluate("location.hash = '#subsystems-title'")
        expect(page.locator("#detail-name")).to_have_text("nobody")

    async with shown(tab, make_duo(), "#nobody"):
        await tab.do(follow)
    tab.forgive("404")


async def test_on_a_narrow_screen_nobody_gets_lost_below_the_detail(tab: Tab) -> None:
    def try_it(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        _button(page).click()
        expect(page.locator("#detail-name")).to_be_focused()
        for _ in range(8):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.closest('main, header, footer')") is None
        page.keyboard.press("Escape")
        expect(_button(page)).to_be_focused()

    async with shown(tab, make_duo()):
        await tab.do(try_it)


async def test_table_is_sorted(tab: Tab) -> None:
    """Names from A on, numbers the largest first, and in the other direction the second time."""

    def sort(page: Page) -> None:
        names = page.locator("#subsystems tbody th button")
        expect(names).to_have_text(["source", "sink"])
        for head, first, second in (
            ("Subsystem", ["sink", "source"], ["source", "sink"]),
            ("In lanes", ["sink", "source"], ["source", "sink"]),
            ("Waits", ["source", "sink"], ["sink", "source"]),
        ):
            button = page.locator("#subsystems thead").get_by_role("button", name=head)
            button.click()
            expect(names).to_have_text(first)
            expect(page.locator("#subsystems thead th:not([aria-sort=none])")).to_have_text(head)
            button.press("Enter")
            expect(names).to_have_text(second)

    async with shown(tab, make_duo(is_stuck=True)):
        await tab.do(lambda page: expect(page.locator("#subsystems td.lanes").nth(1)).to_contain_text("2/2"))
        await tab.do(sort)
