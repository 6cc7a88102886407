"""Which names a request may use for this server, and whether the page that sent it is the server's own. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Authority", "canonical_host", "is_loopback", "is_same_origin", "own_names", "read_authority"]

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOCAL = ("localhost", "127.0.0.1", "::1")


@attrs.frozen
class Authority:
    """A host and a port, as in a Host header."""

    host: str
    """In its canonical form: lower case, and addresses of IPv6 without brackets."""

    port: int | None
    """None where the text names none."""


def read_authority(text: str) -> Authority | None:
    """Read what follows `Host:`; None where it is none."""
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    port = None if found[2] is None else int(found[2])
    return Authority(canonical_host(found[1]), port)


def canonical_host(host: str) -> str:
    """Return the one form of a name or an address that others are compared with."""
    bare = host.removeprefix("[").removesuffix("]").lower()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach an address.

    Raises:
        ValueError: It is no address.
    """
    return ipaddress.ip_address(address).is_loopback


def own_names(address: str, allowed: Iterable[str] = ()) -> frozenset[str]:
    """Return the names that a request may use for a server that listens at an address.

    A page of somebody else's whose name was made to lead here (DNS rebinding) says its own name in `Host`; so the names
    of this machine and the address are safe.
    """
    return frozenset(map(canonical_host, (address, *_LOCAL, *allowed)))


def is_same_origin(origin: str, host: Authority) -> bool:
    """Return whether an `Origin` is the very server that the request was sent to, by whatever scheme."""
    found = _ORIGIN.fullmatch(origin)
    authority = None if found is None else read_authority(found[2])
    if found is None or authority is None or authority.host != host.host:
        return False
    default = _DEFAULT_PORTS[found[1].lower()]
    return (authority.port or default) == (host.port or default)
