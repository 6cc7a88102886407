"""`python -m orchestra_trio` is the command `orchestra-trio`."""

import sys

from orchestra_trio.cli import main

if __name__ == "__main__":
    sys.exit(main())
