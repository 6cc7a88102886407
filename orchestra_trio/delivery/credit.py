"""Credit: many messages through a lane with one look at all that might hold them up. Pure, as `lanes` is.

Nearly every message goes the same way as the one before: the same sender puts it behind that one, or the same receiver
takes the next. *Credit* is the right to make so many steps of one kind (`append`, or `popleft`, on the items of one
lane) with no other look at the mailbox. Who has it makes the step itself, in its own frame: see `contexts`. The calls
that a message is made of, the two coroutines among them, which nothing can spare:

    ============ ============================== ====================================== ===========================
    way          on credit: 15 in 16 at most    where a run has a mark, and goes on    without
    ============ ============================== ====================================== ===========================
    send         `send`                         `send`, `post_in_run`, `lend`          `send`, `post`
    receive      `receive`                      `receive`, `take_in_run`, `lend` and   `receive`, `take` twice
                                                two for the mark
    ============ ============================== ====================================== ===========================

One at a time that makes 3.7 calls of Python functions per message, trio's own among them, where it was 8.5 without
credit: 0.63 µs where it was 1.08 (CPython 3.11). Two bare
coroutines that look a port up, check for cancellation, append and take, and let others run as often, take 0.44; a third
of what lies between is what is done for each 16th message, a third what `send` and `receive` ask beside that.

What Python specializes is a part of it: a method of an object in a slot is called faster than a bound method in one
(0.02 µs), and the latter faster under a name of its own than as if it were a method.

Invariants:

* A mailbox gives credit to one user at a time, for one kind of step in one lane (`Turn`). Every other step at that
  mailbox ends it first: one by another user, in another lane, of a signal, one that closes, shuts or taps.
* Who finds the mailbox empty, and may wait then, finds no credit left there: it is given while something lies in the
  lane, and to take that either ends it or uses it up.
* Credit that is used up and has not ended (`until` is not 0) is renewed in place: nobody made any other step since, so
  only the room (or items), the next mark and the budget are looked at.
* What would need a look within its bounds was ruled out when it was given, and only such other steps bring it about:
  nobody waits, the lane has room (or items) for all of it, none of the messages has a mark, nothing has precedence.
* Credit counts in calls of its user's budget, which only grow: it ends at the latest where it was to end, whatever else
  its user calls meanwhile, and before a schedule point is due. The time is looked at when it is given, and not in its
  course: who is slow gets none (`Budget.lend`).
* No meter counts these steps, and all are exact at every moment: what was sent is what was taken and what lies there;
  while takes are made on credit, what was taken is what was sent before less what lies there; the peak is noted
  before anything is taken.
* A lane that is tapped or shared by threads gives none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from collections import deque

    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.delivery.parties import Receiver

__all__ = ["Budget", "Credit", "Turn"]


class Budget(Protocol):
    """The calls of a user."""

    @property
    def calls(self) -> int:
        """How many there were so far."""
        ...

    def lend(self, steps: int) -> int:
        """Return the number of the call until which so many steps may be made, or fewer; 0 to make none."""
        ...


@attrs.define(eq=False)
class Credit:
    """What one user may do in one lane without another look."""

    budget: Budget
    lane: Lane[Any] | None
    """None where it never lends."""
    items: deque[Any]
    """Of the lane: the step is their `append` or `popleft`."""
    until: int = 0
    """The step is free while fewer calls than this were made."""


class Turn:
    """Who has credit at one mailbox; shared by its lanes.

    Attributes:
        credit: Of whom; None while nobody has any.
        last: Of whom made the last step that could be followed by others on credit.
        taking: The lane from which somebody takes on credit.
        taker: For whom another task takes just now; None where each takes for itself. Only who observes needs to know.
    """

    __slots__ = ("credit", "last", "taker", "taking")

    def __init__(self) -> None:
        """Make one that nobody has."""
        self.credit: Credit | None = None
        self.last: Credit | None = None
        self.taking: Lane[Any] | None = None
        self.taker: Receiver[Any] | None = None

    def give(self, credit: Credit, steps: int) -> None:
        """Let a user make steps; nobody else may have credit."""
        self.credit = credit
        credit.until = credit.budget.lend(steps)

    def end(self) -> None:
        """Let nobody make any step without another look."""
        credit = self.credit
        if credit is not None:
            self.credit = None
            credit.until = 0
            if self.taking is not None:
                self.taking.settle()
                self.taking = None
