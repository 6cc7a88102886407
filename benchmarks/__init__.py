"""Benchmarks of orchestra_trio against its peers: `python -m benchmarks [--quick] [--json FILE]`.

There are three kinds of figures, see `harness.kinds`; how they are measured is in `harness`. What is measured, with its
peers and goals, is in `works`; what the peers do is in `peers`. To add a figure, write a function that does the work
`count` times and returns the seconds it took, and list it in the `WORKS`, `GROWTHS` or `QUANTITIES` of its module in
`works`; `works` collects those of its modules.

Layers, each importing only from those before it: `harness` and `workload`; `peers`; `works`; `child` and `report`;
`soak`; `__main__`. `python -m benchmarks soak` measures nothing: it loads an orchestra for as long as it is told, and
checks that its numbers add up; see `soak`.
"""
