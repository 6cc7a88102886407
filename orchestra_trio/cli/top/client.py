"""Asking a live page: with the standard library alone, and without trio, since there is but one thing to wait for."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from orchestra_trio.cli.printing import Failed, Misuse
from orchestra_trio.cli.top.address import Address
from orchestra_trio.cli.top.state import NotAState, State, read_state

__all__ = ["PATIENCE", "ask", "listen"]

PATIENCE = 40.0
"""Seconds without a sign of life after which the page counts as gone; it gives one every 15 at the latest."""

_OK, _UNAUTHORIZED, _BUSY = 200, 401, 503


def ask(address: Address) -> State:
    """Return the state of the orchestra now.

    Raises:
        Failed: Nothing answers there.
        Misuse: What answers is no live page, or wants another token.
    """
    with _get(address, "/api/state") as response:
        return _read(address, response.read())


def listen(address: Address) -> Iterator[State]:
    """Yield the state of the orchestra whenever the page tells it, until the orchestra has ended.

    Raises:
        Failed: Nothing answers there, or no more.
        Misuse: What answers is no live page, or wants another token.
    """
    with _get(address, "/api/stream") as response:
        kind = b""
        while line := response.readline():
            field, _, value = line.rstrip(b"\r\n").partition(b": ")
            if field == b"event":
                kind = value
            elif field == b"data":
                yield _read(address, value)
                if kind == b"end":
                    return
        raise _gone(address)


@contextmanager
def _get(address: Address, path: str) -> Generator[HTTPResponse, None, None]:
    connect = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = connect(address.host, address.port, timeout=PATIENCE)
    headers = {} if address.token is None else {"Authorization": f"Bearer {address.token}"}
    has_answered = False
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        has_answered = True
        _check(address, response)
        yield response
    except (OSError, HTTPException) as error:
        raise (_gone(address) if has_answered else Failed(f"nothing answers at {address}: {error}")) from error
    finally:
        connection.close()


def _check(address: Address, response: HTTPResponse) -> None:
    if response.status == _OK:
        return
    if response.status == _UNAUTHORIZED:
        raise Misuse(f"the page at {address} needs its token: the URL with ?token=..., or --token")
    reason = _reason(response)
    if response.status == _BUSY:
        raise Failed(f"the page at {address} is busy: {reason}")
    raise Misuse(f"there is no live page at {address}: {reason}")


def _reason(response: HTTPResponse) -> str:
    try:
        return str(json.loads(response.read(10_000))["error"])
    except (ValueError, KeyError, TypeError):
        return f"it answers {response.status} {response.reason}"


def _read(address: Address, text: bytes) -> State:
    try:
        return read_state(json.loads(text))
    except ValueError as error:
        raise Misuse(f"there is no live page at {address}: it answers something else") from error
    except NotAState as error:
        raise Misuse(f"there is no live page at {address}: {error}") from error


def _gone(address: Address) -> Failed:
    return Failed(f"the page at {address} is gone")
