"""Bugs to be planted in a copy of the library: what each would be, and the change of text that makes it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import attrs

import orchestra_trio

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BUGS", "Bug", "plant"]


@attrs.frozen
class Bug:
    """A change to one module."""

    name: str
    """What it is called in the table."""

    what: str
    """What goes wrong, in a few words."""

    module: str
    """The file, below the package."""

    before: str
    """What stands there; once."""

    after: str
    """What stands there with the bug."""


BUGS: Final = (
    Bug(
        "lost wake-up",
        "who waits for signals alone is not told of the end, if messages lay there when the input closed",
        "delivery/mailbox.py",
        """        item = lane.take()
        if self.input_closed:
            self._end_if_exhausted()
        return item
""",
        """        item = lane.take()
        return item
""",
    ),
    Bug(
        "watermark off by one",
        "a message is received before the last of the signals that came before it",
        "delivery/mailbox.py",
        """        if self._signal_items:
            return self._take_signal()
        if self._unbounded_items""",
        """        if len(self._signal_items) > (1 if self._bounded_items else 0):
            return self._take_signal()
        if self._unbounded_items""",
    ),
    Bug(
        "priority lost on requeue",
        "an urgent message that has to wait for room waits at the bounded lane",
        "runtime/contexts/outlet.py",
        "                await park_sender(lane, message, self.sender, reply)\n",
        "                await park_sender(port.bounded, message, self.sender, reply)\n",
    ),
    Bug(
        "double delivery after cancel",
        "a send that is cancelled while it waits for room puts its message into the lane",
        "runtime/contexts/outlet.py",
        """            await park_sender(lane, message, None, reply)
""",
        """            try:
                await park_sender(lane, message, None, reply)
            except trio.Cancelled:
                lane.put(message, None)
                raise
""",
    ),
    Bug(
        "drain before a flush",
        "end-of-input reaches a subsystem when those upstream were told to end, not when they have ended",
        "runtime/drain.py",
        """                self._end(self.graph.components[place])
            else:
""",
        """                self._end(self.graph.components[place])
                reached += self._pass_on(place)
            else:
""",
    ),
    Bug(
        "broadcast skips one",
        "a subsystem that has not taken the last signal yet does not get the next one",
        "runtime/signals.py",
        "recipients = [live for live in subscribed if not live.has_ended]\n",
        "recipients = [live for live in subscribed if not (live.has_ended or live.mailbox.signals.items)]\n",
    ),
    Bug(
        "last come, first served",
        "of several senders that wait for room, the one that came last is let in first",
        "delivery/lanes.py",
        "waiting, offer = self.offers.popitem(last=False)\n",
        "waiting, offer = self.offers.popitem(last=True)\n",
    ),
    Bug(
        "request forgotten",
        "a request that lies in a lane when its consumer ends is never given up",
        "delivery/lanes.py",
        """            if reply is not None:
                reply.cancel()
""",
        """            if reply is not None:
                continue
""",
    ),
)


def plant(bug: Bug | None, folder: Path) -> None:
    """Copy the package into a folder, with a bug in it; with none, as it is.

    Raises:
        LookupError: The text that the bug changes is not there once: the library has changed, and the bug must, too.
    """
    package = folder / "orchestra_trio"
    source = orchestra_trio.__path__[0]
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    if bug is None:
        return
    module = package / bug.module
    text = module.read_text(encoding="utf-8")
    if text.count(bug.before) != 1:
        raise LookupError(f"{bug.name}: {bug.module} has {text.count(bug.before)} times\n{bug.before}")
    module.write_text(text.replace(bug.before, bug.after), encoding="utf-8")
