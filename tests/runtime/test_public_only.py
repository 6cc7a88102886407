"""The fallback to trio's public interface: whatever it does otherwise inside, the same must come of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE

HERE = Path(__file__).resolve().parent


@pytest.mark.skipif(not PRIVATE_IN_USE, reason="it is the public interface that is in use")
def test_rest_and_receiving_are_the_same_with_the_public_interface_alone() -> None:
    """The tests in which the two differ inside pass in a process of their own without it."""
    environment = os.environ | {
        "ORCHESTRA_TRIO_PUBLIC_ONLY": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    names = (
        "watch/test_rest.py",
        "watch/test_rest_tasks.py",
        "watch/test_deadlock.py",
        "watch/test_deadlock_sound.py",
        "watch/test_deadlock_tasks.py",
        "contexts/test_context.py",
        "life/test_live.py",
    )
    files = [HERE / name for name in names]
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, files)]
    done = subprocess.run(
        command, env=environment, cwd=HERE.parent.parent, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout
