"""The soak: `python -m benchmarks soak [--seconds 60] [--seed N] [--rounds R]`. Nothing is measured here but growth.

In round after round an orchestra is opened, loaded with random traffic, and ended in one of all ways there are; then
its own numbers are held against what its subsystems have counted themselves. The wiring has cycles, blocking
subsystems, workers, restarts, requests and broadcasts; steps of it are cancelled all the while.

Layers, each importing only from those before it: `messages`; `ledger`; `audit` and `traffic`; `members` and
`threads`; `storm`; `plan`; `rounds`; `growth` and `watching`; `report`; `command`.
"""
