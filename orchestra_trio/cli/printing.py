"""What every command prints with, and how it ends when it cannot do what it should."""

import sys

__all__ = ["Failed", "Misuse", "print_error", "printable"]


class Misuse(Exception):
    """The command cannot run like this: one line, status 2."""


class Failed(Exception):
    """The command could not be finished: one line, status 1."""


def printable(text: object) -> str:
    """Return a text on one line, with nothing in it that commands a terminal: names of files may hold anything."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(text))


def print_error(program: str, problem: object) -> None:
    """Print one line to the standard error stream."""
    print(f"{program}: error: {printable(problem)}", file=sys.stderr)
