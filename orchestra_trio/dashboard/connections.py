"""The bytes: one connection with a client, from its first request to its last.

The requests are read and answered by hypercorn's HTTP/1.1 protocol. What carries its bytes is our own. Hypercorn's
shields its sending from cancellation, so that one client who reads nothing would keep the page from ending, and lets
what fails in one connection end them all; and HTTP/2, which it would also speak, is more than the page needs to offer
to strangers.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from typing_extensions import override

if TYPE_CHECKING:
    import h11
    from hypercorn.events import Event
    from starlette.types import ASGIApp

__all__ = ["Connections"]

_LOG: Final = logging.getLogger("orchestra_trio.dashboard")

MOST: Final = 512
"""So many connections are served at a time."""

IDLE: Final = 15.0
"""Seconds for a client to ask, from the beginning of a connection or from the last answer on."""

PATIENCE: Final = 20.0
"""Seconds for a client to take what is sent to it, before the connection is closed."""

LINGER: Final = 2.0
"""Seconds for a client to hear that the connection ends, after it or we have said so."""

_LARGEST_REQUEST: Final = 16 * 1024
"""Bytes of a request's first line and headers, give or take what is read at once."""

_AT_ONCE: Final = 4096
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connections:
    """Serves clients, each in a task that fails alone."""

    def __init__(self, app: ASGIApp) -> None:
        """Serve an ASGI application."""
        wrapped: Any = app  # starlette and hypercorn each describe ASGI in their own types
        self._app = ASGIWrapper(wrapped)
        self._config = Config()
        self._config.h11_max_incomplete_size = _LARGEST_REQUEST
        self._config.include_server_header = False
        self._config.errorlog = _LOG
        self._open = 0

    async def serve(self, stream: trio.SocketStream) -> None:  # noqa: ASYNC910 - closing the stream is one
        """Serve one connection until it ends; what fails in it is logged, and goes no further."""
        self._open += 1
        try:
            async with stream:
                if self._open > MOST:
                    with trio.move_on_after(LINGER):
                        await stream.send_all(_FULL)
                else:
                    await _Connection(self._app, self._config, stream).run()
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has gone
        except* Exception:  # noqa: BLE001 - logged, and must not reach the orchestra
            _LOG.exception("a connection to the live page failed")
        finally:
            self._open -= 1


class _Connection:
    """One connection. It lasts as long as its scope."""

    def __init__(self, app: ASGIWrapper, config: Config, stream: trio.SocketStream) -> None:
        self._app = app
        self._config = config
        self._stream = stream
        self._scope = trio.CancelScope(deadline=trio.current_time() + IDLE)
        self._sending = trio.Lock()
        self._is_closing = False

    async def run(self) -> None:
        socket = self._stream.socket
        client, server = socket.getpeername()[:2], socket.getsockname()[:2]
        with self._scope:
            async with TaskGroup() as tasks:
                context, state = WorkerContext(None), ConnectionState({})
                protocol = _Http11(
                    self._app,
                    self._config,
                    context,
                    tasks,
                    connection_state=state,
                    ssl=False,
                    client=client,
                    server=server,
                    send=self._send,
                )
                await self._read(protocol)

    async def _read(self, protocol: H11Protocol) -> None:
        data: bytes | bytearray = b"-"
        while data:
            data = await self._stream.receive_some(_AT_ONCE)
            if not self._is_closing:
                await protocol.handle(RawData(bytes(data)))
        self._end_within(LINGER)  # it has nothing more to ask, and may still hear the answer
        await protocol.handle(Closed())

    async def _send(self, event: Event) -> None:
        """Do what the protocol asks for."""
        if isinstance(event, RawData):
            await self._send_all(event.data)
        elif isinstance(event, Closed):
            await self._close()
        else:
            await trio.lowlevel.checkpoint()
            if isinstance(event, Updated) and not self._is_closing:
                self._end_within(IDLE if event.idle else math.inf)

    async def _send_all(self, data: bytes) -> None:
        async with self._sending:
            try:
                with trio.fail_after(PATIENCE):
                    await self._stream.send_all(data)
            except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError):
                self._scope.cancel()  # with whatever is still making an answer
                await trio.lowlevel.checkpoint()

    async def _close(self) -> None:
        """Say that nothing more will come; what the client still sends is read, so that it reads the last answer."""
        self._is_closing = True
        self._end_within(LINGER)
        async with self._sending:
            try:
                await self._stream.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._scope.cancel()

    def _end_within(self, seconds: float) -> None:
        self._scope.deadline = trio.current_time() + seconds


class _Http11(H11Protocol):
    """HTTP/1.1 that stays HTTP/1.1."""

    @override
    async def _check_protocol(self, event: h11.Request) -> None:  # noqa: ASYNC910 - called for its errors alone
        """Overlook offers to change to HTTP/2."""
