"""A check that the library has become no dearer: `python -m benchmarks.counts`, see its `--help`.

Fixed runs (`runs`) are counted, not timed, and compared with stored figures; past +5 % it fails (+10 % for instructions
that were stored with another build of the interpreter). So it says the same on a noisy machine. Four things are counted
for one unit of a run, say one message:

* bytecodes, and calls of Python functions and of C functions, by the interpreter's own hooks. For one minor version of
  Python and one version of trio they are the same on every machine, to the last one: the runs are made on trio's mock
  clock, which stands still (on the real one, a context lets others run after each millisecond), the source of chance
  by which trio orders tasks is seeded, and there are no threads;
* instructions of the processor, where valgrind is installed; they see also what happens within C functions. As a ratio
  to those of a yardstick of plain Python, since they depend on how the interpreter was built. Between processes they
  move by up to 1 %, with the addresses of what is hashed by its address; between two builds of Python 3.11 (with -O2
  and -O3) the ratios differ by up to 4 %, between minor versions by up to 12 %.

Layers, each importing only from those before it: `runs`; `counters`; `child`; `callgrind`; `figures`; `comparing`;
`report`; `__main__`. The stored figures lie in `stored`, one file for each minor version of Python.
"""
