"""What all tests share: hypothesis profiles, and which package is under test."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import hypothesis

import orchestra_trio

ROOT = Path(__file__).resolve().parent.parent

# Tests import what lies beside them as `tests.…`. Appended, never put in front: the package under test is the installed
# one, which for a wheel is not the folder of the checkout.
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

# Without deadlines: how long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=100)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=10_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


# Whoever starts the tests in the background may have them ignore these, and so would all processes that they start; but
# what these signals do is tested.
for _ignored, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_ignored) is signal.SIG_IGN:
        signal.signal(_ignored, _usual)


def pytest_report_header() -> str:
    """Say which copy of the package is tested."""
    return f"orchestra_trio: {Path(orchestra_trio.__path__[0])}"
