"""Who may ask: the first that every request meets, and the last that every response passes."""

from __future__ import annotations

import logging
import secrets
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import attrs
import trio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

from orchestra_trio.dashboard.hosts import canonical_host, is_same_origin, read_authority

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "refuse"]

_LOG: Final = logging.getLogger("orchestra_trio.dashboard")

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
}
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_ALLOWED, _FAILED = 400, 401, 403, 405, 500
_SEE_OTHER = 303


def refuse(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    """Return a response that says why there is no other."""
    return JSONResponse({"error": reason}, status, headers)


@attrs.frozen
class Guard:
    """Lets through what the page itself, a person at the address bar or a machine with the token may ask.

    Nothing that fails behind it gets beyond it.
    """

    app: ASGIApp
    names: frozenset[str]
    """What a request may call this server, besides the address that it came to."""

    token: str | None = attrs.field(default=None, repr=False)
    cookie: str = "orchestra_trio"
    """The name of the cookie: cookies do not know ports, so that each server needs a name of its own."""

    session: str = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What the cookie holds: not the token, which may be good for other servers, too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        await trio.lowlevel.checkpoint()
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ASYNC910 - after one
        answer = _Answer(send)
        try:
            refusal = self._check(scope)
            await (self.app if refusal is None else refusal)(scope, receive, answer.send)
        except Exception:  # noqa: BLE001 - logged, and must not reach the orchestra
            _LOG.exception("the live page could not answer %s", scope["path"])
            if not answer.has_begun:
                await refuse(_FAILED, "this could not be answered; the log says why")(scope, receive, answer.send)

    def _check(self, scope: Scope) -> Response | None:
        """Return what to say instead of an answer, if anything."""
        headers = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"}:
            return refuse(_NOT_ALLOWED, "nothing can be changed from here", {"Allow": "GET, HEAD"})
        hosts = headers.getlist("host")
        host = read_authority(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return refuse(_BAD_REQUEST, "a request needs one Host")
        address = canonical_host((scope.get("server") or ("", None))[0])
        if host.host not in self.names and host.host != address:
            return refuse(_FORBIDDEN, "this server has another name; serve_dashboard(allowed_hosts=...) adds names")
        origins = headers.getlist("origin")
        if any(not is_same_origin(origin, host) for origin in origins):
            return refuse(_FORBIDDEN, "other sites may not ask")
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not _is_visit(scope, headers):
            return refuse(_FORBIDDEN, "other sites may not ask")
        return None if self.token is None else self._check_token(scope, headers, self.token)

    def _check_token(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _are_alike(credentials.strip(), token):
            return None
        if any(_are_alike(one, self.session) for one in _cookies(headers, self.cookie)):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not any(name == "token" and _are_alike(value, token) for name, value in query):
            challenge = {"WWW-Authenticate": 'Bearer realm="orchestra_trio"'}
            return refuse(_UNAUTHORIZED, "this page needs its token: open it with ?token=...", challenge)
        if scope["path"] != "/":
            return None
        # The token goes from the address bar, and so from the history, into a cookie.
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        response = RedirectResponse(f"/?{rest}" if rest else "/", _SEE_OTHER)
        secure = scope.get("scheme") == "https"
        response.set_cookie(self.cookie, self.session, httponly=True, samesite="strict", secure=secure)
        return response


@attrs.define
class _Answer:
    """Passes a response on, with the headers that all have."""

    _send: Send
    has_begun: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await self._send(message)


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Return whether somebody follows a link to the page: it then shows itself, not to who has linked it."""
    asks = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return asks and scope["path"] == "/"


def _cookies(headers: Headers, name: str) -> list[str]:
    found: list[str] = []
    for text in headers.getlist("cookie"):
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(text)
        except CookieError:
            continue
        if name in cookies:
            found.append(cookies[name].value)
    return found


def _are_alike(given: Any, expected: str) -> bool:  # noqa: ANN401 - text that a stranger sent
    """Compare in a time that does not tell how much of it is right."""
    return compare_digest(str(given).encode("utf-8", "surrogateescape"), expected.encode())
