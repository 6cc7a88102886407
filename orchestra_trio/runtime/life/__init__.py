"""One subsystem while it lives: its main task and its jobs, how they fail, and how they begin anew."""
