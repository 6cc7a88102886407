"""Where a live page is, and what opens it."""

import re
from urllib.parse import parse_qs, urlsplit

import attrs

from orchestra_trio.cli.printing import Misuse

__all__ = ["Address", "read_address"]

_TOKEN = re.compile(r"[!-~]+")


@attrs.frozen
class Address:
    """Where a live page is."""

    scheme: str
    """`http` or `https`."""

    host: str

    port: int | None
    """None for the scheme's own."""

    token: str | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        """Return it as a URL, without the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}/"


def read_address(url: str, token: str | None) -> Address:
    """Read the URL of a live page, as the page itself tells it.

    Args:
        url: With the token or without; `http://` may be left out.
        token: Instead of that in the URL.

    Raises:
        Misuse: It is no such URL.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise Misuse(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise Misuse(f"{url!r} is not the URL of a live page, such as http://127.0.0.1:8000/")
    if token is None:
        token = next(iter(parse_qs(parts.query).get("token", ())), None)
    if token is not None and not _TOKEN.fullmatch(token):
        raise Misuse("a token has only visible ASCII characters")
    return Address(parts.scheme, parts.hostname, port, token)
