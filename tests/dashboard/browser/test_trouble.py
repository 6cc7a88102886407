"""What is stuck, waits, begins anew or has failed is seen at a glance, and told to those who listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from tests.dashboard.browser.scenes import Knot, Lab, breaks, flood, make_duo, make_knot, shown
from tests.dashboard.browser.tabs import Tab, expect
from tests.runtime.samples import AnyContext, Item, Other, Playing, idle, stopped

if TYPE_CHECKING:
    from playwright.sync_api import Page

LISTEN = """() => {
  window.told = [];
  const note = (changes) => window.told.push(...changes.map((one) => one.target.textContent));
  for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
    new MutationObserver(note).observe(region, { subtree: true, childList: true, characterData: true });
  }
}"""


def _calm(page: Page) -> None:
    expect(page.locator("#health")).to_have_text("running")
    expect(page.locator(".stuck:not(.key)")).to_have_count(0)
    expect(page.locator("#deadlocks")).to_be_empty()


def _red(page: Page) -> None:
    expect(page.locator("#health")).to_have_text("deadlock")
    expect(page.locator("#health")).to_have_class("pill bad")
    banner = page.locator("#deadlocks .deadlock:not(.past)")
    expect(banner).to_contain_text("asker → broker → asker")
    expect(banner).to_contain_text("Since ")
    expect(page.locator("#graph .node.stuck .title")).to_have_text(["asker", "broker"])
    expect(page.locator("#graph .wire.stuck")).to_have_count(2)
    expect(page.locator("#graph .node.stuck").first).to_have_attribute("aria-label", "asker: running, in a deadlock")
    expect(page.locator("#subsystems tr.stuck th button")).to_have_text(["asker", "broker"])
    expect(page.locator("#waits .stuck").first).to_contain_text("waits for room at")
    expect(page.locator("#waits .stuck")).to_have_count(2)
    assert page.title() == "⚠ Knot"
    red = page.evaluate("getComputedStyle(document.querySelector('.node.stuck .box')).stroke")
    assert red == "rgb(179, 38, 30)"


async def test_planted_deadlock_turns_red(tab: Tab) -> None:
    """With its cycle: the banner, the boxes, the edges, the table, and who waits for whom."""
    async with shown(tab, make_knot()) as running:
        await tab.do(_calm)
        await running.route_message(Item(1))
        await tab.do(_red)


async def test_a_resolved_deadlock_is_past(tab: Tab) -> None:
    sending = trio.CancelScope()

    async def giving_up(ctx: AnyContext) -> None:
        with sending:
            await flood(Other)(ctx)
        await idle(ctx)

    def past(page: Page) -> None:
        expect(page.locator("#deadlocks .past strong")).to_have_text("A deadlock was resolved: asker → broker → asker")
        expect(page.locator("#deadlocks .deadlock")).to_have_count(1)
        expect(page.locator("#health")).to_have_text("running")
        expect(page.locator(".stuck:not(.key)")).to_have_count(0)

    knot = Knot(asker=Playing(giving_up), broker=flood(Item), clerk=idle)
    async with shown(tab, knot) as running:
        await running.route_message(Item(1))
        await tab.do(_red)
        sending.cancel()
        await tab.do(past)


async def test_who_listens_is_told_what_matters_and_not_every_look(tab: Tab) -> None:
    def hear_nothing(page: Page) -> None:
        page.evaluate(LISTEN)
        for _ in range(5):
            expect(page.locator("#uptime")).not_to_have_text(page.inner_text("#uptime"))
        assert page.evaluate("window.told") == []

    def hear_of_it(page: Page) -> None:
        _red(page)
        told = page.evaluate("window.told")
        assert "deadlock" in told
        assert any("asker → broker" in one for one in told)
        page.evaluate("window.told.length = 0")
        for _ in range(5):
            expect(page.locator("#uptime")).not_to_have_text(page.inner_text("#uptime"))
        assert page.evaluate("window.told") == []

    async with shown(tab, make_knot()) as running:
        await tab.do(_calm)
        await tab.do(hear_nothing)
        await running.route_message(Item(1))
        await tab.do(hear_of_it)


async def test_sender_that_waits_is_seen_at_its_edge(tab: Tab) -> None:
    """And the lane is full; that is no deadlock."""

    def waiting(page: Page) -> None:
        expect(page.locator("#graph .wire.waiting")).to_have_count(1)
        expect(page.locator("#graph .level.full")).to_have_count(1)
        expect(page.locator("#waits li")).to_have_count(1)
        expect(page.locator("#waits")).to_contain_text("source waits for room at sink (bounded lane), Item, for ")
        expect(page.locator("#subsystems td.waits").first).to_contain_text("for room at sink, ")
        expect(page.locator("#subsystems td.lanes").nth(1)).to_contain_text("2/2")
        expect(page.locator("#health")).to_have_text("running")

    async with shown(tab, make_duo(is_stuck=True)):
        await tab.do(waiting)


async def test_subsystem_that_begins_anew(tab: Tab) -> None:
    def restarting(page: Page) -> None:
        expect(page.locator("#health")).to_have_text("restarting: gauge")
        expect(page.locator("#graph .node.restarting .title")).to_have_text("gauge")
        expect(page.locator("#subsystems tbody .pill.warn")).to_have_text("restarting")

    with stopped() as errors:  # it is cancelled while it waits to begin anew
        async with shown(tab, Lab(gauge=breaks, fuse=idle)) as running:
            await tab.do(lambda view: expect(view.locator("#restarts")).to_be_hidden())
            await running.route_message(Item(1))
            await tab.do(restarting)
    assert [type(one) for one in errors] == [ValueError]
