"""spanmap against what one would use instead, in alternating rounds: the only place that ratios come from.

    python benches/ratios.py         prints a table for each load, in about a minute

The rivals: a plain opentelemetry-proto + orjson mapper (`spanmap.bench.plain_python`), and two yardsticks that map
nothing: `orjson.loads` of the finished events, and copying the bodies.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import exports
import orjson
import tables

import spanmap
from spanmap import reference
from spanmap.bench import plain_python, rounds
from spanmap.bench.noise import cut_to_noise

MODES = ("best", "posthog")
COPY = "copying the bodies"
NOISE = "noise alone, {}"


@dataclass(frozen=True)
class Measured:
    """Nanoseconds of every round for a whole load, by contestant, and what the load is."""

    load: exports.Load
    spans: int
    events: int
    output_bytes: int
    noise_spans: int
    nanos: dict[str, list[int]]

    @property
    def body_bytes(self) -> int:
        return sum(map(len, self.load.bodies))

    def median(self, name: str) -> float:
        return statistics.median(self.nanos[name])

    def ratio(self, name: str, base: str) -> float:
        """How many times as long as the base a contestant takes: median over the rounds."""
        return rounds.median_ratio(self.nanos[name], self.nanos[base])


def measure(load: exports.Load, seconds: float) -> Measured:
    mappers = {mode: spanmap.Mapper(compat=mode) for mode in MODES}
    batches = [mappers["best"].map_batch(body) for body in load.bodies]
    noise = cut_to_noise(load.bodies, [batch.drops for batch in batches]) if load.is_fair_to_rivals else []
    measured = Measured(
        load,
        spans=sum(batch.span_count for batch in batches),
        events=sum(len(batch.events) for batch in batches),
        output_bytes=sum(len(batch.to_json()) for batch in batches),
        noise_spans=sum(spanmap.Mapper().map_batch(body).span_count for body in noise),
        nanos={},
    )
    del batches
    contestants: dict[str, Callable[[], object]] = {}
    for mode in MODES:
        mapper = spanmap.Mapper(compat=mode)
        finished = [mapper.map_traces_json(body) for body in load.bodies]
        contestants[f"{mode}, JSON"] = _each(mapper.map_traces_json, load.bodies)
        contestants[f"{mode}, dicts"] = _each(mapper.map_traces, load.bodies)
        contestants[f"orjson.loads of the events, {mode}"] = _each(orjson.loads, finished)
        if noise:
            contestants[NOISE.format(mode)] = _each(mapper.map_traces_json, noise)
    contestants[COPY] = _each(bytearray, load.bodies)
    if load.is_fair_to_rivals:
        contestants["plain Python, JSON"] = _each(plain_python.map_traces_json, load.bodies)
        contestants["plain Python, dicts"] = _each(plain_python.map_traces, load.bodies)
    measured.nanos.update(rounds.run_rounds(contestants, seconds=seconds))
    slow = {"reference, posthog, dicts": _each(reference.Mapper(compat="posthog").map_traces, load.bodies)}
    measured.nanos.update(rounds.run_rounds(slow, seconds=0, min_rounds=3))
    return measured


def _each(function: Callable[[bytes], object], bodies: Sequence[bytes]) -> Callable[[], object]:
    if len(bodies) == 1:
        body = bodies[0]
        return lambda: function(body)
    return lambda: [function(body) for body in bodies]


def table(measured: Measured) -> str:
    """A row for each contestant."""
    base = measured.median("best, JSON")
    rows = []
    for name, taken in measured.nanos.items():
        median = statistics.median(taken)
        rate = f"{measured.body_bytes / median * 1e3:,.0f}" if "noise" not in name else ""
        rows.append([name, tables.milliseconds(min(taken)), tables.milliseconds(median), rate, f"{median / base:.2f}"])
    title = (
        f"### {measured.load.name}: {measured.spans} spans in {len(measured.load.bodies)} requests of "
        f"{measured.body_bytes:,} bytes, {measured.events} events in {measured.output_bytes:,} bytes of JSON"
    )
    header = ["", "min ms", "median ms", "MB of body a second", "times best, JSON"]
    return f"{title}\n\n{tables.table(header, rows)}\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=15, help="for each load")
    chosen = arguments.parse_args()
    for load in exports.loads():
        print(table(measure(load, chosen.seconds)))


if __name__ == "__main__":
    main()
