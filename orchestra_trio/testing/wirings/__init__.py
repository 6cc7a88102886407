"""Whole wirings under test: random topologies, loads for any orchestra, and a state machine that plays with one."""
