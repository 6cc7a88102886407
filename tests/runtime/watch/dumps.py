"""What the tests of dumps share: finding in one what it says of a subsystem."""

from __future__ import annotations

import re


def section(text: str, name: str) -> list[str]:
    """Return the lines on one subsystem."""
    (found,) = [part for part in text.rstrip().split("\n\n") if part.startswith(f"{name}: ")]
    return found.splitlines()


def titles(text: str, name: str) -> list[str]:
    """Return the lines on the tasks and threads of one subsystem, without their stacks."""
    return [line.strip() for line in section(text, name)[1:] if re.match(r"  (task|thread|outside)", line)]
