"""The smallest example: what it prints is what the wiring says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio.testing import wait_all_tasks_blocked

from examples import duo

if TYPE_CHECKING:
    import pytest

    from orchestra_trio import SubsystemContext


async def test_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The price holds for all orders after it, and the shelf ends last."""
    await duo.main()
    assert capsys.readouterr().out == (
        "Ada: 3 of 3 loaves, 900 cents\n"
        "Grace: 2 of 4 loaves, 600 cents\n"
        "Edsger: 1 of 1 loaves, 200 cents\n"
        "left on the shelf: 4\n"
    )


async def test_price_overtakes_orders_that_wait() -> None:
    """As a signal, it is heard before them; the order in hand is finished first."""
    opening = trio.Event()
    receipts: dict[str, str] = {}

    async def shelf(ctx: SubsystemContext[duo.Baked | duo.Take]) -> None:
        await opening.wait()
        await duo.shelf(ctx)

    async with duo.Bakery(counter=duo.counter, shelf=shelf).open() as bakery, trio.open_nursery() as nursery:

        async def order(customer: str) -> None:
            receipts[customer] = await bakery.request(duo.Order, customer, 1)

        await bakery.broadcast_signal(duo.Price(100))
        await bakery.route_message(duo.Baked(9))
        for customer in ("first", "second", "third"):
            nursery.start_soon(order, customer)
            await wait_all_tasks_blocked()
        await bakery.broadcast_signal(duo.Price(200))
        opening.set()
    assert receipts == {
        "first": "first: 1 of 1 loaves, 100 cents",
        "second": "second: 1 of 1 loaves, 200 cents",
        "third": "third: 1 of 1 loaves, 200 cents",
    }
