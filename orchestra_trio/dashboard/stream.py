"""Server-sent events: each client is told the latest state, whenever it is ready for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from orchestra_trio.dashboard.sampling import Sampler, View

__all__ = ["EventStream"]

HEARTBEAT: Final = 15.0
"""Seconds after which something is sent where there is nothing to say: it finds out who has gone."""

_HEADERS: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class EventStream:
    """The response that goes on for as long as the client listens and the orchestra runs.

    Nothing is queued for anybody: who is slow finds the latest state when there is room for it again, and who takes
    nothing at all loses the connection (see `connections`).
    """

    def __init__(self, sampler: Sampler, view: View) -> None:
        """Tell of a view that exists."""
        self._sampler = sampler
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send states until the orchestra or the client has gone, as ASGI has it."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        self._sampler.streams += 1
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_await_disconnect, receive, nursery.cancel_scope)
                await self._tell(send)
                nursery.cancel_scope.cancel()
        finally:
            self._sampler.streams -= 1

    async def _tell(self, send: Send) -> None:
        sampler = self._sampler
        while not sampler.ended:
            told = sampler.number
            await _send_part(send, self._event(b"state"))
            while sampler.number == told:
                with trio.move_on_after(HEARTBEAT) as waiting:
                    await sampler.wait_changed()
                if waiting.cancelled_caught:
                    await _send_part(send, b": still here\n\n")
        await _send_part(send, self._event(b"end"), is_last=True)

    def _event(self, kind: bytes) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (kind, self._sampler.state(self._view) or b"null")


async def _send_part(send: Send, part: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": not is_last})


async def _await_disconnect(receive: Receive, listening: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listening.cancel()
