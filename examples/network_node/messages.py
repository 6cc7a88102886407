"""What the subsystems of the node say to each other: messages, and the data inside them.

Messages that hold a `reply` are requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from orchestra_trio import OneshotSender

__all__ = [
    "Announce",
    "ApprovalHeard",
    "ApprovalsFor",
    "Archive",
    "AssignmentHeard",
    "BestChain",
    "BitfieldHeard",
    "BlockApproved",
    "CanFollow",
    "Candidate",
    "CandidateBacked",
    "CandidateInvalid",
    "ChunkWanted",
    "CollationOffered",
    "Concluded",
    "Distribute",
    "Execute",
    "FetchFromPeer",
    "FindAncestor",
    "Gossip",
    "ImportApproval",
    "ImportStatement",
    "Inherent",
    "IsStored",
    "Note",
    "OwnBitfield",
    "OwnCollation",
    "Packet",
    "PeerReport",
    "Recover",
    "RevertBlock",
    "RuntimeCall",
    "Second",
    "Seconded",
    "ShareStatement",
    "SignedBitfield",
    "StatementHeard",
    "StoreChunk",
    "Undisputed",
    "Validate",
    "VoteCast",
    "VoteHeard",
]


@attrs.frozen
class Candidate:
    """A block of one of the chains that this one secures."""

    block: int
    """The block of this chain in which it stands."""
    core: int

    @property
    def is_valid(self) -> bool:
        """Whether its checks succeed."""
        return self.block % 4 != 0 or self.core != 0


# What comes from peers and goes to them


@attrs.frozen
class StatementHeard:
    """A peer says that it has checked a candidate."""

    candidate: Candidate


@attrs.frozen
class CollationOffered:
    """A peer offers a candidate."""

    candidate: Candidate


@attrs.frozen
class BitfieldHeard:
    """A peer says which chunks it stores."""

    block: int


@attrs.frozen
class AssignmentHeard:
    """A peer says that it is going to check a candidate."""

    candidate: Candidate


@attrs.frozen
class ApprovalHeard:
    """A peer says that it has checked a candidate again, and well."""

    candidate: Candidate


@attrs.frozen
class VoteHeard:
    """A peer votes in a dispute."""

    candidate: Candidate


@attrs.frozen
class ChunkWanted:
    """A peer asks for a chunk that this node stores."""

    candidate: Candidate
    peer: int


@attrs.frozen
class Packet:
    """What one peer sent."""

    peer: int
    content: (
        StatementHeard | CollationOffered | BitfieldHeard | AssignmentHeard | ApprovalHeard | VoteHeard | ChunkWanted
    )


@attrs.frozen
class Gossip:
    """Tell the peers of one protocol."""

    protocol: str
    content: object


@attrs.frozen
class PeerReport:
    """Think better or worse of a peer."""

    protocol: str
    change: int


@attrs.frozen
class FetchFromPeer:
    """Fetch a candidate's data, or a chunk of it, from whoever has it."""

    reply: OneshotSender[bytes]
    candidate: Candidate


# Candidates: offered, validated, backed


@attrs.frozen
class OwnCollation:
    """A candidate that this node has made."""

    candidate: Candidate


@attrs.frozen
class Second:
    """Check a candidate and speak up for it."""

    candidate: Candidate


@attrs.frozen
class Seconded:
    """The candidate was good, and others know it by now."""

    candidate: Candidate


@attrs.frozen
class ImportStatement:
    """A statement of a peer whose signature is right."""

    candidate: Candidate


@attrs.frozen
class ShareStatement:
    """A statement of this node, for its peers."""

    candidate: Candidate


@attrs.frozen
class CanFollow:
    """Ask whether a candidate can follow what came before it."""

    reply: OneshotSender[bool]
    candidate: Candidate


@attrs.frozen
class Validate:
    """Ask whether a candidate is valid."""

    reply: OneshotSender[bool]
    candidate: Candidate


@attrs.frozen
class Execute:
    """Ask for a candidate's code to be run on its data."""

    reply: OneshotSender[bool]
    candidate: Candidate
    code: int


@attrs.frozen
class CandidateBacked:
    """Enough validators speak up for a candidate."""

    candidate: Candidate


@attrs.frozen
class Inherent:
    """What this node wants to see in the next block; for the program that makes blocks."""

    block: int
    backed: int
    bitfields: int
    disputes: int


# Availability: everybody stores a chunk of everything


@attrs.frozen
class StoreChunk:
    """Keep a chunk of a candidate's data."""

    candidate: Candidate


@attrs.frozen
class IsStored:
    """Ask whether the data of a candidate is here."""

    reply: OneshotSender[bool]
    candidate: Candidate


@attrs.frozen
class Recover:
    """Ask for a candidate's data, from here or from the chunks of peers."""

    reply: OneshotSender[bytes]
    candidate: Candidate


@attrs.frozen
class OwnBitfield:
    """Which chunks this node stores."""

    block: int


@attrs.frozen
class SignedBitfield:
    """Which chunks some validator stores."""

    block: int


# Approvals and disputes: everything is checked again before it is final


@attrs.frozen
class Distribute:
    """An assignment or an approval of this node, for its peers."""

    candidate: Candidate


@attrs.frozen
class ImportApproval:
    """An assignment or an approval of a peer."""

    candidate: Candidate


@attrs.frozen
class ApprovalsFor:
    """Ask how many have approved a candidate."""

    reply: OneshotSender[int]
    candidate: Candidate


@attrs.frozen
class BlockApproved:
    """All candidates of a block were checked again."""

    block: int


@attrs.frozen
class CandidateInvalid:
    """A backed candidate has failed a check: begin a dispute."""

    candidate: Candidate


@attrs.frozen
class VoteCast:
    """A vote of a peer whose signature is right."""

    candidate: Candidate


@attrs.frozen
class Announce:
    """A vote of this node, for its peers."""

    candidate: Candidate


@attrs.frozen
class Concluded:
    """Ask how many disputes have come to an end."""

    reply: OneshotSender[int]


@attrs.frozen
class Undisputed:
    """Ask for the highest block up to a number that nobody disputes."""

    reply: OneshotSender[int]
    block: int


@attrs.frozen
class RevertBlock:
    """Build no longer on this block."""

    block: int


@attrs.frozen
class BestChain:
    """Ask for the block that is to be built on."""

    reply: OneshotSender[int]


# The chain itself, and what watches it


@attrs.frozen
class RuntimeCall:
    """Ask the chain's own code, as of one block."""

    reply: OneshotSender[int]
    block: int
    question: str


@attrs.frozen
class FindAncestor:
    """Ask for the block that lies so many blocks before another one."""

    reply: OneshotSender[int]
    block: int
    depth: int


@attrs.frozen
class Archive:
    """Keep a block for ever."""

    block: int


@attrs.frozen
class Note:
    """Something worth watching has happened."""

    text: str
