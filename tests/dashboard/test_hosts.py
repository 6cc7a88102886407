"""Which names a request may use, and which origins are the server's own."""

from __future__ import annotations

import pytest

from orchestra_trio.dashboard.hosts import Authority, is_loopback, is_same_origin, own_names, read_authority


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost", "localhost", None),
        ("LocalHost:8000", "localhost", 8000),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("[::1]:9", "::1", 9),
        ("[0:0:0:0:0:0:0:1]", "::1", None),
        ("a-b.example.org", "a-b.example.org", None),
    ],
)
def test_authorities(text: str, host: str, port: int | None) -> None:
    assert read_authority(text) == Authority(host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":80", "a b", "a,b", "user@host", "host:", "host:x", "host:123456", "http://host", "::1", "host/", "é", "a\n"],
)
def test_what_is_no_authority(text: str) -> None:
    assert read_authority(text) is None


def test_own_names_are_the_address_this_machine_and_what_was_allowed() -> None:
    names = own_names("192.168.0.7", ["Box.example.org", "[::2]"])
    assert names == {"192.168.0.7", "localhost", "127.0.0.1", "::1", "box.example.org", "::2"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("10.0.0.1", False)],  # noqa: S104 - only looked at
)
def test_loopback(address: str, *, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8000", True),
        ("HTTPS://LOCALHOST:8000", True),
        ("http://localhost", False),
        ("http://localhost:8001", False),
        ("http://127.0.0.1:8000", False),
        ("http://evil.example:8000", False),
        ("http://localhost:8000.evil.example", False),
        ("http://localhost:8000@evil.example", False),
        ("file://localhost:8000", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins(origin: str, *, expected: bool) -> None:
    assert is_same_origin(origin, Authority("localhost", 8000)) is expected


@pytest.mark.parametrize(
    ("origin", "port", "expected"),
    [
        ("http://host", None, True),
        ("http://host:80", None, True),
        ("http://host", 80, True),
        ("https://host", 443, True),
        ("https://host", None, True),
        ("https://host", 80, False),
    ],
)
def test_default_ports(origin: str, port: int | None, *, expected: bool) -> None:
    """Of whichever scheme the origin has: a proxy before the server may speak the other one."""
    assert is_same_origin(origin, Authority("host", port)) is expected
