"""Benchmarks of orchestra_trio against its peers: `python -m benchmarks [--quick] [--json FILE]`.

A figure is a ratio: how many times the peer's throughput is ours, on the same work in the same run. How they are
measured is in `harness`; the works, with their peers and goals, are in `works`; what the peers do is in `peers`.
To add one, write a function that does the work `count` times and returns the seconds it took, and list it in
`works.WORKS`.

Layers, each importing only from those before it: `harness` and `workload`; `peers`; `works`; `child` and `report`;
`soak`; `__main__`. `python -m benchmarks soak` measures nothing: it loads an orchestra for as long as it is told, and
checks that its numbers add up; see `soak`.
"""
