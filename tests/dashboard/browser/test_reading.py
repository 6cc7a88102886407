"""The page is for everybody: light and dark, wide and narrow, by keyboard and by a screen reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.dashboard.browser.scenes import make_crowd, make_duo, make_knot, shown
from tests.dashboard.browser.tabs import Tab, expect
from tests.runtime.samples import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from orchestra_trio import Orchestra

# All texts with the lowest contrast to what they stand on, as WCAG 2 reckons it.
CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const isSeen = (colour) => colour.startsWith("rgb") && (numbers(colour)[3] ?? 1) > 0;
  const below = (element) => {
    const box = element.closest(".node")?.querySelector(".box");
    if (box) return getComputedStyle(box).fill;
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (isSeen(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("title, script, noscript")) continue;
    const style = getComputedStyle(element);
    const colours = [element instanceof SVGElement ? style.fill : style.color, below(element)];
    const [dark, light] = colours.map(luminance).sort((a, b) => a - b);
    found.push({ text, ratio: (light + 0.05) / (dark + 0.05), colours });
  }
  return found;
}"""
# One of each kind, whatever the orchestra does just now.
ALL_KINDS = """() => {
  for (const kind of ["good", "calm", "warn", "bad", "quiet"]) {
    const pill = Object.assign(document.createElement("span"), { className: `pill ${kind}`, textContent: kind });
    document.querySelector(".pills").append(pill);
  }
  const [first] = document.querySelectorAll("#graph .node");
  for (const kind of ["", "chosen", "over", "failed", "restarting", "stuck"]) {
    const copy = first.cloneNode(true);
    copy.setAttribute("class", `node ${kind}`);
    first.after(copy);
  }
  const past = document.querySelector(".deadlock").cloneNode(true);
  past.className = "deadlock past";
  document.querySelector("#deadlocks").append(past);
  const [row] = document.querySelectorAll("#subsystems tbody tr");
  const chosen = row.cloneNode(true);
  chosen.className = "chosen";
  row.after(chosen);
}"""
REACHABLE = """() => {
  window.reachable = [...document.querySelectorAll("a[href], button, [tabindex='0']")]
    .filter((one) => one.checkVisibility());
  return window.reachable.map((one) => one.outerHTML);
}"""
FOCUSED = "window.reachable.indexOf(document.activeElement)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NAMELESS = re.compile(r"- (button|link|region|complementary|table|group|img)(?: \[[^]]*\])*:?$")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read(tab: Tab, scheme: Literal["light", "dark"]) -> None:
    """Its contrast is at least 4.5 to 1."""

    def read(page: Page) -> None:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("#health")).to_have_text("deadlock")
        page.locator("#subsystems tbody").get_by_role("button", name="asker").click()
        expect(page.locator("#detail-stack")).to_contain_text("task asker")
        page.evaluate(ALL_KINDS)
        found = page.evaluate(CONTRASTS)
        assert len(found) > 80
        assert {"Deadlock: asker → broker → asker", "asker", "warn", "none"} <= {one["text"] for one in found}
        assert [one for one in found if one["ratio"] < 4.5] == []

    async with shown(tab, make_knot()) as running:
        await running.route_message(Item(1))
        await tab.do(read)


@pytest.mark.parametrize("make", [make_knot, lambda: make_crowd(300, 10)], ids=["deadlock", "folded"])
async def test_page_is_no_wider_than_the_screen(tab: Tab, make: Callable[[], Orchestra[Any, Any]]) -> None:
    """What is, as the graph and the tables, scrolls by itself."""

    def fits(page: Page) -> None:
        wide_by = []
        for shows_more in (False, True):
            if shows_more:
                page.locator("#subsystems tbody th button").first.click()
                expect(page.locator("#detail:not([hidden]), #group:not([hidden])")).to_be_visible()
            for width in (320, 390, 768, 1400):
                page.set_viewport_size({"width": width, "height": 844})
                assert page.evaluate("innerWidth") == width
                wide_by.append(page.evaluate(OVERFLOW))
        assert wide_by == [0] * 8

    async with shown(tab, make(), interval=0.5) as running:
        if running.name == "Knot":
            await running.route_message(Item(1))
            await tab.do(lambda page: expect(page.locator("#deadlocks strong")).to_be_visible())
        await tab.do(fits)


async def test_all_can_be_reached_by_tab_and_has_a_name(tab: Tab) -> None:
    def reach(page: Page) -> None:
        page.locator("#subsystems tbody th button").first.click()
        expect(page.locator("#detail-stack")).not_to_be_empty()
        everything = page.evaluate(REACHABLE)
        assert len(everything) > 20
        page.evaluate("document.activeElement.blur()")
        reached = set()
        for _ in range(len(everything) + 2):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(FOCUSED))
        assert [one for number, one in enumerate(everything) if number not in reached] == []
        snapshot = page.locator("body").aria_snapshot()
        assert 'complementary "source"' in snapshot
        assert 'button "sink: running"' in snapshot
        assert [line for line in snapshot.splitlines() if NAMELESS.search(line)] == []

    async with shown(tab, make_duo(is_stuck=True)):
        await tab.do(reach)


async def test_graph_can_be_sized(tab: Tab) -> None:
    def size(page: Page) -> None:
        picture = page.locator("#graph svg")
        fitting = int(picture.get_attribute("width") or 0)
        page.get_by_role("button", name="Larger").click()
        assert int(picture.get_attribute("width") or 0) > fitting
        for _ in range(2):
            page.get_by_role("button", name="Smaller").click()
        assert int(picture.get_attribute("width") or 0) < fitting
        page.get_by_role("button", name="Fit").click()
        assert int(picture.get_attribute("width") or 0) == fitting

    async with shown(tab, make_duo()):
        await tab.do(size)


async def test_figures_are_short_texts(tab: Tab) -> None:
    counts = {
        0: "0",
        0.01: "<0.1",
        3.44: "3.4",
        9.96: "10",
        128: "128",
        9999: "9999",
        12_340: "12.3k",
        2_500_000: "2.5M",
    }
    durations = {
        0: "0 s",
        1e-7: "<1 µs",
        85e-6: "85 µs",
        0.99996e-3: "1.0 ms",
        1.23e-3: "1.2 ms",
        0.0456: "46 ms",
        0.9999: "1.0 s",
        3.44: "3.4 s",
        59.96: "1 min 0 s",
        125: "2 min 5 s",
        10_950: "3 h 2 min",
    }

    def written(page: Page) -> None:
        for name, texts in (("count", counts), ("duration", durations)):
            values = [*texts]
            script = f"async (values) => values.map((await import('/page/format.js')).{name})"
            assert page.evaluate(script, values) == [*texts.values()]

    async with shown(tab, make_duo()):
        await tab.do(written)
