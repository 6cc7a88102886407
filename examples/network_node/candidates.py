"""The way of a candidate into the chain: made or offered, validated, backed, and put before the maker of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from examples.network_node.messages import (
    Candidate,
    CandidateBacked,
    CanFollow,
    CollationOffered,
    Concluded,
    Execute,
    FindAncestor,
    Gossip,
    ImportStatement,
    Inherent,
    Note,
    OwnCollation,
    PeerReport,
    RuntimeCall,
    Second,
    Seconded,
    ShareStatement,
    SignedBitfield,
    StoreChunk,
    Validate,
)
from examples.network_node.signals import ActiveLeaves, Conclude

if TYPE_CHECKING:
    from orchestra_trio import SubsystemContext

__all__ = ["Provisioner", "backing", "collation_maker", "collators", "execution", "prospects", "validation"]

OWN_CORE = 2

BackingSends = CanFollow | Validate | StoreChunk | ShareStatement | Seconded | CandidateBacked | RuntimeCall


async def collation_maker(
    ctx: SubsystemContext[Never, OwnCollation | RuntimeCall, ActiveLeaves | Conclude],
) -> None:
    """Make a candidate for each block."""
    async for signal in ctx:
        match signal:
            case ActiveLeaves(block):
                await ctx.request(RuntimeCall, block, "validation data")
                await ctx.send(OwnCollation(Candidate(block, OWN_CORE)))
            case Conclude():
                return


async def collators(
    ctx: SubsystemContext[
        CollationOffered | OwnCollation | Seconded, Second | CanFollow | Gossip | PeerReport, ActiveLeaves
    ],
) -> None:
    """Take candidates from collators, one per core and block, and have them seconded."""
    async for message in ctx:
        match message:
            case CollationOffered(candidate):
                if await ctx.request(CanFollow, candidate):
                    await ctx.send(Second(candidate))
            case OwnCollation(candidate):
                await ctx.send(Gossip("collations", candidate))
            case Seconded(candidate):
                ctx.send_unbounded(PeerReport("collations", +1))
            case ActiveLeaves():
                pass  # offers for older blocks would be refused from here on


async def prospects(ctx: SubsystemContext[CanFollow, FindAncestor, ActiveLeaves]) -> None:
    """Know which candidates fit onto which."""
    async for message in ctx:
        match message:
            case CanFollow(reply, candidate):
                ancestor = await ctx.request(FindAncestor, candidate.block, 1)
                reply.send(ancestor < candidate.block)
            case ActiveLeaves():
                pass  # the tree of candidates would be pruned


async def backing(ctx: SubsystemContext[Second | ImportStatement, BackingSends, ActiveLeaves]) -> None:
    """Second candidates that are valid, and note when enough others do.

    Validation takes long, so that it is asked in jobs: statements of others are taken in meanwhile.
    """
    async for message in ctx:
        match message:
            case Second(candidate):
                ctx.start_soon(_second, ctx, candidate)
            case ImportStatement(candidate):
                await ctx.send(CandidateBacked(candidate))
            case ActiveLeaves(block):
                await ctx.request(RuntimeCall, block, "validator groups")


async def _second(
    ctx: SubsystemContext[Second | ImportStatement, BackingSends, ActiveLeaves], candidate: Candidate
) -> None:
    if await ctx.request(CanFollow, candidate) and await ctx.request(Validate, candidate):
        await ctx.send(StoreChunk(candidate))
        ctx.send_unbounded(ShareStatement(candidate))
        ctx.send_unbounded(Seconded(candidate))


async def validation(ctx: SubsystemContext[Validate, Execute | RuntimeCall]) -> None:
    """Find the code of a candidate's chain and have it run, for a few candidates at once."""
    async with ctx.open_workers(max_in_flight=4) as workers:
        async for request in workers:
            workers.start_soon(_validate, ctx, request)


async def _validate(ctx: SubsystemContext[Validate, Execute | RuntimeCall], request: Validate) -> None:
    code = await ctx.request(RuntimeCall, request.candidate.block, "validation code")
    request.reply.send(await ctx.request(Execute, request.candidate, code))


async def execution(ctx: SubsystemContext[Execute]) -> None:
    """Run the code; here, the candidate says itself how that ends."""
    async for request in ctx:
        request.reply.send(request.candidate.is_valid)


class Provisioner:
    """Collects what the next block is to hold, and puts it before the embedding program."""

    def __init__(self) -> None:
        self.backed = 0
        self.bitfields = 0

    async def __call__(
        self,
        ctx: SubsystemContext[
            CandidateBacked | SignedBitfield, Concluded | RuntimeCall | Inherent | Note, ActiveLeaves
        ],
    ) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case CandidateBacked():
                    self.backed += 1
                case SignedBitfield():
                    self.bitfields += 1
                case ActiveLeaves(block):
                    await ctx.request(RuntimeCall, block, "free cores")
                    disputes = await ctx.request(Concluded)
                    await ctx.send(Inherent(block, self.backed, self.bitfields, disputes))
                    ctx.send_unbounded(Note(f"block {block}: {self.backed} backed, {self.bitfields} bitfields"))
                    self.backed = self.bitfields = 0
