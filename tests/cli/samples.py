"""What the tests of the demo share."""

from __future__ import annotations

from orchestra_trio import OrchestraStatistics, Readout, SubsystemStatistics


def make_statistics() -> OrchestraStatistics:
    """Return statistics of one subsystem, through one lane of which something went."""
    idle = Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)
    busy = Readout(sent=1200, received=1200, channel_len=0, peak_channel_len=32, blocked=4, tof=(0.001, 0.002, 0.004))
    subsystem = SubsystemStatistics(
        name="reader",
        state="finished",
        signals=idle,
        priority=idle,
        unbounded=idle,
        bounded=busy,
        epoch=0,
        jobs=0,
        restarts=0,
        waits=(),
    )
    return OrchestraStatistics("Indexing", {"reader": subsystem}, 0, idle, {}, 2.5)
