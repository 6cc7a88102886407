"""The tasks of a running orchestra: contexts, routing, signals, opening, drain and stop."""
