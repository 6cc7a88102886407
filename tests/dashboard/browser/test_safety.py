"""Names are shown as text, whatever they contain, and a token does not stay where others could find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from orchestra_trio import Orchestra, Subsystem
from tests.dashboard.browser.scenes import make_duo, shown
from tests.dashboard.browser.tabs import Tab, expect
from tests.runtime.samples import AnyContext, Playing, forever

if TYPE_CHECKING:
    from playwright.sync_api import Page

MARKUP = "<img src=x onerror=window.hacked=1>"
TOKEN = "a-token-of-the-test"  # noqa: S105 - good for this test only


def make_marked_up() -> Orchestra[Any, Any]:
    """Return an orchestra all whose free names are markup: its own, those of types, those of tasks."""
    letter = type(f"{MARKUP}letter", (), {})
    slots = {"writer": Subsystem[int, letter], "reader": Subsystem[letter]}  # type: ignore[valid-type]  # made at run time
    made: Any = type(f"{MARKUP}orchestra", (Orchestra,), {"__annotations__": slots}, message_capacity=1)

    async def write(ctx: AnyContext) -> None:
        ctx.start_soon(_write, ctx, letter, name=f"{MARKUP}task")
        await trio.sleep_forever()

    orchestra: Orchestra[Any, Any] = made(writer=Playing(write), reader=forever)
    return orchestra


async def _write(ctx: AnyContext, letter: Any) -> None:  # noqa: ANN401 - a type of message
    while True:
        await ctx.send(letter())


async def test_names_are_no_markup(tab: Tab) -> None:
    def read(page: Page) -> None:
        expect(page.locator("#name")).to_have_text(f"{MARKUP}orchestra")
        expect(page.locator("#waits")).to_contain_text(f"{MARKUP}letter")
        expect(page.locator("#waits")).to_contain_text(f"{MARKUP}task")
        page.locator("#subsystems tbody").get_by_role("button", name="writer").click()
        expect(page.locator("#detail-stack")).to_contain_text(f"{MARKUP}task")
        expect(page.locator("#graph .wire title").first).to_contain_text(f"{MARKUP}letter")
        assert page.title() == f"{MARKUP}orchestra"
        assert page.locator("img").count() == 0
        assert page.evaluate("window.hacked") is None

    async with shown(tab, make_marked_up()):
        await tab.do(read)


async def test_token_goes_into_a_cookie(tab: Tab) -> None:
    """It is neither in the address bar nor told to anybody afterwards; a look with the cookie alone is allowed."""

    def look(page: Page) -> None:
        expect(page.locator("#health")).to_have_text("running")
        assert "token" not in page.url
        [cookie] = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert TOKEN not in cookie["value"]
        assert "orchestra_trio" not in page.evaluate("document.cookie")
        page.reload()
        expect(page.locator("#health")).to_have_text("running")
        page.locator("#subsystems tbody th button").first.click()
        expect(page.locator("#detail-place")).to_contain_text("running: ")
        assert page.evaluate("history.length") <= 3

    async with shown(tab, make_duo(), token=TOKEN):
        await tab.do(look)
    first, *others = tab.requests
    assert TOKEN in first.url
    assert len(others) > 5
    assert [one.url for one in others if TOKEN in one.url or TOKEN in one.headers.get("referer", "")] == []
