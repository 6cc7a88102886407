"""Benchmarks of orchestra_trio against its peers: `python -m benchmarks`; see `__main__` for what it can be told.

There are three kinds of figures, see `harness.kinds`:

* a `Work` is throughput, as a ratio to peers that do the same work in the same run;
* a `Growth` is one thing at several sizes, which should cost the same at each;
* a `Quantity` is what is neither: percentiles of waiting times, bytes.

To add a figure, write a function that does the thing as many times as it is told, or of such a size, and returns what
its kind asks for. List it in the `WORKS`, `GROWTHS` or `QUANTITIES` of the module in `works` whose traffic is like it;
`works` collects those of its modules. What a peer does goes into the module of its family in `peers`. Everything else
follows from the list: the tables, `--json`, `--compare`, and the pictures.

Rooms, each importing only from those before it:

* `harness`: what may be measured, measuring it in turns, and comparing; pure but for the clock;
* `workload`: messages and the like that ours and the peers have in common;
* `peers`, then `works`: what is measured;
* `child`: a process that measures; `report`: what is made of a run, printed, stored, compared with another, drawn;
* `counts`: counts what fixed runs cost, and compares that with stored figures: `python -m benchmarks.counts`;
* `soak`: measures nothing, but loads an orchestra for as long as it is told, and checks that its numbers add up;
* `__main__`: the command.
"""
