"""The wiring of the node: who consumes and who sends what."""

from __future__ import annotations

from typing import Never

from examples.network_node.messages import (
    Announce,
    ApprovalHeard,
    ApprovalsFor,
    Archive,
    AssignmentHeard,
    BestChain,
    BitfieldHeard,
    BlockApproved,
    CandidateBacked,
    CandidateInvalid,
    CanFollow,
    ChunkWanted,
    CollationOffered,
    Concluded,
    Distribute,
    Execute,
    FetchFromPeer,
    FindAncestor,
    Gossip,
    ImportApproval,
    ImportStatement,
    Inherent,
    IsStored,
    Note,
    OwnBitfield,
    OwnCollation,
    Packet,
    PeerReport,
    Recover,
    RevertBlock,
    RuntimeCall,
    Second,
    Seconded,
    ShareStatement,
    SignedBitfield,
    StatementHeard,
    StoreChunk,
    Undisputed,
    Validate,
    VoteCast,
    VoteHeard,
)
from examples.network_node.signals import ActiveLeaves, BlockFinalized, BlockImported, Conclude, FinalityReached
from orchestra_trio import Orchestra, RunningOrchestra, Subsystem, feature, subsystem, subsystem_if

__all__ = ["NetworkNode", "NodeEvent", "NodeSignal"]

NodeSignal = ActiveLeaves | BlockFinalized | Conclude
NodeEvent = BlockImported | FinalityReached

REPORT: dict[type, str] = {PeerReport: "one per packet, and packets are bounded"}


class NetworkNode(Orchestra[NodeSignal, NodeEvent], message_capacity=32, outgoing=Inherent):
    """A validator: takes part in gossip, backs and stores candidates, approves blocks, and settles disputes."""

    # The network
    inbound: Subsystem[
        Packet,
        StatementHeard | CollationOffered | BitfieldHeard | AssignmentHeard | ApprovalHeard | VoteHeard | ChunkWanted,
    ]
    outbound: Subsystem[Gossip | FetchFromPeer | PeerReport] = subsystem(message_capacity=128)
    statements: Subsystem[StatementHeard | ShareStatement, ImportStatement | Gossip | PeerReport, ActiveLeaves] = (
        subsystem(unbounded=REPORT)
    )
    bitfields: Subsystem[BitfieldHeard | OwnBitfield, SignedBitfield | Gossip] = subsystem()
    approval_gossip: Subsystem[
        AssignmentHeard | ApprovalHeard | Distribute, ImportApproval | Gossip | PeerReport, BlockFinalized
    ] = subsystem(unbounded=REPORT)
    dispute_gossip: Subsystem[VoteHeard | Announce, VoteCast | Gossip]

    # Candidates
    collation_maker: Subsystem[Never, OwnCollation | RuntimeCall, ActiveLeaves | Conclude]
    collators: Subsystem[
        CollationOffered | OwnCollation | Seconded, Second | CanFollow | Gossip | PeerReport, ActiveLeaves
    ] = subsystem(unbounded=REPORT)
    prospects: Subsystem[CanFollow, FindAncestor, ActiveLeaves]
    backing: Subsystem[
        Second | ImportStatement,
        CanFollow | Validate | StoreChunk | ShareStatement | Seconded | CandidateBacked | RuntimeCall,
        ActiveLeaves,
    ] = subsystem(
        unbounded={ShareStatement: "one per candidate that was seconded", Seconded: "one per candidate, likewise"}
    )
    validation: Subsystem[Validate, Execute | RuntimeCall]
    execution: Subsystem[Execute] = subsystem(message_capacity=8)
    provisioner: Subsystem[
        CandidateBacked | SignedBitfield, Concluded | RuntimeCall | Inherent | Note, ActiveLeaves
    ] = subsystem(unbounded={Note: "one per block"})

    # Availability
    chunk_store: Subsystem[StoreChunk | IsStored | ChunkWanted, Gossip, BlockFinalized] = subsystem(message_capacity=64)
    chunk_fetcher: Subsystem[Never, FetchFromPeer | StoreChunk | RuntimeCall, ActiveLeaves | Conclude]
    bitfield_signer: Subsystem[Never, IsStored | OwnBitfield | RuntimeCall, ActiveLeaves | Conclude]
    recovery: Subsystem[Recover, IsStored | FetchFromPeer]

    # Approvals and disputes
    approval_voting: Subsystem[
        ImportApproval | ApprovalsFor,
        Distribute | Recover | Validate | CandidateInvalid | BlockApproved | FindAncestor | RuntimeCall,
        NodeSignal,
    ] = subsystem(unbounded={Distribute: "two per candidate of a block"})
    disputes: Subsystem[
        CandidateInvalid | VoteCast | Concluded | Undisputed,
        ApprovalsFor | Recover | Validate | RevertBlock | Announce | Note,
        BlockFinalized,
    ] = subsystem(priority=True, unbounded={Announce: "one per dispute", Note: "one per dispute"})
    chain_selection: Subsystem[
        BlockApproved | RevertBlock | BestChain, FindAncestor | Archive, ActiveLeaves | BlockFinalized
    ] = subsystem(unbounded={Archive: "one per final block"})
    finality: Subsystem[Never, BestChain | Undisputed | Note, ActiveLeaves | Conclude] = subsystem(
        unbounded={Note: "one per block"}
    )

    # The chain, and what watches it
    runtime_api: Subsystem[RuntimeCall, Never, BlockFinalized] = subsystem(message_capacity=128)
    chain_api: Subsystem[FindAncestor]
    telemetry: Subsystem[Note] = subsystem_if(feature("telemetry"))
    archive: Subsystem[Archive] = subsystem(wip=True)

    async def on_event(self, event: NodeEvent, running: RunningOrchestra[NodeSignal, NodeEvent]) -> None:
        """Let everybody know of new and of final blocks."""
        if isinstance(event, BlockImported):
            await running.broadcast_signal(ActiveLeaves(event.number, event.number - 1))
        else:
            await running.broadcast_signal(BlockFinalized(event.number))
