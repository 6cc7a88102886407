"""Property-testing of subsystems and wirings: harness, schedules, traces, faults. Needs the extra `testing`."""
