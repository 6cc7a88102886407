"""A saturated subsystem that still hears signals.

A source sends parcels as fast as it can. The depot has three couriers, and room for four parcels that wait for one; who
sends more than that waits until there is room. That is back-pressure: nothing piles up, and nothing is lost. Signals
are not held up by it: they have a lane of their own, which `open_workers` serves even while all couriers are out.

    python examples/backpressure.py
"""

from typing import NamedTuple, Never

import attrs
import trio

from orchestra_trio import Orchestra, RunningOrchestra, Subsystem, SubsystemContext, subsystem

PARCELS = 24
COURIERS = 3
ROOM = 4


class Parcel(NamedTuple):
    """A message."""

    sent_at: float


class Report(NamedTuple):
    """A signal: say how things stand."""

    sent_at: float


class Pace(NamedTuple):
    """A signal: from now on, a round takes so many seconds."""

    seconds: float


async def send_parcels(ctx: SubsystemContext[Never, Parcel]) -> None:
    """Send as fast as the depot lets it."""
    await ctx.send_many(Parcel(trio.current_time()) for _ in range(PARCELS))  # one by one, as there is room


@attrs.define
class Depot:
    """Delivers parcels, several at once."""

    seconds: float
    """What a round takes."""
    delivered: int = 0
    last_wait: float = 0
    """Seconds from the wish to send a parcel until a courier was free for it."""

    async def __call__(self, ctx: SubsystemContext[Parcel, Never, Report | Pace]) -> None:
        """Take signals always, and a parcel whenever a courier is free for it."""
        async with ctx.open_workers(COURIERS) as couriers:
            async for incoming in couriers:
                match incoming:
                    case Report(sent_at):
                        heard_after = trio.current_time() - sent_at
                        print(f"signal: heard after {heard_after:.3f} s, while {couriers.in_flight} couriers are out")
                        print(f"message: the last one waited {self.last_wait:.3f} s, {self.delivered} are delivered")
                    case Pace(seconds):
                        self.seconds = seconds
                    case Parcel(sent_at):
                        self.last_wait = trio.current_time() - sent_at
                        couriers.start_soon(self.deliver)
        print(f"end: all {self.delivered} delivered")  # leaving the block has waited for the couriers

    async def deliver(self) -> None:
        """Do one round."""
        await trio.sleep(self.seconds)
        self.delivered += 1


class Post(Orchestra[Report | Pace]):
    """The wiring."""

    source: Subsystem[Never, Parcel]
    depot: Subsystem[Parcel, Never, Report | Pace] = subsystem(message_capacity=ROOM)


async def ask(post: RunningOrchestra[Report | Pace]) -> None:
    """Show how full the depot is, and have it report."""
    lane = post.statistics().subsystems["depot"].bounded
    print(f"lane: {lane.channel_len} of {ROOM} parcels, {lane.sent} of {PARCELS} sent")
    await post.broadcast_signal(Report(trio.current_time()))


async def main() -> None:
    """Look twice, and let the couriers hurry in between."""
    async with Post(source=send_parcels, depot=Depot(seconds=0.25)).open() as post:
        await trio.sleep(0.6)
        await ask(post)
        await post.broadcast_signal(Pace(0.05))
        await trio.sleep(0.27)
        await ask(post)


if __name__ == "__main__":
    trio.run(main)
