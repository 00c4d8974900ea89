"""Times functions in alternating rounds, so that whatever the machine does meets all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Contestants = Mapping[str, Callable[[], object]]

# A sample is long enough that neither reading the clock counts, nor that the collector has emptied the caches.
MIN_SAMPLE_NANOS = 5_000_000
MIN_ROUNDS = 10


def run_rounds(contestants: Contestants, *, seconds: float, min_rounds: int = MIN_ROUNDS) -> dict[str, list[int]]:
    """Nanoseconds of one call, by contestant and round.

    Each round begins with another contestant. The cyclic garbage collector stays on, as it does in a server, and runs
    before each sample; freeing the result belongs to the call. Where a call is shorter than five milliseconds, a
    sample is the mean of as many calls as fill them.

    Args:
        contestants: What to time, by name.
        seconds: How long to go on.
        min_rounds: How many rounds are run at least, however long they take.
    """
    names = list(contestants)
    calls = {name: _calls_of_a_sample(contestants[name]) for name in names}
    nanos: dict[str, list[int]] = {name: [] for name in names}
    end = time.perf_counter() + seconds
    number = 0
    while number < min_rounds or time.perf_counter() < end:
        for turn in range(len(names)):
            name = names[(number + turn) % len(names)]
            gc.collect()
            nanos[name].append(_time(contestants[name], calls[name]))
        number += 1
    return nanos


def _calls_of_a_sample(function: Callable[[], object]) -> int:
    function()
    return max(1, MIN_SAMPLE_NANOS // max(1, _time(function, 1)))


def _time(function: Callable[[], object], calls: int) -> int:
    started = time.perf_counter_ns()
    for _ in range(calls):
        # The result dies within the measurement: freeing is part of the price.
        function()
    return (time.perf_counter_ns() - started) // calls


def median_ratio(nanos: Sequence[int], base: Sequence[int]) -> float:
    """How many times as long as the base, in the median of the rounds: both sides of a ratio met the same machine."""
    return statistics.median(taken / of_base for taken, of_base in zip(nanos, base, strict=True))
