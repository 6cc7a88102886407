"""A node of a blockchain network in the manner of Polkadot: 25 subsystems, real routing among them, stubs of work.

It shows how an orchestra of that size is declared, split into files, and run; the graph of its wiring is the example of
a large picture. Run it with `python -m examples.network_node`.
"""

from examples.network_node.program import make_node, run_node
from examples.network_node.wiring import NetworkNode

__all__ = ["NetworkNode", "make_node", "run_node"]
