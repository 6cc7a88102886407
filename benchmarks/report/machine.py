"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OWN_PACKAGE", "Machine", "describe_machine"]

OWN_PACKAGE: Final = "orchestra-trio"


@attrs.frozen
class Machine:
    """What the figures were measured on."""

    cpu: str
    cores: int
    system: str
    python: str
    packages: dict[str, str]

    def __str__(self) -> str:
        """One line; asyncio is as old as the Python that it comes with."""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return f"{self.cpu}, {self.cores} cores, {self.system}; {self.python} (and its asyncio); {packages}"


def describe_machine(peers: Iterable[str] = ()) -> Machine:
    """Say what this machine is, as far as it tells, with the versions of our packages and of those of the peers."""
    names = dict.fromkeys([OWN_PACKAGE, "trio", *peers])
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages={name: found for name in names if (found := _version(name)) is not None},
    )


def _cpu_model() -> str:
    """Return the model where Linux tells it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine() or "unknown processor"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
