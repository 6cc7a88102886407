"""Orchestras of subsystems for trio: typed messages, metered lanes, signals that overtake, ordered endings."""
