"""A thousand subsystems: the page says how it folds them, and opens a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dashboard.browser.scenes import make_crowd, make_pairs, shown
from tests.dashboard.browser.tabs import Tab, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _folded(page: Page) -> None:
    folding = page.locator("#folding")
    expect(folding).to_contain_text("1,000 subsystems are shown as 2 entries")
    expect(folding).to_contain_text("differ only in a number at the end")
    expect(page.locator("#subsystems tbody tr")).to_have_count(2)
    expect(page.locator("#subsystems tbody th").first).to_have_text("worker* 600 together")
    expect(page.locator("#graph .node")).to_have_count(2)
    expect(page.locator("#group")).to_be_hidden()


def _open_and_page(page: Page) -> None:
    rows = page.locator("#subsystems tbody tr")
    page.locator("#graph .node").filter(has_text="worker*").press("Enter")
    expect(rows).to_have_count(200)
    expect(page.locator("#group span")).to_have_text("1 to 200 of 600")
    expect(page.locator("#subsystems-title")).to_have_text("Subsystems: worker*")
    expect(page.locator("#subsystems-title")).to_be_focused()
    following, before = (page.locator("#group").get_by_role("button", name=name) for name in ("Next", "Before"))
    expect(before).to_have_attribute("aria-disabled", "true")
    following.focus()
    for offset in (200, 400):
        page.keyboard.press("Enter")
        expect(page.locator("#group span")).to_have_text(f"{offset + 1} to {offset + 200} of 600")
        expect(rows.first.locator("th")).to_have_text(f"worker{offset}")
        expect(following).to_be_focused()
    expect(following).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")  # does nothing
    before.click()
    expect(page.locator("#group span")).to_have_text("201 to 400 of 600")


def _look_at_a_member(page: Page) -> None:
    page.locator("#subsystems tbody th button").nth(3).click()
    expect(page.locator("#detail-name")).to_have_text("worker203")
    expect(page.locator("#detail-place")).to_have_text("running: waits to receive")
    expect(page.locator("#detail-plots figure").first).to_contain_text("in the last minute")
    page.keyboard.press("Escape")
    expect(page.locator("#subsystems tbody th button").nth(3)).to_be_focused()


def _close(page: Page) -> None:
    page.locator("#group").get_by_role("button", name="All groups").click()
    expect(page.locator("#subsystems-title")).to_be_focused()
    _folded(page)
    page.locator("#subsystems tbody").get_by_role("button", name="store*").click()
    expect(page.locator("#group span")).to_have_text("1 to 200 of 400")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_deadlock_of_members_turns_their_groups_red(tab: Tab) -> None:
    def red(page: Page) -> None:
        expect(page.locator("#deadlocks")).to_contain_text("ping7 → pong7 → ping7")
        expect(page.locator("#graph .node.stuck .title")).to_have_text(["ping*", "pong*"])
        expect(page.locator("#graph .wire.stuck")).to_have_count(2)
        expect(page.locator("#subsystems tr.stuck")).to_have_count(2)
        expect(page.locator("#subsystems tr.stuck").first).to_contain_text("120 together, the fullest lane 100 %")
        page.locator("#subsystems tbody").get_by_role("button", name="ping*").click()
        expect(page.locator("#subsystems tr.stuck th")).to_have_text(["ping7"])

    orchestra, balls = make_pairs()
    async with shown(tab, orchestra, interval=0.5) as running:
        await running.route_message(balls[7](1))
        await tab.do(red)


async def test_thousand_subsystems(tab: Tab) -> None:
    async with shown(tab, make_crowd(), interval=1):
        for step in (_folded, _open_and_page, _look_at_a_member, _close):
            await tab.do(step)
