"""Who deals with a lane, as the lane sees them, and what it keeps of them or gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.records import LaneStep

__all__ = ["Buried", "Offer", "Receiver", "Reply", "Sender", "Tap"]

T = TypeVar("T")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)


class Receiver(Protocol[ItemT_contra]):
    """Somebody who waits to take one item."""

    def hand(self, item: ItemT_contra, /) -> None:
        """Give them the item. They stand in no queue any more."""

    def end(self) -> None:
        """Tell them that nothing will come any more. They stand in no queue any more."""


class Sender(Protocol):
    """Somebody who waits to put one item into a full lane."""

    def admit(self) -> None:
        """Tell them that the lane holds their item now."""

    def refuse(self, error: BaseException | None, /) -> None:
        """Tell them that the lane will never hold it; None where it was dealt with otherwise."""


class Reply(Protocol):
    """The state of a reply end that a message carries."""

    def cancel(self) -> None:
        """Tell the requester that no answer will come."""


@attrs.frozen
class Offer(Generic[T]):
    """An item that waits outside of a full lane, with what the lane needs to know once it enters."""

    item: T
    sender: str | None
    reply: Reply | None


@attrs.frozen
class Buried(Generic[T]):
    """An item that lay in a lane when its consumer ended."""

    item: T
    sender: str | None


class Tap(Protocol[ItemT_contra]):
    """Somebody who is told of every step of a lane, in that step."""

    def __call__(
        self,
        step: LaneStep,
        lane: Lane[Any],
        item: ItemT_contra,
        sender: str | None,
        *,
        is_request: bool = False,
        who: object = None,
    ) -> object:
        """Take note of a step.

        Args:
            step: What happens.
            lane: Where.
            item: To what.
            sender: Who sends it; None is the embedding program. Unknown, and None, when it is received.
            is_request: Whether it carries a reply end; unknown, and False, when it is received.
            who: Who waited for it to be let in, or to take it; None where that is whoever makes the step.
        """
