"""What it costs to hand events over to PostHog, against PostHog's own library where that is installed.

    python benches/delivery.py         prints a page: time on the application's thread, CPU in all, stalls of a loop

The events are those of a bench export. The server runs in a process of its own, and discards what it reads, so that
the figures are the sender's. Each round measures every contestant, and figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import gzip
import http.server
import itertools
import json
import multiprocessing
import multiprocessing.connection
import random
import statistics
import time
import uuid
from collections.abc import Callable
from importlib import metadata
from typing import Any

import exports
import tables
from backports import zstd

import spanmap
from spanmap.bench import machine
from spanmap.client import Client, EncodedEvent

ROUNDS = 11
EVENTS = 2000
LARGE_EVENTS = 40
LARGE_BYTES = 1 << 20

# What a measurement gives: nanoseconds on the application's thread, and of CPU in all, for each event.
Costs = tuple[float, float]


class Sink(http.server.BaseHTTPRequestHandler):
    """Reads a request and says that all is well, over every path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"status":1,"results":{}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def serve(ready: multiprocessing.connection.Connection) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    ready.send(server.server_address[1])
    server.serve_forever()


def encode(batch: spanmap.Batch) -> list[EncodedEvent]:
    lines = batch.to_json_lines().splitlines()
    return [
        EncodedEvent(event["uuid"], event["event"], True, line) for event, line in zip(batch.events, lines, strict=True)
    ]


def many(batch: spanmap.Batch) -> tuple[list[dict[str, Any]], list[EncodedEvent]]:
    """The events of a request over and over, each with a uuid of its own."""
    events, encoded = [], []
    for event, line in itertools.islice(itertools.cycle(zip(batch.events, encode(batch), strict=True)), EVENTS):
        identifier = str(uuid.uuid4())
        events.append({**event, "uuid": identifier})
        json_with_id = line.json.replace(line.uuid.encode(), identifier.encode(), 1)
        encoded.append(line._replace(uuid=identifier, json=json_with_id))
    return events, encoded


def measure(send: Callable[[], object], finish: Callable[[], object], count: int) -> Costs:
    cpu, started = time.process_time_ns(), time.perf_counter_ns()
    send()
    sent = time.perf_counter_ns()
    finish()
    return (sent - started) / count, (time.process_time_ns() - cpu) / count


def through_client(url: str, events: list[Any], method: str, **options: Any) -> Costs:
    client = Client("phc_bench", url, **options)
    send = getattr(client, method)
    try:
        return measure(lambda: [send([event]) for event in events], lambda: client.flush(60), len(events))
    finally:
        client.shutdown()


def through_posthog(url: str, events: list[dict[str, Any]]) -> Costs:
    import posthog  # noqa: PLC0415

    client = posthog.Posthog("phc_bench", host=url, max_queue_size=len(events) + 1)

    def send() -> None:
        for event in events:
            client.capture(
                event["event"],
                distinct_id=event["distinct_id"],
                properties=event["properties"],
                uuid=event["uuid"],
            )

    try:
        return measure(send, client.flush, len(events))
    finally:
        client.shutdown()


def cost_tables(url: str, export: str) -> str:
    batch = spanmap.Mapper().map_batch(exports.read(export))
    events, encoded = many(batch)
    contestants: dict[str, Callable[[], Costs]] = {
        "`send_encoded`, auto": lambda: through_client(url, encoded, "send_encoded"),
        "`send_encoded`, gzip": lambda: through_client(url, encoded, "send_encoded", compression="gzip"),
        "`send_encoded`, plain": lambda: through_client(url, encoded, "send_encoded", compression=None),
        "`send` of dicts, auto": lambda: through_client(url, events, "send"),
    }
    with contextlib.suppress(metadata.PackageNotFoundError):
        contestants[f"posthog {metadata.version('posthog')}, `capture`"] = lambda: through_posthog(url, events)
    costs: dict[str, list[Costs]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            costs[name].append(run())
    rows = [
        [name, *(f"{statistics.median(cost[part] for cost in taken) / 1000:.1f}" for part in (0, 1))]
        for name, taken in costs.items()
    ]
    size = sum(len(event.json) for event in encoded) // len(encoded)
    title = f"{export}: {len(events)} events of {size:,} bytes"
    return tables.table([title, "us on the application's thread", "us of CPU in all"], rows)


def compression_table() -> str:
    rows = []
    for export in exports.EXPORTS:
        body = spanmap.map_traces_json(exports.read(export))
        for name, compress in (
            ("gzip, level 1", lambda body: gzip.compress(body, 1)),
            ("zstd, level 1", lambda body: zstd.compress(body, 1)),
        ):
            taken = []
            for _ in range(ROUNDS):
                started = time.process_time_ns()
                size = len(compress(body))
                taken.append(time.process_time_ns() - started)
            rows.append([f"{export}, {name}", f"{len(body) / size:.1f}", f"{len(body) * 1000 / min(taken):.0f}"])
    return tables.table(["", "times smaller", "MB/s of CPU time"], rows)


async def longest_gap(work: Callable[[], Any]) -> float:
    gaps: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    await work()
    ticking.cancel()
    return max(gaps)


def stall_table(url: str) -> str:
    """The longest time that a loop had to wait for its turn while megabytes left by the client's thread."""
    chance = random.Random(1)  # noqa: S311
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 10))) for _ in range(5000)]
    text = " ".join(chance.choices(words, k=LARGE_BYTES // 6))[:LARGE_BYTES]
    batch = spanmap.Mapper().map_batch(exports.read("100-chat"))
    large = [
        event._replace(
            json=event.json.replace(b'"properties":{', b'"properties":{"text":%s,' % json.dumps(text).encode(), 1)
        )
        for event in encode(batch)[:LARGE_EVENTS]
    ]

    async def idle() -> None:
        await asyncio.sleep(0.5)

    async def sending() -> None:
        async with Client("phc_bench", url, max_queue_bytes=1 << 28, flush_interval_seconds=0.05) as client:
            for event in large:
                client.send_encoded([event])
                await asyncio.sleep(0.005)

    gaps: dict[str, list[float]] = {"idle": [], f"sending {len(large)} events of 1 MiB": []}
    for _ in range(ROUNDS):
        for name, work in zip(gaps, (idle, sending), strict=True):
            gaps[name].append(asyncio.run(longest_gap(work)))
    rows = [
        [name, f"{statistics.median(taken) * 1000:.1f}", f"{max(taken) * 1000:.1f}"] for name, taken in gaps.items()
    ]
    return tables.table(["a loop that ticks each millisecond", "longest gap, median ms", "longest of all, ms"], rows)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    print(f"# What delivery costs, {datetime.date.today()}\n")
    print(tables.table(["", "value"], [list(item) for item in machine.describe().items()]), end="\n\n")
    print(f"What `python benches/delivery.py` printed: medians of {ROUNDS} alternating rounds, one process.\n")
    for export in exports.EXPORTS:
        print(cost_tables(url, export), end="\n\n")
    print(compression_table(), end="\n\n")
    print(stall_table(url))
    server.terminate()


if __name__ == "__main__":
    main()
