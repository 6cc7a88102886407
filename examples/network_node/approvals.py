"""Everything is checked again before it is final: approvals, disputes, and which block to build on."""

from __future__ import annotations

from collections import Counter
from typing import Never

from examples.network_node.messages import (
    Announce,
    ApprovalsFor,
    Archive,
    BestChain,
    BlockApproved,
    Candidate,
    CandidateInvalid,
    Concluded,
    Distribute,
    FindAncestor,
    ImportApproval,
    Note,
    Recover,
    RevertBlock,
    RuntimeCall,
    Undisputed,
    Validate,
    VoteCast,
)
from examples.network_node.signals import ActiveLeaves, BlockFinalized, Conclude
from orchestra_trio import SubsystemContext

__all__ = ["ApprovalVoting", "ChainSelection", "Disputes", "finality"]

ApprovalContext = SubsystemContext[
    ImportApproval | ApprovalsFor,
    Distribute | Recover | Validate | CandidateInvalid | BlockApproved | FindAncestor | RuntimeCall,
    ActiveLeaves | BlockFinalized | Conclude,
]
DisputeContext = SubsystemContext[
    CandidateInvalid | VoteCast | Concluded | Undisputed,
    ApprovalsFor | Recover | Validate | RevertBlock | Announce | Note,
    BlockFinalized,
]


class ApprovalVoting:
    """Checks the candidates of each block again, and counts who else does.

    Nothing is waited for but in jobs: disputes ask this subsystem while it sends to them, and neither may keep the
    other from receiving.
    """

    def __init__(self) -> None:
        self.approvals: Counter[Candidate] = Counter()
        self.concluding = False

    async def __call__(self, ctx: ApprovalContext) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case ImportApproval(candidate):
                    self.approvals[candidate] += 1
                case ApprovalsFor(reply, candidate):
                    reply.send(self.approvals[candidate])
                case ActiveLeaves(block) if not self.concluding:
                    ctx.start_soon(self._check_block, ctx, block)
                case BlockFinalized(number):
                    self.approvals = Counter({one: n for one, n in self.approvals.items() if one.block > number})
                case Conclude():
                    self.concluding = True

    async def _check_block(self, ctx: ApprovalContext, block: int) -> None:
        await ctx.request(FindAncestor, block, 1)
        for core in range(await ctx.request(RuntimeCall, block, "cores")):
            candidate = Candidate(block, core)
            ctx.send_unbounded(Distribute(candidate))
            await ctx.request(Recover, candidate)
            if await ctx.request(Validate, candidate):
                ctx.send_unbounded(Distribute(candidate))
            else:
                await ctx.send(CandidateInvalid(candidate))
        await ctx.send(BlockApproved(block))


class Disputes:
    """Lets everybody vote on a candidate that somebody thinks invalid; the block of one that is goes."""

    def __init__(self) -> None:
        self.open: set[Candidate] = set()
        self.concluded = 0

    async def __call__(self, ctx: DisputeContext) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case CandidateInvalid(candidate) | VoteCast(candidate):
                    if candidate not in self.open:
                        self.open.add(candidate)
                        ctx.start_soon(self._settle, ctx, candidate)
                case Concluded(reply):
                    reply.send(self.concluded)
                case Undisputed(reply, block):
                    reply.send(min((one.block - 1 for one in self.open), default=block))
                case BlockFinalized():
                    pass  # disputes about it could be forgotten; these few are kept

    async def _settle(self, ctx: DisputeContext, candidate: Candidate) -> None:
        ctx.send_unbounded(Announce(candidate))
        await ctx.request(ApprovalsFor, candidate)
        await ctx.request(Recover, candidate)
        if not await ctx.request(Validate, candidate):
            await ctx.send(RevertBlock(candidate.block))
        self.concluded += 1
        ctx.send_unbounded(Note(f"the dispute about {candidate} is settled"))


class ChainSelection:
    """Knows which block is the one to build on."""

    def __init__(self) -> None:
        self.best = 0
        self.reverted: set[int] = set()

    async def __call__(
        self,
        ctx: SubsystemContext[
            BlockApproved | RevertBlock | BestChain, FindAncestor | Archive, ActiveLeaves | BlockFinalized
        ],
    ) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case ActiveLeaves(block):
                    self.best = max(self.best, block)
                case BlockApproved(block):
                    await ctx.request(FindAncestor, block, 1)
                case RevertBlock(block):
                    self.reverted.add(block)
                case BestChain(reply):
                    reply.send(self.best)
                case BlockFinalized(number):
                    ctx.send_unbounded(Archive(number))


async def finality(ctx: SubsystemContext[Never, BestChain | Undisputed | Note, ActiveLeaves | Conclude]) -> None:
    """Vote for the best block that nobody disputes."""
    async for signal in ctx:
        match signal:
            case ActiveLeaves():
                best = await ctx.request(BestChain)
                vote = await ctx.request(Undisputed, best)
                ctx.send_unbounded(Note(f"a vote for block {vote}"))
            case Conclude():
                return
