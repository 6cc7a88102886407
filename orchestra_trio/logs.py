"""Log records, and the origin that they carry: which orchestra and subsystem they come from, and its epoch.

All records of the library go to the logger `orchestra_trio`, and each has the attributes `orchestra`, `subsystem` and
`epoch`; None where one does not apply. `SubsystemFilter` gives the same attributes to the records of other loggers.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import attrs
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Origin", "SubsystemFilter", "logger", "origin_of_task"]


@attrs.frozen(eq=False)
class Origin:
    """Where in an orchestra something happens."""

    orchestra: str
    subsystem: str | None
    """None for the orchestra itself."""
    epoch: Callable[[], int]
    """Returns the number of the last broadcast that came there."""

    @property
    def extra(self) -> dict[str, Any]:
        """The attributes for a record that is made elsewhere: `logger.warning(..., extra=origin.extra)`."""
        return {"orchestra": self.orchestra, "subsystem": self.subsystem, "epoch": self.epoch()}


_NOWHERE: Final = {"orchestra": None, "subsystem": None, "epoch": None}

origin_of_task: Final[ContextVar[Origin | None]] = ContextVar("origin_of_task", default=None)
"""Where the current task, or thread, belongs; jobs, nurseries and threads that it starts inherit it."""


class SubsystemFilter(logging.Filter):
    """Gives every record the attributes `orchestra`, `subsystem` and `epoch` of the task or thread that made it.

    They are None outside of subsystems. The filter lets every record pass. Added to a handler, it serves the records
    of all loggers that reach that handler::

        handler.addFilter(SubsystemFilter())
        handler.setFormatter(logging.Formatter("%(orchestra)s.%(subsystem)s@%(epoch)s %(message)s"))

    Jobs, nurseries and threads that a subsystem starts belong to it too. The filter must be asked where the record is
    made: with queues between handlers, add it to the `QueueHandler`, not to those behind the queue.
    """

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attributes, where the record has none yet."""
        if not vars(record).keys() >= _NOWHERE.keys():
            origin = origin_of_task.get()
            # What the record was given by `extra=` stays.
            for name, value in (_NOWHERE if origin is None else origin.extra).items():
                vars(record).setdefault(name, value)
        return True


logger: Final = logging.getLogger("orchestra_trio")
"""The library's logger."""

logger.addFilter(SubsystemFilter())
