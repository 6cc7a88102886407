"""The chain itself, which everybody asks, and what watches the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from examples.network_node.messages import FindAncestor, Note, RuntimeCall
from examples.network_node.signals import BlockFinalized

if TYPE_CHECKING:
    from orchestra_trio import SubsystemContext

__all__ = ["RuntimeApi", "Telemetry", "chain_api"]

CORES = 3


class RuntimeApi:
    """Answers from the state of the chain as of one block, and remembers the answers until the block is final."""

    def __init__(self) -> None:
        self.cache: dict[tuple[int, str], int] = {}

    async def __call__(self, ctx: SubsystemContext[RuntimeCall, Never, BlockFinalized]) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case RuntimeCall(reply, block, question):
                    reply.send(self.cache.setdefault((block, question), CORES))
                case BlockFinalized(number):
                    self.cache = {asked: answer for asked, answer in self.cache.items() if asked[0] > number}


async def chain_api(ctx: SubsystemContext[FindAncestor]) -> None:
    """Answer from the node's database of blocks."""
    async for request in ctx:
        request.reply.send(max(0, request.block - request.depth))


class Telemetry:
    """Keeps what was worth watching."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, ctx: SubsystemContext[Note]) -> None:
        """Run."""
        async for note in ctx:
            self.texts.append(note.text)
