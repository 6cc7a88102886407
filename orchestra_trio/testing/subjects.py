"""What may be put to a test: a subsystem."""

from __future__ import annotations

import inspect
from typing import cast

from orchestra_trio.errors import a_type, type_name
from orchestra_trio.runtime.orchestra import Orchestra

__all__ = ["check_subsystem"]


def check_subsystem(subject: object, title: str) -> None:
    """Refuse what is no subsystem, with words that say what to give instead.

    Args:
        subject: What was given.
        title: What users called; begins the text.

    Raises:
        TypeError: That is no subsystem.
    """
    if subject is None:
        raise TypeError(f"{title}: None is no subsystem: the slot is not set")
    if inspect.iscoroutine(subject):
        subject.close()  # else Python would warn of it, too
        raise TypeError(f"{title}: a coroutine is no subsystem: give the async function itself, without calling it")
    if isinstance(subject, type) and not hasattr(subject, "__await__"):
        name = type_name(subject)
        raise TypeError(f"{title}: the class {name} is no subsystem: give an object, {name}(...), or fresh({name})")
    if isinstance(subject, Orchestra):
        name = type_name(type(cast("object", subject)))
        raise TypeError(f"{title}: the whole orchestra {name} is no subsystem: give one of its subsystems, by its slot")
    if not callable(subject):
        raise TypeError(f"{title}: {a_type(type(subject))} is no subsystem")
