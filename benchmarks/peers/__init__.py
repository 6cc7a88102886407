"""What the peers do: the same messages, capacity and count as ours, through their public interface.

Each uses the calls that are fastest for the work as it is put: it sends and receives in plain loops, without iterators
or comprehensions around a call, as ours does. Where a peer cannot do quite the same, its function says so.

What no channel or queue does by itself, and ours does for each message of each work, is left out in all of them: to
find the consumer by the message's type, to keep four lanes in order, to count, and to sample times of flight. The
channels are wired by hand, and every task holds the very ends that it needs.

A module for each family: `trio_channels` and `asyncio_queues` have, each in two modules, all the works that ours have;
`anyio_streams`, `actors` and `threads` only those for which they are made.

Not here is thespian: where its actors share a process, `tell` returns once the message was handled, and nothing waits
in line; where they do not, every message goes to another process, which none of ours does.
"""
