"""Serving the live page: where it listens, who may ask, and how long it lasts."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from orchestra_trio.dashboard.application import Application
from orchestra_trio.dashboard.connections import Connections
from orchestra_trio.dashboard.guard import Guard
from orchestra_trio.dashboard.hosts import is_loopback, own_names, read_authority
from orchestra_trio.dashboard.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra_trio import RunningOrchestra

__all__ = ["RunningPage", "serve_dashboard"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]{16,}")
_SHORTEST_INTERVAL: Final = 0.05


@attrs.frozen
class RunningPage:
    """A live page that is being served: `page = await nursery.start(serve_dashboard, running)`."""

    host: str
    """The address at which it listens."""

    port: int
    """The port at which it listens."""

    token: str | None = attrs.field(default=None, repr=False)
    """What who asks must know, if anything."""

    @property
    def url(self) -> str:
        """Where to look at it, with the token if there is one."""
        address = ipaddress.ip_address(self.host)
        if address.is_unspecified:  # it listens at all addresses: this machine's own is one of them
            address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - of IP
        host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - of IP
        return f"http://{host}:{self.port}/" + ("" if self.token is None else f"?token={self.token}")


async def serve_dashboard(  # noqa: ASYNC114 - a user of it names it to their own checker
    running: RunningOrchestra[Any, Any],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    interval: float = 1.0,
    allowed_hosts: Iterable[str] = (),
    task_status: trio.TaskStatus[RunningPage] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve a page that shows a running orchestra, until cancelled: `await nursery.start(serve_dashboard, running)`.

    Nothing that a client does changes the orchestra, and nothing that goes wrong here reaches it. Payloads are never
    shown: types' names, counts, and stacks without the values of variables. When the orchestra has ended, the page says
    so, and is still served.

    Args:
        running: What to show.
        host: The address to listen at, or `localhost`. Any but a loopback address needs a token.
        port: The port; 0 for any that is free.
        token: At least 16 letters, digits or `-._~`, as `secrets.token_urlsafe()` makes them: who asks must know it.
        interval: Seconds between two looks at the orchestra, at least 0.05; one look is for all who watch.
        allowed_hosts: Names that requests may use for this server, besides its address and those of this machine: for a
            proxy before it, or a name of this machine in the network.
        task_status: Is told the `RunningPage` once it can be asked.

    Raises:
        ValueError: The host is no address, or needs a token; the token, the port, the interval or the allowed hosts
            cannot be used. Nothing listens.
        TypeError: `allowed_hosts` is one name, and not several. Nothing listens.
        OSError: It is not possible to listen there: the port is in use, or the address is not this machine's.

    Checkpoint:
        Always one; returns only by being cancelled.

    Cancellation:
        Closes all connections at once.
    """
    address = _read_address(host, token)
    if token is not None and not _TOKEN.fullmatch(token):
        message = "the token must be at least 16 of letters, digits and -._~: secrets.token_urlsafe() makes one"
        raise ValueError(message)
    if not _SHORTEST_INTERVAL <= interval < math.inf:
        message = f"interval must be at least {_SHORTEST_INTERVAL} seconds, not {interval}"
        raise ValueError(message)
    names = own_names(address, _read_names(allowed_hosts))
    sampler = Sampler(running, interval)
    listeners = await _listen(address, port)  # last: what cannot be served must not listen
    page = RunningPage(address, listeners[0].socket.getsockname()[1], token)
    application = Application(running, sampler)
    guard = Guard(
        application,
        names=names,
        token=token,
        cookie=f"orchestra_trio_{page.port}",
    )
    connections = Connections(guard)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sampler.run)
            await nursery.start(trio.serve_listeners, connections.serve, listeners)
            task_status.started(page)
    finally:
        application.close()


def _read_address(host: str, token: str | None) -> str:
    try:
        address = str(ipaddress.ip_address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        message = f"host must be an address or 'localhost', not {host!r}; names go to allowed_hosts"
        raise ValueError(message) from None
    if token is None and not is_loopback(address):
        message = (
            f"others can reach {address}: pass a token, as secrets.token_urlsafe() makes one, or stay on 127.0.0.1"
        )
        raise ValueError(message)
    return address


def _read_names(allowed: Iterable[str]) -> list[str]:
    if isinstance(allowed, str):
        message = f"allowed_hosts must be several names, such as [{allowed!r}], and not one"
        raise TypeError(message)
    names = list(allowed)
    for name in names:
        authority = read_authority(str(name))
        if authority is None or authority.port is not None:
            message = f"allowed_hosts must be names or addresses without a port, not {name!r}"
            raise ValueError(message)
    return names


async def _listen(address: str, port: int) -> list[trio.SocketListener]:
    if not 0 <= port < 1 << 16:
        message = f"port must be from 0 to 65535, not {port}"
        raise ValueError(message)
    try:
        return await trio.open_tcp_listeners(port, host=address)
    except OSError as error:
        message = f"the live page cannot listen at {address}, port {port}: {error.strerror or error}"
        raise OSError(error.errno, message) from error
