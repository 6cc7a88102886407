"""One subsystem against a test: `open_harness`, and what it can expect."""
