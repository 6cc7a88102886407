"""Who may ask, and what all answers have in common: asked in this process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx  # noqa: ASYNC127 - it asks nobody but the servers of these tests
import pytest

from orchestra_trio.dashboard.guard import Guard
from tests.dashboard.asking import ADDRESS, in_process
from tests.runtime.samples import Solo, idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from tests.dashboard.asking import InProcess

TOKEN = "a-token-of-sixteen-and-more"  # noqa: S105 - of these tests alone
OTHER = "b-token-of-sixteen-and-more"
PATHS = ["/", "/api/state", "/api/layout", "/api/history", "/api/subsystems/worker", "/metrics", "/page/x.js", "/no"]


@pytest.fixture
async def page() -> AsyncIterator[InProcess]:
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        yield page


@pytest.fixture
async def locked() -> AsyncIterator[InProcess]:
    async with Solo(worker=idle).open() as running, in_process(running, token=TOKEN) as page:
        yield page


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_keeps_browsers_in_check(page: InProcess, path: str) -> None:
    response = await page.get(path)
    headers = response.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == policy["object-src"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control") for name in headers)
    assert "set-cookie" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PRI", "X"])
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_can_be_changed(page: InProcess, method: str, path: str) -> None:
    response = await page.client.request(method, path, content=b"x")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/api/state", "/api/layout", "/metrics"])
async def test_head_is_answered_as_get_is(page: InProcess, path: str) -> None:
    assert (await page.client.head(path)).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("[::1]:8000", 200),
        ("localhost:9999", 200),  # a tunnel may have another port at its other end
        ("box.example.org", 200),  # was allowed
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.2:8000", 403),
        ("0.0.0.0:8000", 403),
        ("", 400),
        ("localhost:8000, evil.example", 400),
        ("evil.example@localhost", 400),
    ],
)
async def test_host(page: InProcess, host: str, status: int) -> None:
    """A page whose name was made to lead here says its own name."""
    response = await page.get("/api/state", Host=host)
    assert response.status_code == status
    assert ("error" in response.json()) is (status != 200)


async def test_one_host(page: InProcess) -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert (await page.client.get("/api/state", headers=headers)).status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("http://127.0.0.1:8001", 403),
        ("http://localhost:8000", 403),  # another origin, of another page perhaps
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_origin(page: InProcess, origin: str, status: int) -> None:
    assert (await page.get("/api/state", Origin=origin)).status_code == status


@pytest.mark.parametrize(
    ("path", "site", "mode", "destination", "status"),
    [
        ("/api/state", "same-origin", "cors", "empty", 200),
        ("/", "none", "navigate", "document", 200),
        ("/api/state", "none", "navigate", "document", 200),
        ("/", "cross-site", "navigate", "document", 200),  # somebody follows a link
        ("/", "cross-site", "navigate", "iframe", 403),
        ("/", "cross-site", "no-cors", "script", 403),
        ("/api/state", "cross-site", "navigate", "document", 403),
        ("/api/state", "cross-site", "no-cors", "script", 403),
        ("/api/state", "same-site", "cors", "empty", 403),  # another port of this machine
        ("/page/page.css", "cross-site", "no-cors", "style", 403),
    ],
)
async def test_fetch_metadata(page: InProcess, path: str, site: str, mode: str, destination: str, status: int) -> None:
    response = await page.get(path, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode, Sec_Fetch_Dest=destination)
    assert response.status_code == status


@pytest.mark.parametrize("path", PATHS)
async def test_without_its_token_nothing_is_told(locked: InProcess, path: str) -> None:
    """Not even what there is."""
    for address, headers in (
        (path, {}),
        (f"{path}?token={OTHER}", {}),
        (f"{path}?token=", {}),
        (f"{path}?token=%ff{TOKEN}", {}),
        (path, {"Authorization": f"Bearer {OTHER}"}),
        (path, {"Authorization": f"Basic {TOKEN}"}),
        (path, {"Authorization": TOKEN}),
        (path, {"Cookie": f"orchestra_trio={TOKEN}"}),
        (path, {"Cookie": "orchestra_trio=; a;;= b\x7f"}),
    ):
        response = await locked.client.get(address, headers=headers)
        assert response.status_code == 401
        assert TOKEN not in response.text
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert "set-cookie" not in response.headers


async def test_machines_show_the_token(locked: InProcess) -> None:
    for address, headers in (("/api/state", {"Authorization": f"Bearer {TOKEN}"}), (f"/api/state?token={TOKEN}", {})):
        response = await locked.client.get(address, headers=headers)
        assert response.status_code == 200
        assert "set-cookie" not in response.headers


async def test_a_browser_shows_the_token_once(locked: InProcess) -> None:
    """It gets a cookie that holds something else, and is led to an address without the token."""
    response = await locked.get(f"/?token={TOKEN}&group=x")
    assert response.status_code == 303
    assert response.headers["location"] == "/?group=x"
    cookie = response.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert (await locked.get("/api/state")).status_code == 200  # the client has kept the cookie
    locked.client.cookies.clear()
    assert (await locked.get("/api/state")).status_code == 401


async def test_the_token_does_not_make_strangers_welcome(locked: InProcess) -> None:
    bearer = f"Bearer {TOKEN}"
    assert (await locked.get("/api/state", Authorization=bearer, Host="evil.example")).status_code == 403
    assert (await locked.get("/api/state", Authorization=bearer, Origin="http://evil.example")).status_code == 403
    assert (await locked.client.post("/api/state", headers={"Authorization": bearer})).status_code == 405


@pytest.mark.parametrize("path", ["/page/../serving.py", "/page/%2e%2e%2fserving.py", "/page/.hidden.js", "/page/"])
async def test_only_files_of_the_page_are_served(page: InProcess, path: str) -> None:
    request = httpx.Request("GET", ADDRESS)
    request.url = request.url.copy_with(raw_path=path.encode())
    assert (await page.client.send(request)).status_code == 404


@pytest.mark.parametrize(
    "query", ["group=x", "offset=200", "offset=-1", "offset=1e9", "offset=9" * 30, "group=&offset=²"]
)
async def test_views_that_do_not_exist(page: InProcess, query: str) -> None:
    for path in ("/api/state", "/api/layout", "/api/history", "/api/stream"):
        response = await page.get(f"{path}?{query}")
        assert response.status_code == 404
        assert "there is no such group" in response.json()["error"]


@pytest.mark.parametrize("begins", [False, True])
async def test_what_fails_behind_it_goes_no_further(begins: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The client hears that it failed, if there is still time to say so; the log says why."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401, ASYNC124 - as ASGI has it
        sent.append(message)

    async def receive() -> Any:  # noqa: ANN401, ASYNC124 - as ASGI has it
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")], "query_string": b""}
    await Guard(fails, frozenset({"localhost"}))(scope, receive, send)
    assert sent[0]["status"] == (200 if begins else 500)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("orchestra_trio.dashboard", logging.ERROR)
    assert "ZeroDivisionError" in caplog.text


async def test_web_sockets_are_refused() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401, ASYNC124 - as ASGI has it
        sent.append(message)

    async def never(*_: object) -> Any:  # noqa: ANN401, ASYNC124 - as ASGI has it
        raise AssertionError

    guard = Guard(never, frozenset())
    await guard({"type": "websocket", "path": "/"}, never, send)
    await guard({"type": "lifespan"}, never, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_nothing_secret_is_shown_by_repr() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    guard = Guard(app, frozenset(), token=TOKEN)
    assert TOKEN not in repr(guard)
    assert guard.session not in repr(guard)
