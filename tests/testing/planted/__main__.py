"""Print the table of planted bugs: `python -m tests.testing.planted [MOST] [SEEDS]`, from the project's root."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING

from tests.testing.planted.bugs import BUGS
from tests.testing.planted.finding import find

if TYPE_CHECKING:
    from tests.testing.planted.finding import Found


def _cell(found: Found, most: int) -> str:
    missed = sum(one is None for one in found)
    counts = [most if one is None else one[0] for one in found]
    if missed == len(found):
        return f"not in {most:,}"
    return f"{median(counts):,.0f}" + (f" ({missed} of {len(found)} missed)" if missed else "")


def main() -> None:
    """Hunt each bug from several seeds, and print the median of schedules."""
    most, seeds = map(int, (*sys.argv[1:3], *("1000", "9")[len(sys.argv) - 1 :]))
    print("| bug | what goes wrong | how it is seen | uniform | priorities |")  # noqa: T201 - that is its purpose
    print("|---|---|---|---|---|")  # noqa: T201 - as above
    for bug in BUGS:
        found = find(bug, most, range(0, seeds * most, most))
        seen = sorted({one[1] for counts in found.values() for one in counts if one is not None})
        cells = " | ".join(_cell(found[name], most) for name in ("uniform", "priorities"))
        print(f"| {bug.name} | {bug.what} | {', '.join(seen)} | {cells} |", flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
