"""What Pipeline declares: its wiring as resolved, and its builder with types."""

from collections.abc import Callable, Collection
from typing import Generic, Never, Self, TypeAlias, TypeVar

import type_tests.wiring
from orchestra_trio import Connector, MeteredSender, Orchestra, Subsystem, subsystem

_fetcher_T = TypeVar("_fetcher_T")
_parser_T = TypeVar("_parser_T")
_store_T = TypeVar("_store_T")
_clock_T = TypeVar("_clock_T")
_db_path_T = TypeVar("_db_path_T")

class Missing: ...

class Given: ...

_fetcher: TypeAlias = Subsystem[type_tests.wiring.Fetch, type_tests.wiring.Parse | type_tests.wiring.Audit, type_tests.wiring.Tick]
_parser: TypeAlias = Subsystem[type_tests.wiring.Parse, type_tests.wiring.Store | type_tests.wiring.Lookup]
_store: TypeAlias = Subsystem[type_tests.wiring.Store | type_tests.wiring.Lookup, Never, type_tests.wiring.Tick]
_clock: TypeAlias = Subsystem[Never, type_tests.wiring.Fetch]
_later: TypeAlias = Subsystem[type_tests.wiring.Audit]


class Pipeline(Orchestra[type_tests.wiring.Tick, type_tests.wiring.Imported]):
    # message_capacity: 64 (set)
    # signal_capacity: 64
    # event_capacity: 64
    # signal_timeout: 10
    # message_timeout: 10
    # error: None
    # outgoing: 
    # unconsumed: 'error'
    # unsent: 'allow'
    # on_deadlock: 'error'
    # yield_every: 64

    # sends Parse to parser (bounded)
    # sends Audit to later (bounded)
    # consumes Fetch, from clock
    # lanes: bounded 64, unbounded, signals 64
    # strategy: Weighted()
    fetcher: _fetcher

    # sends Store to store (bounded)
    # sends Lookup to store (bounded)
    # consumes Parse, from fetcher
    # lanes: bounded 64, priority 64, unbounded, signals 64
    # strategy: Weighted()
    parser: _parser

    # consumes Store, from parser
    # consumes Lookup, from parser
    # lanes: bounded 64, unbounded, signals 64
    # strategy: Weighted()
    store: _store

    # sends Fetch to fetcher (bounded)
    # lanes: bounded 64, unbounded, signals 64
    # strategy: Weighted()
    clock: _clock

    # consumes Audit, from fetcher
    # lanes: bounded 64, unbounded, signals 64
    # strategy: Weighted()
    later: _later = subsystem(wip=True)

    db_path: str

    @classmethod
    def builder(cls) -> PipelineBuilder[Missing, Missing, Missing, Missing, Missing]: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]


class PipelineBuilder(Generic[_fetcher_T, _parser_T, _store_T, _clock_T, _db_path_T]):
    def fetcher(self: PipelineBuilder[Missing, _parser_T, _store_T, _clock_T, _db_path_T], subsystem: _fetcher, /) -> PipelineBuilder[Given, _parser_T, _store_T, _clock_T, _db_path_T]: ...
    def fetcher_with(self: PipelineBuilder[Missing, _parser_T, _store_T, _clock_T, _db_path_T], make: Callable[[MeteredSender[type_tests.wiring.Imported]], _fetcher], /) -> PipelineBuilder[Given, _parser_T, _store_T, _clock_T, _db_path_T]: ...
    def replace_fetcher(self: PipelineBuilder[Given, _parser_T, _store_T, _clock_T, _db_path_T], change: Callable[[_fetcher], _fetcher], /) -> PipelineBuilder[Given, _parser_T, _store_T, _clock_T, _db_path_T]: ...
    def parser(self: PipelineBuilder[_fetcher_T, Missing, _store_T, _clock_T, _db_path_T], subsystem: _parser, /) -> PipelineBuilder[_fetcher_T, Given, _store_T, _clock_T, _db_path_T]: ...
    def parser_with(self: PipelineBuilder[_fetcher_T, Missing, _store_T, _clock_T, _db_path_T], make: Callable[[MeteredSender[type_tests.wiring.Imported]], _parser], /) -> PipelineBuilder[_fetcher_T, Given, _store_T, _clock_T, _db_path_T]: ...
    def replace_parser(self: PipelineBuilder[_fetcher_T, Given, _store_T, _clock_T, _db_path_T], change: Callable[[_parser], _parser], /) -> PipelineBuilder[_fetcher_T, Given, _store_T, _clock_T, _db_path_T]: ...
    def store(self: PipelineBuilder[_fetcher_T, _parser_T, Missing, _clock_T, _db_path_T], subsystem: _store, /) -> PipelineBuilder[_fetcher_T, _parser_T, Given, _clock_T, _db_path_T]: ...
    def store_with(self: PipelineBuilder[_fetcher_T, _parser_T, Missing, _clock_T, _db_path_T], make: Callable[[MeteredSender[type_tests.wiring.Imported]], _store], /) -> PipelineBuilder[_fetcher_T, _parser_T, Given, _clock_T, _db_path_T]: ...
    def replace_store(self: PipelineBuilder[_fetcher_T, _parser_T, Given, _clock_T, _db_path_T], change: Callable[[_store], _store], /) -> PipelineBuilder[_fetcher_T, _parser_T, Given, _clock_T, _db_path_T]: ...
    def clock(self: PipelineBuilder[_fetcher_T, _parser_T, _store_T, Missing, _db_path_T], subsystem: _clock, /) -> PipelineBuilder[_fetcher_T, _parser_T, _store_T, Given, _db_path_T]: ...
    def clock_with(self: PipelineBuilder[_fetcher_T, _parser_T, _store_T, Missing, _db_path_T], make: Callable[[MeteredSender[type_tests.wiring.Imported]], _clock], /) -> PipelineBuilder[_fetcher_T, _parser_T, _store_T, Given, _db_path_T]: ...
    def replace_clock(self: PipelineBuilder[_fetcher_T, _parser_T, _store_T, Given, _db_path_T], change: Callable[[_clock], _clock], /) -> PipelineBuilder[_fetcher_T, _parser_T, _store_T, Given, _db_path_T]: ...
    def db_path(self, value: str, /) -> PipelineBuilder[_fetcher_T, _parser_T, _store_T, _clock_T, Given]: ...
    def message_channel_capacity(self, capacity: int) -> Self: ...
    def signal_channel_capacity(self, capacity: int) -> Self: ...
    def features(self, features: Collection[str]) -> Self: ...
    def build(self: PipelineBuilder[Given, Given, Given, Given, Given]) -> Pipeline: ...
    def build_with_connector(self: PipelineBuilder[Given, Given, Given, Given, Given], connector: Connector[type_tests.wiring.Imported]) -> Pipeline: ...
