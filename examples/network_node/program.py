"""The embedding program: makes the node, plays the rest of the network, and ends in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from examples.network_node.approvals import ApprovalVoting, ChainSelection, Disputes, finality
from examples.network_node.availability import ChunkStore, bitfield_signer, chunk_fetcher, recovery
from examples.network_node.candidates import (
    Provisioner,
    backing,
    collation_maker,
    collators,
    execution,
    prospects,
    validation,
)
from examples.network_node.chain import RuntimeApi, Telemetry, chain_api
from examples.network_node.messages import (
    ApprovalHeard,
    AssignmentHeard,
    BitfieldHeard,
    Candidate,
    ChunkWanted,
    CollationOffered,
    Inherent,
    Packet,
    StatementHeard,
    VoteHeard,
)
from examples.network_node.network import (
    Outbound,
    approval_gossip,
    bitfields,
    dispute_gossip,
    inbound,
    statements,
)
from examples.network_node.signals import BlockImported, Conclude, FinalityReached
from examples.network_node.wiring import NetworkNode, NodeEvent, NodeSignal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestra_trio import OrchestraStatistics, RunningOrchestra, StopReport

__all__ = ["Outcome", "make_node", "run_node"]

FINALITY_LAG = 2
"""Blocks that are not final yet, besides the newest."""


@attrs.frozen
class Outcome:
    """What came of a run."""

    inherents: tuple[Inherent, ...]
    statistics: OrchestraStatistics
    report: StopReport


def make_node(features: Collection[str] = ()) -> NetworkNode:
    """Return a node with all its subsystems, telemetry with the feature of that name."""
    return NetworkNode(
        features=features,
        inbound=inbound,
        outbound=Outbound(),
        statements=statements,
        bitfields=bitfields,
        approval_gossip=approval_gossip,
        dispute_gossip=dispute_gossip,
        collation_maker=collation_maker,
        collators=collators,
        prospects=prospects,
        backing=backing,
        validation=validation,
        execution=execution,
        provisioner=Provisioner(),
        chunk_store=ChunkStore(),
        chunk_fetcher=chunk_fetcher,
        bitfield_signer=bitfield_signer,
        recovery=recovery,
        approval_voting=ApprovalVoting(),
        disputes=Disputes(),
        chain_selection=ChainSelection(),
        finality=finality,
        runtime_api=RuntimeApi(),
        chain_api=chain_api,
        telemetry=Telemetry(),
    )


async def run_node(node: NetworkNode, *, blocks: int, pause: float) -> Outcome:
    """Let the node take part in so many blocks, and end it in order.

    Args:
        node: Not open.
        blocks: How many blocks the network makes; at least one.
        pause: Seconds between two of them.
    """
    inherents: list[Inherent] = []
    async with node.open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(_play_network, running, blocks, pause)
        async for inherent in running.outgoing:
            inherents.append(inherent)
            if inherent.block == blocks:
                break
        report = await running.terminate(Conclude())
    return Outcome(tuple(inherents), running.statistics(), report)


async def _play_network(  # noqa: ASYNC910 - there is at least one block
    running: RunningOrchestra[NodeSignal, NodeEvent], blocks: int, pause: float
) -> None:
    for block in range(1, blocks + 1):
        for packet in _packets(block):
            await running.route_message(packet)
        await trio.sleep(pause / 2)
        if block > FINALITY_LAG:
            await running.handle.send(FinalityReached(block - FINALITY_LAG))
        await running.handle.send(BlockImported(block))
        await trio.sleep(pause / 2)


def _packets(block: int) -> Iterator[Packet]:
    """What peers send while a block is made."""
    for core in range(2):
        candidate = Candidate(block, core)
        yield Packet(1, CollationOffered(candidate))
        yield Packet(2, StatementHeard(candidate))
        yield Packet(3, AssignmentHeard(candidate))
        if candidate.is_valid:
            yield Packet(3, ApprovalHeard(candidate))
        else:
            yield Packet(4, VoteHeard(candidate))
    yield Packet(5, BitfieldHeard(block))
    yield Packet(6, ChunkWanted(Candidate(block, 0), peer=6))
