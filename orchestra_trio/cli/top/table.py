"""The table. It needs rich, from the extra `dashboard`."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestra_trio.cli.printing import printable
from orchestra_trio.cli.top.state import Lane, State, Subsystem

__all__ = ["show_state"]

_STYLES = {
    "running": "green",
    "starting": "cyan",
    "ending": "cyan",
    "restarting": "yellow",
    "failed": "bold red",
    "cancelled": "red",
    "finished": "dim",
}
_BAR = 8
_NEARLY_FULL, _HALF_FULL = 0.9, 0.5
_AROUND = 8
"""Lines of a screen that are not rows of subsystems."""


def show_state(state: State, height: int | None = None) -> RenderableType:
    """Return what to print: a line of totals, deadlocks in red, and a row for each subsystem.

    Args:
        state: What to show.
        height: Lines of the screen, if it has an end. Where there are more subsystems, those are shown that hold
            something up, and then those that receive most.
    """
    parts: list[RenderableType] = [_totals(state)]
    for one in state.deadlocks:
        since = "" if one.since is None else f" for {max(state.time - one.since, 0):,.0f} s"
        if one.holds:
            parts.append(Text(printable(f"DEADLOCK{since}: {one.message}"), "bold red"))
        else:
            parts.append(Text(printable(f"a deadlock was resolved: {one.message}"), "yellow"))
    if state.folding is not None:
        parts.append(Text(printable(state.folding), "dim"))
    most = len(state.subsystems) if height is None else max(height - _AROUND - 2 * len(state.deadlocks), 1)
    rows = state.subsystems
    if len(rows) > most:
        busiest = sorted(rows, key=_business, reverse=True)[:most]
        rows = tuple(one for one in rows if one in busiest)
    parts.append(_table(rows))
    if len(rows) < len(state.subsystems):
        parts.append(Text(f"and {len(state.subsystems) - len(rows):,} more that are less busy", "dim"))
    return Group(*parts)


def _business(one: Subsystem) -> tuple[bool, int, float, float]:
    fullest = one.fullest
    return one.state == "failed", len(one.waits), 0.0 if fullest is None else fullest.fill, one.received_rate


def _totals(state: State) -> Text:
    totals = state.totals
    parts = [
        "ended" if state.ended else f"up {state.uptime:,.0f} s",
        f"{totals.get('received_rate', 0):,.0f} received/s",
        f"{totals.get('blocked_rate', 0):,.0f} blocked/s",
        f"{totals.get('lying', 0):,.0f} lying",
        f"{totals.get('waiting', 0):,.0f} waiting",
        f"epoch {state.epoch:,}",
        f"{totals.get('restarts', 0):,.0f} restarts",
        f"dead letters: {', '.join(f'{count:,} {reason}' for reason, count in state.dead_letters.items()) or 'none'}",
    ]
    return Text.assemble((printable(state.name), "bold"), "  ", printable("  ".join(parts)))


def _table(rows: tuple[Subsystem, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("subsystem", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for heading in ("received/s", "blocked/s", "blocked", "lying"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("fullest lane", no_wrap=True)
    for heading in ("p99 flight", "jobs", "restarts"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("waits for", overflow="ellipsis", no_wrap=True)
    for one in rows:
        table.add_row(*_row(one))
    return table


def _row(one: Subsystem) -> list[RenderableType]:
    name = printable(one.name) + (f" ({one.members:,})" if one.members > 1 else "")
    first, *others = *one.waits, ""
    waits = printable(first) + (f" (+{len(others) - 1})" if len(others) > 1 else "")
    return [
        Text(name),
        Text(printable(one.state), _STYLES.get(one.state, "")),
        f"{one.received_rate:,.0f}",
        f"{sum(lane.blocked_rate for lane in one.lanes):,.0f}",
        f"{sum(lane.blocked for lane in one.lanes):,}",
        f"{one.lying:,}",
        _bar(one.fullest),
        "-" if one.p99 is None else f"{one.p99 * 1e3:,.3f} ms",
        f"{one.jobs:,}",
        f"{one.restarts:,}",
        Text(waits, "yellow"),
    ]


def _bar(lane: Lane | None) -> Text:
    if lane is None:
        return Text("-", "dim")
    filled = min(round(lane.fill * _BAR), _BAR)
    style = "red" if lane.fill >= _NEARLY_FULL else "yellow" if lane.fill >= _HALF_FULL else "green"
    return Text.assemble(("█" * filled, style), ("░" * (_BAR - filled), "dim"), f" {lane.length:,}/{lane.capacity:,}")
