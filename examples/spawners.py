"""Two spawners: how an orchestra starts its tasks and threads can be changed without touching a subsystem.

One names every task after its subsystem, so that an instrument of trio can tell whose steps it counts. The other one
caps the threads that `start_blocking_soon` takes, by a limiter that it shares with nobody.

    python examples/spawners.py
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, NamedTuple, Never, TypeVar, TypeVarTuple

import attrs
import trio
from typing_extensions import override

from orchestra_trio import Orchestra, Spawner, Subsystem, SubsystemContext

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PASSWORDS = 8


class Password(NamedTuple):
    """A message."""

    text: str


async def read_passwords(ctx: SubsystemContext[Never, Password]) -> None:
    """Send some passwords."""
    await ctx.send_many([Password(f"secret {number}") for number in range(PASSWORDS)])


@attrs.define
class Hasher:
    """Hashes passwords in threads, and counts how many of those run at once."""

    threads: int = 0
    most_threads: int = 0
    lock: Lock = attrs.Factory(Lock)

    async def __call__(self, ctx: SubsystemContext[Password]) -> None:
        """Start a thread for each password. As many run at once as the spawner lets."""
        async for password in ctx:
            ctx.start_blocking_soon(self.hash, password.text)

    def hash(self, text: str) -> None:
        """Be busy for a while."""
        with self.lock:
            self.threads += 1
            self.most_threads = max(self.threads, self.most_threads)
        hashlib.pbkdf2_hmac("sha256", text.encode(), b"salt", 50_000)
        with self.lock:
            self.threads -= 1


class Login(Orchestra):
    """The wiring."""

    reader: Subsystem[Never, Password]
    hasher: Subsystem[Password]


class NamingSpawner(Spawner):
    """Names tasks `subsystem: task`."""

    @override
    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        super().start_soon(nursery, async_fn, *args, name=f"{subsystem}: {name}", subsystem=subsystem)

    @override
    async def start(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[..., Awaitable[object]],
        *args: object,
        name: str,
        subsystem: str,
    ) -> Any:
        return await super().start(nursery, async_fn, *args, name=f"{subsystem}: {name}", subsystem=subsystem)


@attrs.frozen(eq=False)
class StepCounter(trio.abc.Instrument):
    """Counts the steps of tasks that a `NamingSpawner` has named: how often trio has run one until it waited."""

    steps: Counter[str] = attrs.Factory(Counter[str])

    @override
    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        subsystem, separator, _ = task.name.partition(": ")
        if separator:
            self.steps[subsystem] += 1


@attrs.frozen
class CappingSpawner(Spawner):
    """Lets jobs that block have only so many threads at once."""

    limiter: trio.CapacityLimiter

    @override
    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        if limiter is None:  # else it is a blocking subsystem, which must not wait until another one has ended
            limiter = self.limiter
        return await super().run_in_thread(sync_fn, *args, name=name, subsystem=subsystem, limiter=limiter)


async def main() -> None:
    """Run the same orchestra with each of them."""
    counter = StepCounter()
    trio.lowlevel.add_instrument(counter)
    hasher = Hasher()
    async with Login(reader=read_passwords, hasher=hasher).open(spawner=NamingSpawner()):
        pass  # it has all that it needs, and ends by itself
    trio.lowlevel.remove_instrument(counter)
    print("subsystem  steps")
    for subsystem, steps in counter.steps.items():
        print(f"{subsystem:9}  {steps:5}")
    print(f"threads at once: {hasher.most_threads} of {PASSWORDS}")

    hasher = Hasher()
    async with Login(reader=read_passwords, hasher=hasher).open(spawner=CappingSpawner(trio.CapacityLimiter(2))):
        pass
    print(f"with a cap of 2: {hasher.most_threads} of {PASSWORDS}")


if __name__ == "__main__":
    trio.run(main)
