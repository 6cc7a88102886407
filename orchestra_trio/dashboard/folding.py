"""How more subsystems than a page can show are gathered in groups. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["MOST_SHOWN", "Folding", "fold"]

MOST_SHOWN = 200
"""So many subsystems are shown one by one."""

_BLOCKS = 50
_NUMBER = re.compile(r"_?\d+$")


@attrs.frozen
class Folding:
    """Which subsystems are shown as one."""

    rule: str
    """How they were gathered, in words for people."""

    groups: Mapping[str, tuple[str, ...]]
    """The members of each group, both in declaration order. No group has the name of a subsystem.

    What is alone in its group is shown as itself, under its own name, and is not listed here.
    """

    shown: Mapping[str, str]
    """For each subsystem, the name under which it is shown: of its group, or its own."""

    @property
    def entries(self) -> int:
        """As how many entries all subsystems are shown."""
        return len(dict.fromkeys(self.shown.values()))


def fold(names: Sequence[str], most: int = MOST_SHOWN) -> Folding | None:
    """Gather subsystems so that there are no more entries than this.

    The first of three rules is taken that makes few enough entries, and more than one: those whose names differ only in
    a number at their end; those whose names begin alike, up to the first underscore; blocks in declaration order.

    Args:
        names: Of all subsystems, in declaration order: identifiers, so that a name with `*` or `…` is free for a group.
        most: At least 2.

    Returns:
        None where there is nothing to fold.
    """
    if len(names) <= most:
        return None
    for rule, key in _RULES:
        gathered = _gather(names, key)
        if 1 < len(gathered) <= most:
            return _folding(rule, len(names), {f"{one}*": tuple(members) for one, members in gathered.items()})
    size = -(-len(names) // min(_BLOCKS, most))
    blocks = [tuple(names[begin : begin + size]) for begin in range(0, len(names), size)]
    return _folding(
        f"blocks of {size} in the order of their declaration", len(names), {f"{b[0]} … {b[-1]}": b for b in blocks}
    )


def _without_number(name: str) -> str:
    return _NUMBER.sub("", name) or name


def _first_word(name: str) -> str:
    return name.lstrip("_").partition("_")[0] or name


_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("those whose names differ only in a number at the end", _without_number),
    ("those whose names begin with the same word", _first_word),
)


def _gather(names: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name in names:
        gathered.setdefault(key(name), []).append(name)
    return gathered


def _folding(how: str, total: int, gathered: Mapping[str, tuple[str, ...]]) -> Folding:
    groups = {group: members for group, members in gathered.items() if len(members) > 1}
    shown = {
        name: group if group in groups else name  # what is alone is shown as itself
        for group, members in gathered.items()
        for name in members
    }
    rule = f"{total:,} subsystems are shown as {len(gathered):,} entries; together: {how}"
    return Folding(rule, groups, shown)
