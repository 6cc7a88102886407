"""The smallest honest orchestra: two subsystems, messages between them, a request, and a signal.

In a bakery, customers order at the counter, which takes the loaves from the shelf; prices reach it by a signal. Nobody
holds a channel: who may say what to whom stands in the class `Bakery`, and nowhere else.

    python examples/duo.py
"""

from typing import NamedTuple

import trio

from orchestra_trio import OneshotSender, Orchestra, Subsystem, SubsystemContext


class Price(NamedTuple):
    """A signal: what a loaf costs from now on. Signals are heard before all messages that wait."""

    cents: int


class Baked(NamedTuple):
    """A message: so many loaves are fresh from the oven."""

    loaves: int


class Take(NamedTuple):
    """A request: take so many loaves from the shelf. The answer is how many there were."""

    reply: OneshotSender[int]
    loaves: int


class Order(NamedTuple):
    """A request: a customer wants so many loaves. The answer is what the receipt says."""

    reply: OneshotSender[str]
    customer: str
    loaves: int


async def counter(ctx: SubsystemContext[Order, Take, Price]) -> None:
    """Sell what the shelf has, at the price that was heard last."""
    cents = 0
    async for incoming in ctx:
        match incoming:
            case Price():
                cents = incoming.cents
            case Order(reply, customer, loaves):
                taken = await ctx.request(Take, loaves)
                reply.send(f"{customer}: {taken} of {loaves} loaves, {taken * cents} cents")


async def shelf(ctx: SubsystemContext[Baked | Take]) -> None:
    """Keep the loaves, until the day ends."""
    loaves = 0
    async for incoming in ctx:
        match incoming:
            case Baked():
                loaves += incoming.loaves
            case Take(reply, wanted):
                taken = min(wanted, loaves)
                loaves -= taken
                reply.send(taken)
    print(f"left on the shelf: {loaves}")


class Bakery(Orchestra[Price]):
    """The wiring. `Subsystem[consumes, sends, signals]`; what is left out at the end is nothing."""

    counter: Subsystem[Order, Take, Price]
    shelf: Subsystem[Baked | Take]


async def main() -> None:
    """Live through one day."""
    async with Bakery(counter=counter, shelf=shelf).open() as bakery:
        await bakery.broadcast_signal(Price(300))
        await bakery.route_message(Baked(5))
        print(await bakery.request(Order, "Ada", 3))
        print(await bakery.request(Order, "Grace", 4))
        await bakery.broadcast_signal(Price(200))
        await bakery.route_message(Baked(5))
        print(await bakery.request(Order, "Edsger", 1))
    # Leaving the block has let the counter end first, then the shelf, as the wiring has it.


if __name__ == "__main__":
    trio.run(main)
