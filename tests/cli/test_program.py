"""The orchestra of the demo, run on folders; and how it is interrupted."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import attrs
import pytest
import trio
import trio.testing

from orchestra_trio.cli.demo import tokenizer as tokenizer_module
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.display import PlainDisplay
from orchestra_trio.cli.demo.messages import Answer, Entry, Skipped, Totals
from orchestra_trio.cli.demo.program import Outcome, Work, index_folder
from orchestra_trio.cli.demo.wiring import Indexing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from orchestra_trio import OrchestraStatistics

MANY = 2000
"""Files: far more than all lanes together hold."""


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database.open(None)) as database:
        yield database


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of many files, which are all the same one."""
    folder = tmp_path / "many"
    folder.mkdir()
    first = folder / "0"
    first.write_text("the same words\n", "utf-8")
    for number in range(1, MANY):
        (folder / str(number)).hardlink_to(first)
    return folder


async def index(work: Work, database: Database, *signals: int) -> Outcome:
    """Index with signals that come before anything else."""
    sender, interrupts = trio.open_memory_channel[int](9)
    for number in signals:
        sender.send_nowait(number)
    return await index_folder(work, database, PlainDisplay(), interrupts)


def test_wiring_has_no_cycle() -> None:
    """So nothing in it can wait for itself, and it drains from the walker to the reporter."""
    graph = Indexing.graph()
    order = ["walker", "reader", "tokenizer", "index", "reporter"]
    assert [name for component in graph.components for name in component] == order
    assert not any(graph.is_cyclic(component) for component in graph.components)


async def test_folder_is_indexed(tmp_path: Path, database: Database) -> None:
    """All files in it, below as well, are in the index or named."""
    files = {"a.txt": b"some words\n", "sub/ünï.txt": b"words, words", "empty": b"", "sub/x.bin": b"\0"}
    (tmp_path / "sub" / "ignored").mkdir(parents=True)
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "sub" / "ignored" / "y.txt").write_text("other words", "utf-8")

    work = Work(folder=tmp_path, questions=("words", "other"), ignored=frozenset({"ignored"}))
    outcome = await index(work, database)

    assert outcome.totals is not None
    assert attrs.evolve(outcome.totals, skipped=()) == Totals(files=3, tokens=4, size=23)
    assert set(outcome.totals.skipped) == {
        Skipped(tmp_path / "sub" / "x.bin", "binary"),
        Skipped(tmp_path / "sub" / "loop", "symbolic link"),
    }
    words, other = outcome.answers
    assert {hit.path for hit in words.hits} == {tmp_path / "a.txt", tmp_path / "sub" / "ünï.txt"}
    assert other.matches == 0
    assert outcome.interrupted_by is None
    assert not outcome.statistics.dead_letters


async def test_question_is_made_up(tmp_path: Path, database: Database) -> None:
    """Where none is asked, it asks for something that is there."""
    (tmp_path / "file").write_text("interesting", "utf-8")
    [answer] = (await index(Work(folder=tmp_path, questions=(None,)), database)).answers
    assert answer.question == "interesting"
    assert answer.matches == 1


@pytest.mark.parametrize("limit", [1, MANY - 1, MANY + 1])
async def test_limit(many: Path, database: Database, limit: int) -> None:
    outcome = await index(Work(folder=many, questions=(), limit=limit), database)
    assert outcome.totals is not None
    assert outcome.totals.files == min(limit, MANY) == len(database.paths())


@pytest.mark.parametrize("readers", [1, 50])
async def test_number_of_readers(many: Path, database: Database, readers: int) -> None:
    """It changes nothing but the speed."""
    outcome = await index(Work(folder=many, questions=(), limit=100, readers=readers), database)
    assert outcome.totals is not None
    assert outcome.totals.files == 100


async def test_long_text_is_tokenized_in_slices(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are the same; one line is as good as many."""
    monkeypatch.setattr(tokenizer_module, "SLICE", 10)
    (tmp_path / "file").write_text("word " * 5000 + "last", "utf-8")
    outcome = await index(Work(folder=tmp_path, questions=("last",)), database)
    assert outcome.totals is not None
    assert outcome.totals.tokens == 5001
    assert outcome.answers[0].matches == 1


async def test_progress_is_shown(many: Path, database: Database) -> None:
    """It counts up, and never beyond what there is."""
    seen: list[int] = []

    class Watching(PlainDisplay):
        def show_progress(self, totals: Totals, statistics: OrchestraStatistics) -> None:
            seen.append(totals.files)

    _sender, interrupts = trio.open_memory_channel[int](1)
    work = Work(folder=many, questions=(), interval=0.001)
    await index_folder(work, database, Watching(), interrupts)
    assert seen
    assert seen == sorted(seen)
    assert seen[-1] <= MANY


async def test_interrupt_before_the_walk(many: Path, database: Database) -> None:
    """Nothing is found then; the rest is as ever."""
    outcome = await index(Work(folder=many, questions=("words",)), database, signal.SIGINT)
    assert outcome.interrupted_by == signal.SIGINT
    assert outcome.totals == Totals()
    assert [answer.matches for answer in outcome.answers] == [0]


def test_index_alone_has_a_thread_of_its_own() -> None:
    """It is where the database blocks."""
    slots = Indexing.__declaration__.slots.values()
    assert [slot.name for slot in slots if slot.blocking] == ["index"]


class Calling(Database):
    """Calls something, in the trio thread, in the middle of its first transaction."""

    hook: Callable[[], object] | None = None

    def add(self, entries: Sequence[Entry]) -> None:
        super().add(entries)
        if self.hook is not None:
            hook, self.hook = self.hook, None
            trio.from_thread.run_sync(hook)


async def test_interrupt_in_the_middle(many: Path) -> None:
    """What was found is indexed, and answers are about that."""
    sender, interrupts = trio.open_memory_channel[int](1)
    with closing(Calling.open(None)) as database:
        database.hook = lambda: sender.send_nowait(signal.SIGTERM)
        outcome = await index_folder(Work(folder=many, questions=("words",)), database, PlainDisplay(), interrupts)
        assert outcome.interrupted_by == signal.SIGTERM
        assert outcome.totals is not None
        assert 0 < outcome.totals.files == len(database.paths()) < MANY
        assert [answer.matches for answer in outcome.answers] == [outcome.totals.files]
    assert not outcome.statistics.dead_letters


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="the system has no such signal")
async def test_signal_that_asks_where_everything_stands(many: Path) -> None:
    """It is told, and the work goes on."""
    sender, signals = trio.open_memory_channel[int](1)
    shown: list[str] = []

    class Watching(PlainDisplay):
        def show_standing(self, standing: str) -> None:
            shown.append(standing)

    with closing(Calling.open(None)) as database:
        database.hook = lambda: sender.send_nowait(signal.SIGUSR1)
        outcome = await index_folder(Work(folder=many, questions=("words",)), database, Watching(), signals)
    [standing] = shown
    for name in Indexing.__declaration__.slots:
        assert f"\n{name}: running" in standing
    assert outcome.interrupted_by is None
    assert outcome.totals is not None
    assert outcome.totals.files == MANY
    assert [answer.matches for answer in outcome.answers] == [MANY]


async def test_second_interrupt(many: Path) -> None:
    """It ends at once; what was written is in the index, and what was not is counted."""
    sender, interrupts = trio.open_memory_channel[int](2)

    def interrupt_twice() -> None:
        sender.send_nowait(signal.SIGINT)
        sender.send_nowait(signal.SIGINT)

    with closing(Calling.open(None)) as database:
        database.hook = interrupt_twice
        outcome = await index_folder(Work(folder=many, questions=("words",)), database, PlainDisplay(), interrupts)
        assert 0 < len(database.paths()) < MANY
    assert outcome.interrupted_by == signal.SIGINT
    assert outcome.totals is None
    assert outcome.answers == ()


async def test_second_interrupt_while_questions_are_answered(many: Path) -> None:
    """The answer in hand is the last one: who has no more patience need not wait for the others."""
    sender, interrupts = trio.open_memory_channel[int](2)
    token = trio.lowlevel.current_trio_token()
    asked: list[str] = []

    async def interrupt_twice() -> None:
        sender.send_nowait(signal.SIGINT)
        sender.send_nowait(signal.SIGINT)
        await trio.testing.wait_all_tasks_blocked()

    class Asked(Database):
        def search(self, question: str, limit: int) -> Answer:
            asked.append(question)
            trio.from_thread.run(interrupt_twice, trio_token=token)  # not in a task that they cancel
            return super().search(question, limit)

    with closing(Asked.open(None)) as database:
        work = Work(folder=many, questions=("words", "same"), limit=1)
        outcome = await index_folder(work, database, PlainDisplay(), interrupts)
    assert asked == ["words"]
    assert outcome.answers == ()


async def test_error_in_the_database(many: Path) -> None:
    """It stops everything, and says where it came from."""

    def fail() -> None:
        raise sqlite3.OperationalError("disk full")

    with closing(Calling.open(None)) as database:
        database.hook = fail
        with pytest.RaisesGroup(pytest.RaisesExc(sqlite3.OperationalError, match="disk full")):
            await index(Work(folder=many, questions=()), database)
