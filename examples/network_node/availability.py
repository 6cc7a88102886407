"""Availability: every validator stores a chunk of every candidate, so that anyone can check it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from examples.network_node.messages import (
    Candidate,
    ChunkWanted,
    FetchFromPeer,
    Gossip,
    IsStored,
    OwnBitfield,
    Recover,
    RuntimeCall,
    StoreChunk,
)
from examples.network_node.signals import ActiveLeaves, BlockFinalized, Conclude

if TYPE_CHECKING:
    from orchestra_trio import SubsystemContext

__all__ = ["ChunkStore", "bitfield_signer", "chunk_fetcher", "recovery"]


class ChunkStore:
    """Keeps chunks in memory until their block is final."""

    def __init__(self) -> None:
        self.stored: set[Candidate] = set()

    async def __call__(
        self, ctx: SubsystemContext[StoreChunk | IsStored | ChunkWanted, Gossip, BlockFinalized]
    ) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case StoreChunk(candidate):
                    self.stored.add(candidate)
                case IsStored(reply, candidate):
                    reply.send(candidate in self.stored)
                case ChunkWanted(candidate, peer):
                    await ctx.send(Gossip(f"chunk for peer {peer}", candidate))
                case BlockFinalized(number):
                    self.stored = {one for one in self.stored if one.block > number}


async def chunk_fetcher(
    ctx: SubsystemContext[Never, FetchFromPeer | StoreChunk | RuntimeCall, ActiveLeaves | Conclude],
) -> None:
    """Fetch this node's chunk of each candidate that the new block has brought."""
    async for signal in ctx:
        match signal:
            case ActiveLeaves(block):
                for core in range(await ctx.request(RuntimeCall, block, "cores")):
                    candidate = Candidate(block, core)
                    await ctx.request(FetchFromPeer, candidate)
                    await ctx.send(StoreChunk(candidate))
            case Conclude():
                return


async def bitfield_signer(
    ctx: SubsystemContext[Never, IsStored | OwnBitfield | RuntimeCall, ActiveLeaves | Conclude],
) -> None:
    """Say for each block what this node stores of the one before."""
    async for signal in ctx:
        match signal:
            case ActiveLeaves(block, parent):
                for core in range(await ctx.request(RuntimeCall, parent, "cores")):
                    await ctx.request(IsStored, Candidate(parent, core))
                await ctx.send(OwnBitfield(block))
            case Conclude():
                return


async def recovery(ctx: SubsystemContext[Recover, IsStored | FetchFromPeer]) -> None:
    """Put a candidate's data together from the chunks of peers, for several candidates at once."""
    async with ctx.open_workers(max_in_flight=8) as workers:
        async for request in workers:
            workers.start_soon(_recover, ctx, request)


async def _recover(ctx: SubsystemContext[Recover, IsStored | FetchFromPeer], request: Recover) -> None:
    await ctx.request(IsStored, request.candidate)
    request.reply.send(await ctx.request(FetchFromPeer, request.candidate))
