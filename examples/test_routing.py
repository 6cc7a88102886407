"""A state machine that plays with an orchestra: hypothesis decides what comes in, when, and in which order tasks run.

Run it with `pytest examples/test_routing.py`. The orchestra is a bank of two subsystems, whose books must agree.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, NamedTuple, Never

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from orchestra_trio import OneshotSender, Orchestra, Restart, Subsystem, SubsystemContext, subsystem
from orchestra_trio.testing import RoutingMachine

NAMES = ["ann", "bob", "cleo"]


class Pay(NamedTuple):
    """Somebody pays somebody."""

    payer: str
    payee: str
    cents: int


class Book(NamedTuple):
    """An entry in the ledger."""

    name: str
    cents: int


class Balance(NamedTuple):
    """Somebody asks what is in an account."""

    reply: OneshotSender[int]
    name: str


class Audit(NamedTuple):
    """The ledger is to be looked through."""


async def clerk(ctx: SubsystemContext[Pay, Book]) -> None:
    """Turn each payment into two entries, which reach the ledger one after the other."""
    async for payment in ctx:
        await ctx.send_many([Book(payment.payer, -payment.cents), Book(payment.payee, payment.cents)])


class Ledger:
    """Keeps the accounts, in a table that outlives it."""

    def __init__(self, accounts: Counter[str]) -> None:
        """Keep them in this table."""
        self.accounts = accounts
        self.audits = 0

    async def __call__(self, ctx: SubsystemContext[Book | Balance, Never, Audit]) -> None:
        """Serve until the input ends."""
        async for incoming in ctx:
            match incoming:
                case Book(name, cents):
                    self.accounts[name] += cents
                case Balance(reply, name):
                    reply.send(self.accounts[name])
                case Audit():
                    self.audits += 1


class Bank(Orchestra[Audit], message_capacity=2):
    """A clerk who writes, and a ledger."""

    clerk: Subsystem[Pay, Book] = subsystem(restart=Restart(max_restarts=3, within=60))
    ledger: Subsystem[Book | Balance, Never, Audit]


class BankMachine(RoutingMachine):
    """Pays, audits, restarts the clerk, closes and opens; that the laws hold is looked at without being asked."""

    messages: ClassVar = st.builds(Pay, st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 100))
    signals: ClassVar = st.builds(Audit)

    def hold(self) -> Bank:
        """Return a bank without money."""
        self.accounts: Counter[str] = Counter()
        return Bank(clerk=clerk, ledger=Ledger(self.accounts))

    @rule(name=st.sampled_from(NAMES))
    def ask(self, name: str) -> None:
        """The ledger answers from the table, which does not change while all rest."""
        if self.is_open:
            self.let_work(0)
            assert self.request(Balance, name) == self.accounts[name]

    @rule()
    def count(self) -> None:
        """When all is quiet, what one has lost another has won, but for what was cut short."""
        if self.is_open:
            self.let_work(10)
            assert self.accounts.total() == 0

    @invariant()
    def nothing_comes_from_nowhere(self) -> None:
        """Between the two entries of a payment, only the payer's is booked."""
        if self.is_open:
            assert self.accounts.total() <= 0


TestBank = BankMachine.TestCase
TestBank.settings = settings(stateful_step_count=20, deadline=None)
