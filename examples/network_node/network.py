"""What talks with peers: packets in and out, and one gossip protocol for each kind of knowledge."""

from __future__ import annotations

import trio

from examples.network_node.messages import (
    Announce,
    ApprovalHeard,
    AssignmentHeard,
    BitfieldHeard,
    ChunkWanted,
    CollationOffered,
    Distribute,
    FetchFromPeer,
    Gossip,
    ImportApproval,
    ImportStatement,
    OwnBitfield,
    Packet,
    PeerReport,
    ShareStatement,
    SignedBitfield,
    StatementHeard,
    VoteCast,
    VoteHeard,
)
from examples.network_node.signals import ActiveLeaves, BlockFinalized
from orchestra_trio import OneshotSender, Priority, SubsystemContext

__all__ = ["Outbound", "approval_gossip", "bitfields", "dispute_gossip", "inbound", "statements"]

LATENCY = 0.002
"""Seconds until a peer answers."""


async def inbound(
    ctx: SubsystemContext[
        Packet,
        StatementHeard | CollationOffered | BitfieldHeard | AssignmentHeard | ApprovalHeard | VoteHeard | ChunkWanted,
    ],
) -> None:
    """Unpack what peers send: the type of the content says whom it is for."""
    async for packet in ctx:
        await ctx.send(packet.content)


class Outbound:
    """Sends to peers, and waits for their answers in jobs, so that one slow peer keeps nobody else waiting."""

    def __init__(self) -> None:
        self.reputation = 0

    async def __call__(self, ctx: SubsystemContext[Gossip | FetchFromPeer | PeerReport]) -> None:
        """Run."""
        async for message in ctx:
            match message:
                case Gossip():
                    pass  # here it would be written to sockets
                case FetchFromPeer(reply, candidate):
                    ctx.start_soon(_fetch, reply, candidate.block)
                case PeerReport(_, change):
                    self.reputation += change


async def _fetch(reply: OneshotSender[bytes], block: int) -> None:
    await trio.sleep(LATENCY)
    reply.send(block.to_bytes(4, "big"))


async def statements(
    ctx: SubsystemContext[StatementHeard | ShareStatement, ImportStatement | Gossip | PeerReport, ActiveLeaves],
) -> None:
    """Check the signatures of statements about candidates, and pass them on."""
    async for message in ctx:
        match message:
            case StatementHeard(candidate):
                ctx.send_unbounded(PeerReport("statements", +1))
                await ctx.send(ImportStatement(candidate))
                await ctx.send(Gossip("statements", candidate))
            case ShareStatement(candidate):
                await ctx.send(Gossip("statements", candidate))
            case ActiveLeaves():
                pass  # statements about older blocks would be refused from here on


async def bitfields(ctx: SubsystemContext[BitfieldHeard | OwnBitfield, SignedBitfield | Gossip]) -> None:
    """Pass on who stores what, and collect it for the next block."""
    async for message in ctx:
        await ctx.send(SignedBitfield(message.block))
        await ctx.send(Gossip("bitfields", message.block))


async def approval_gossip(
    ctx: SubsystemContext[
        AssignmentHeard | ApprovalHeard | Distribute, ImportApproval | Gossip | PeerReport, BlockFinalized
    ],
) -> None:
    """Pass on who is going to check what, and who has."""
    async for message in ctx:
        match message:
            case AssignmentHeard(candidate) | ApprovalHeard(candidate):
                ctx.send_unbounded(PeerReport("approvals", +1))
                await ctx.send(ImportApproval(candidate))
                await ctx.send(Gossip("approvals", candidate))
            case Distribute(candidate):
                await ctx.send(Gossip("approvals", candidate))
            case BlockFinalized():
                pass  # what was kept about the block would be dropped


async def dispute_gossip(ctx: SubsystemContext[VoteHeard | Announce, VoteCast | Gossip]) -> None:
    """Pass on votes; those of peers overtake ordinary messages."""
    async for message in ctx:
        match message:
            case VoteHeard(candidate):
                await ctx.send(VoteCast(candidate), priority=Priority.HIGH)
            case Announce(candidate):
                await ctx.send(Gossip("disputes", candidate))
