"""Do threads run side by side? Two threads that map, against one that maps all: JSON, both on one mapper.

python benches/threads.py         prints a table, in about twenty seconds
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Literal, get_args

import exports
import tables

import spanmap

THREADS = 2
# A round is long enough that starting threads does not count.
ROUND_SECONDS = 0.1
ROUNDS = 15
Compat = Literal["best", "posthog"]


@dataclass(frozen=True)
class Measured:
    """How many times as much two threads map as one, in each round."""

    export: str
    compat: Compat
    ratios: list[float]


def measure(export: str, compat: Compat) -> Measured:
    body, mapper = exports.read(export), spanmap.Mapper(compat=compat)
    mapper.map_traces_json(body)
    calls = max(1, round(ROUND_SECONDS / _seconds(lambda: mapper.map_traces_json(body)) / THREADS))

    def work(times: int) -> None:
        for _ in range(times):
            mapper.map_traces_json(body)

    def side_by_side() -> None:
        threads = [Thread(target=work, args=(calls,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    one_after_the_other = (_seconds(lambda: work(THREADS * calls)) for _ in range(ROUNDS))
    return Measured(export, compat, [alone / _seconds(side_by_side) for alone in one_after_the_other])


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def measure_all() -> list[Measured]:
    """Both exports in both modes."""
    return [measure(export, compat) for export in exports.EXPORTS for compat in get_args(Compat)]


def table(measured: list[Measured]) -> str:
    """A row for each export and mode. The best round is the one that other programs disturbed least."""
    rows = [
        [f"{row.export}, {row.compat}", f"{statistics.median(row.ratios):.2f}", f"{max(row.ratios):.2f}"]
        for row in measured
    ]
    return tables.table(["", f"{THREADS} threads, times one: median", "best round"], rows)


def main() -> None:
    print(table(measure_all()))


if __name__ == "__main__":
    main()
