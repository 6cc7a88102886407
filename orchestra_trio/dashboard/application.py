"""What is answered to whom: the page, its files, JSON for machines, server-sent events, and figures for Prometheus."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import trio
from starlette.responses import Response
from starlette.routing import Route, Router

from orchestra_trio.dashboard.guard import refuse
from orchestra_trio.dashboard.scraping import Scraping
from orchestra_trio.dashboard.stream import EventStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from orchestra_trio import RunningOrchestra
    from orchestra_trio.dashboard.sampling import Sampler, View

__all__ = ["Application"]

MOST_STREAMS: Final = 200
"""So many clients are told of every look; others can still ask for states."""

_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.([a-z0-9]+)")
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/vnd.microsoft.icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_PAGE: Final = resources.files("orchestra_trio.dashboard") / "page"
_NOT_FOUND, _BUSY, _NO_CONTENT = 404, 503, 204


class Application:
    """The ASGI application behind the guard."""

    def __init__(self, running: RunningOrchestra[Any, Any], sampler: Sampler) -> None:
        """Answer for one orchestra."""
        self._sampler = sampler
        self._scraping = Scraping(running, sampler.threads)
        self._router = Router(
            [
                Route("/", self._index),
                Route("/page/{file}", self._file),
                Route("/favicon.ico", self._icon),
                Route("/api/state", self._state),
                Route("/api/layout", self._layout),
                Route("/api/history", self._history),
                Route("/api/subsystems/{name}", self._subsystem),
                Route("/api/stream", self._stream),
                Route("/metrics", self._metrics),
            ],
            redirect_slashes=False,
            default=self._missing,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        await self._router(scope, receive, send)

    def close(self) -> None:
        """Ask nothing of the orchestra any more."""
        self._scraping.close()

    async def _index(self, _: Request) -> Response:
        return await _read_file("index.html")

    async def _file(self, request: Request) -> Response:
        return await _read_file(request.path_params["file"])

    async def _icon(self, _: Request) -> Response:
        await trio.lowlevel.checkpoint()
        return Response(status_code=_NO_CONTENT)  # browsers ask for it on their own, and report what is not there

    async def _state(self, request: Request) -> Response:
        return await self._answer(request, self._sampler.state)

    async def _history(self, request: Request) -> Response:
        return await self._answer(request, self._sampler.history)

    async def _layout(self, request: Request) -> Response:
        return _json(await self._sampler.layout(_view(request)))

    async def _subsystem(self, request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        body = self._sampler.subsystem(request.path_params["name"])
        return refuse(_NOT_FOUND, "there is no such subsystem") if body is None else _json(body)

    async def _answer(self, request: Request, make: Callable[[View], bytes | None]) -> Response:
        await trio.lowlevel.checkpoint()
        return _json(make(_view(request)))

    async def _stream(self, request: Request) -> Response | EventStream:
        await trio.lowlevel.checkpoint()
        view = _view(request)
        if self._sampler.wiring.view(*view) is None:
            return _json(None)
        if self._sampler.streams >= MOST_STREAMS:
            return refuse(
                _BUSY, f"{MOST_STREAMS} clients listen already; /api/state still answers", {"Retry-After": "5"}
            )
        return EventStream(self._sampler, view)

    async def _metrics(self, request: Request) -> Response:
        return await self._scraping.scrape(request.headers.get("accept", ""))

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(_NOT_FOUND, "there is nothing here")(scope, receive, send)


def _view(request: Request) -> View:
    """Return what a client wants to see; a number that is none leads to a view that does not exist."""
    offset = request.query_params.get("offset", "0")
    is_number = offset.isascii() and offset.isdigit() and len(offset) < 10  # noqa: PLR2004 - far more than there can be
    return request.query_params.get("group"), int(offset) if is_number else -1


def _json(body: bytes | None) -> Response:
    if body is None:
        return refuse(_NOT_FOUND, "there is no such group, or it has not so many members")
    return Response(body, media_type="application/json")


async def _read_file(name: str) -> Response:
    await trio.lowlevel.checkpoint()
    found = _FILE.fullmatch(name)
    media_type = None if found is None else _MEDIA_TYPES.get(found[1])
    content = _files().get(name)
    if media_type is None or content is None:
        return refuse(_NOT_FOUND, "there is nothing here")
    return Response(content, media_type=media_type)


@cache
def _files() -> dict[str, bytes]:
    """Return the page's own files: a dozen small ones, read once."""
    return {file.name: file.read_bytes() for file in _PAGE.iterdir() if file.is_file()}
