"""The node of a blockchain network: its wiring, and what comes of running it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.network_node import NetworkNode, make_node, run_node
from examples.network_node.__main__ import describe, received

if TYPE_CHECKING:
    from trio.testing import MockClock

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCKS = 12
DISPUTED = (4, 8, 12)
"""Blocks with a candidate that fails its check."""


class TinyNode(NetworkNode, message_capacity=1, signal_capacity=1):
    """The same, with hardly any room in its lanes."""


def test_it_is_as_large_as_a_node_of_polkadot() -> None:
    graph = NetworkNode.graph()
    assert len(graph.nodes) == 25
    assert 55 <= len({(edge.sender, edge.consumer, edge.lane) for edge in graph.edges}) <= 65
    assert graph.wip == {"archive"}
    boundary = graph.boundary
    assert boundary is not None
    assert list(boundary.conditional) == ["telemetry"]


def test_one_cycle_can_block_and_one_more_would() -> None:
    """Disputes and approvals ask each other, in jobs; the others are broken by what is sent unbounded."""
    graph = NetworkNode.graph()
    assert [cycle.members for cycle in graph.blocking_cycles] == [("approval_voting", "disputes")]
    assert [cycle.members for cycle in graph.cycles if not cycle.can_block] == [("statements", "collators", "backing")]


@pytest.mark.parametrize("features", [(), ("telemetry",)])
async def test_it_takes_part_in_blocks_and_ends_in_order(features: tuple[str, ...], autojump_clock: MockClock) -> None:
    """All signals reach everybody, nothing is left lying, and dead letters are those for slots that are not in use."""
    outcome = await run_node(make_node(features), blocks=BLOCKS, pause=1)
    numbers = outcome.statistics
    finalized = BLOCKS - 2
    assert numbers.epoch == BLOCKS + finalized + 1
    assert outcome.report.finished == tuple(numbers.subsystems)
    assert outcome.report.undelivered == {}
    notes = 2 * BLOCKS + len(DISPUTED)
    assert numbers.dead_letters == ({"wip": finalized} if features else {"wip": finalized, "disabled": notes})
    assert {one.epoch for one in numbers.subsystems.values()} <= {0, *range(numbers.epoch - 2, numbers.epoch + 1)}
    assert [one.block for one in outcome.inherents] == list(range(1, BLOCKS + 1))
    assert outcome.inherents[-1].disputes == len(DISPUTED)


async def test_each_block_makes_the_same_work(autojump_clock: MockClock) -> None:
    """So many messages for each subsystem, whatever the order in which tasks run."""
    outcome = await run_node(make_node({"telemetry"}), blocks=BLOCKS, pause=1)
    counts = {name: received(one) for name, one in outcome.statistics.subsystems.items()}
    invalid = len(DISPUTED)
    assert counts["inbound"] == 10 * BLOCKS
    assert counts["disputes"] == 2 * BLOCKS + 2 * invalid
    assert counts["validation"] == 5 * BLOCKS + invalid
    assert counts["execution"] == counts["validation"]
    assert counts["recovery"] == 3 * BLOCKS + invalid
    assert counts["telemetry"] == 2 * BLOCKS + invalid
    assert counts["finality"] == 0


async def test_a_run_under_the_mock_clock_is_repeatable(autojump_clock: MockClock) -> None:
    """The report is the same to the last figure."""
    reports = [describe(await run_node(make_node(), blocks=6, pause=1)) for _ in range(3)]
    assert len(set(reports)) == 1
    assert "ended by themselves: 23 of 23 subsystems" in reports[0]


async def test_it_has_no_deadlock_however_small_its_lanes_are(autojump_clock: MockClock) -> None:
    """A deadlock would be an error, which the run would raise."""
    node = make_node({"telemetry"})
    fields = {name: getattr(node, name) for name in node.graph().nodes if name != "archive"}
    outcome = await run_node(TinyNode(features=node.features, **fields), blocks=BLOCKS, pause=0.001)
    assert outcome.report.finished == tuple(outcome.statistics.subsystems)


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    """As `python -m examples.network_node 2` in the checkout does, with the package that is under test."""
    program = (
        f"import sys, runpy; sys.path.append({str(ROOT)!r}); sys.argv[1:] = ['2']; "
        "runpy.run_module('examples.network_node', run_name='__main__')"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("NetworkNode: 2 blocks in ")
    assert lines[-2:] == ["dead letters: none", "ended by themselves: 24 of 24 subsystems"]
