"""Check the built wheel: what is in it, and that it works with the core dependencies alone.

Usage: python .ci/check_wheel.py dist/NAME.whl
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

PROGRAM = """
import orchestra_trio

for name in orchestra_trio.__all__:
    getattr(orchestra_trio, name)
print(len(orchestra_trio.__all__), "public names from", orchestra_trio.__file__)
"""


def faults(wheel: Path) -> list[str]:
    """Return what the wheel lacks, and what it should not have."""
    names = zipfile.ZipFile(wheel).namelist()
    metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
    licences = f"{metadata.removesuffix('METADATA')}licenses/"
    page = Path(__file__).parent.parent / "orchestra_trio" / "dashboard" / "page"
    wanted = [
        "orchestra_trio/py.typed",
        *(licences + name for name in ("LICENSE", "LICENSE-MIT", "LICENSE-APACHE")),
        *(f"orchestra_trio/dashboard/page/{file.name}" for file in sorted(page.iterdir()) if file.is_file()),
    ]
    found = [f"lacks {name}" for name in wanted if name not in names]
    found += [f"should not hold {name}" for name in names if name.split("/")[0] in {"tests", "benchmarks", "examples"}]
    return found


def use_bare(wheel: Path) -> None:
    """Install the wheel without any extra, away from the checkout, and use it."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        for arguments in (
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel.resolve())],
            ["-W", "error", "-c", PROGRAM],
            ["-W", "error", "-m", "orchestra_trio", "--help"],
        ):
            subprocess.run([python, *arguments], check=True, cwd=folder)  # noqa: S603 - our own interpreter


def main() -> None:
    """Exit with status 1 and say why, where something is wrong."""
    wheel = Path(sys.argv[1])
    if found := faults(wheel):
        sys.exit(f"{wheel}: {'; '.join(found)}")
    try:
        use_bare(wheel)
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{wheel}: failed without extras: {failed}")
    print(f"{wheel}: complete, and works without extras")


main()
