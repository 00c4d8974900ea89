"""Measures how fast a load of requests is mapped, beside what else is installed to do it."""

from __future__ import annotations

import importlib
import json
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from spanmap import Drop, Mapper
from spanmap.bench import contestants, machine, rounds
from spanmap.bench.contestants import Compat

# The reference is made to be obvious. A fifth of the time shows how slow that is.
REFERENCE_SHARE = 0.2


@dataclass(frozen=True)
class Load:
    """What is mapped, and what it becomes.

    Attributes:
        requests: How many bodies there are.
        body_bytes: Bytes of all bodies together, decompressed.
        spans: Spans in them.
        events: Events that spanmap makes of them.
        output_bytes: Bytes of these events as JSON.
        dropped: Spans that become no event, by reason.
    """

    requests: int
    body_bytes: int
    spans: int
    events: int
    output_bytes: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class Timing:
    """How long one contestant takes for the whole load.

    Attributes:
        name: Who.
        rounds: How many times it was measured.
        min_nanos: The quickest round, in nanoseconds.
        median_nanos: The median round, in nanoseconds.
        times_spanmap_json: Median over the rounds of its time over that of spanmap's JSON output in the same round;
            `None` for the reference, which runs by itself.
        events: Events that it makes, if it is a mapper: a rival that makes fewer does less work.
    """

    name: str
    rounds: int
    min_nanos: int
    median_nanos: float
    times_spanmap_json: float | None
    events: int | None


@dataclass(frozen=True)
class Report:
    """What was measured.

    Attributes:
        machine: Processor, load, versions.
        compat: The mode of spanmap and of the reference.
        load: What was mapped.
        timings: Every contestant; spanmap's come first.
        noise_span_nanos: What a dropped span costs, in nanoseconds: the median time for the same requests without any
            other span, divided by the number of their spans. `None` where there are no dropped spans, and where
            opentelemetry-proto is missing.
        left_out: Contestants that could not take part, and why.
    """

    machine: dict[str, str]
    compat: Compat
    load: Load
    timings: list[Timing]
    noise_span_nanos: float | None
    left_out: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)


def measure(bodies: Sequence[bytes], *, compat: Compat = "best", seconds: float = 5.0) -> Report:
    """Measures both outputs of spanmap on these requests, beside the reference and the rivals that are installed.

    Args:
        bodies: OTLP trace export requests, as protobuf or JSON, decompressed.
        compat: The mode of the mapper.
        seconds: How long the alternating rounds go on; the reference gets a fifth of it on top.

    Returns:
        The report. Times are nanoseconds for the whole load.

    Raises:
        DecodeError: A body cannot be read.
        ValueError: There is no body.

    Example:
        >>> import spanmap.bench
        >>> body = spanmap.samples.read("fastapi-openai.pb")
        >>> report = spanmap.bench.measure([body], seconds=0.1)
        >>> report.load.spans, report.timings[0].name
        (30, 'spanmap, JSON')
    """
    if not bodies:
        raise ValueError("There is no request to measure. Pass the body of at least one.")
    facts = machine.describe()
    mapper = Mapper(compat=compat)
    batches = [mapper.map_batch(body) for body in bodies]
    events_json = [batch.to_json() for batch in batches]
    drops = [batch.drops for batch in batches]
    load = Load(
        requests=len(bodies),
        body_bytes=sum(map(len, bodies)),
        spans=sum(batch.span_count for batch in batches),
        events=mapper.counters["events"],
        output_bytes=sum(map(len, events_json)),
        dropped=dict(Counter(drop.reason for dropped in drops for drop in dropped)),
    )
    del batches

    rivals, left_out = contestants.rivals(bodies)
    mappers = contestants.spanmap_contestants(bodies, compat) | rivals
    events = {name: _count(function()) if name in rivals else load.events for name, function in mappers.items()}
    taking_part = mappers | contestants.yardsticks(bodies, events_json)
    noise = _noise_alone(bodies, drops)
    noise_mapper = Mapper(compat=compat)
    if noise:
        taking_part["noise"] = lambda: [noise_mapper.map_traces_json(body) for body in noise]
    nanos = rounds.run_rounds(taking_part, seconds=seconds)
    of_noise = nanos.pop("noise", None)
    noise_spans = sum(noise_mapper.map_batch(body).span_count for body in noise)
    timings = [_timing(name, taken, nanos[contestants.JSON_BYTES], events.get(name)) for name, taken in nanos.items()]

    reference, why_not = contestants.reference(bodies, compat)
    if reference is None:
        left_out[contestants.REFERENCE] = why_not
    else:
        taken = rounds.run_rounds({"": reference}, seconds=seconds * REFERENCE_SHARE, min_rounds=2)[""]
        timings.append(_timing(contestants.REFERENCE, taken, None, load.events))
    return Report(
        machine=facts,
        compat=compat,
        load=load,
        timings=timings,
        noise_span_nanos=statistics.median(of_noise) / noise_spans if of_noise else None,
        left_out=left_out,
    )


def _timing(name: str, nanos: list[int], base: list[int] | None, events: int | None) -> Timing:
    ratio = None if base is None else rounds.median_ratio(nanos, base)
    return Timing(name, len(nanos), min(nanos), statistics.median(nanos), ratio, events)


def _count(made: Any) -> int:
    """Events in what a rival makes of all requests."""
    return sum(len(json.loads(events) if isinstance(events, bytes) else events) for events in made)


def _noise_alone(bodies: Sequence[bytes], drops: Iterable[Sequence[Drop]]) -> list[bytes]:
    try:
        noise = importlib.import_module("spanmap.bench.noise")
    except ModuleNotFoundError:
        return []
    alone: list[bytes] = noise.cut_to_noise(bodies, drops)
    return alone
