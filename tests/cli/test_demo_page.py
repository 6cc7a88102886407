"""The demo on a live page, as a process."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import IO, TYPE_CHECKING
from urllib.request import urlopen

import pytest

from orchestra_trio.cli import main
from tests.cli.test_command import folder, long_work, run, start

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder", "long_work"]  # fixtures


def url_from(output: IO[str] | None) -> str:
    """Read what the demo prints until it says where the page is."""
    assert output is not None
    for line in output:
        found = re.fullmatch(r"live page: (http://127\.0\.0\.1:\d+/)\n", line)
        if found is not None:
            return found[1]
    pytest.fail("no page was named")


def ask(url: str) -> dict[str, object]:
    with urlopen(f"{url}api/state") as response:  # noqa: S310 - of this machine
        state: dict[str, object] = json.load(response)
        return state


def read_until(output: IO[str] | None, wanted: str) -> str:
    """Read what is printed until there is a line with this."""
    assert output is not None
    lines: list[str] = []
    for line in output:
        lines.append(line)
        if wanted in line:
            break
    return "".join(lines)


def test_it_stays_until_ctrl_c(folder: Path) -> None:
    """With all that came of the work printed before; and that it is ended then is no failure."""
    with start("demo", folder, "--dashboard") as process:
        url = url_from(process.stdout)
        output = read_until(process.stdout, "the live page stays until Ctrl-C")
        assert "\nmeters\n" in output
        assert re.search(r"query '\w+': 1 file\n", output)
        state = ask(url)
        assert (state["name"], state["ended"]) == ("Indexing", True)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
        assert (process.returncode, rest, errors) == (0, "", "")


def test_it_shows_the_work_and_ends_with_it(long_work: Path) -> None:
    with start("demo", long_work, "--dashboard") as process:
        state = ask(url_from(process.stdout))
        assert not state["ended"]
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
        assert (process.returncode, errors) == (130, "")
        assert "stays" not in output


def test_a_port_that_is_in_use(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, errors = run("demo", folder, "--dashboard", "--dashboard-port", str(port))
    assert status == 1
    assert f"the live page cannot listen at 127.0.0.1, port {port}: " in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("port", ["x", "-1", "65536", ""])
def test_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--dashboard", f"--dashboard-port={port}"])
    assert caught.value.code == 2
    assert "is no port" in capsys.readouterr().err


def test_without_the_extra(folder: Path) -> None:
    code = (
        "import sys; sys.modules['starlette'] = None; from orchestra_trio.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with start("demo", folder, "--dashboard", program=("-c", code)) as process:
        _, errors = process.communicate()
    assert process.returncode == 2
    assert "pip install 'orchestra-trio[dashboard]'" in errors
