# ruff: noqa: S603, S607 - the programs are cargo and this interpreter, with fixed arguments.
"""Benchmarks: the core and the reference against what one would use instead, on two captured exports.

    python benches/bench_map.py              prints a table, in about a minute
    python benches/bench_map.py --report     also runs the Rust benchmarks and writes benches/results/DATE.md

The rivals: a plain prost + opentelemetry-proto + serde_json pipeline (`rivals/plain.rs`), a plain opentelemetry-proto +
orjson mapper (`rivals/plain_python.py`), and as the line to beat `orjson.loads` of the finished events, which decodes
and maps nothing. Before anything is timed, their events are compared with the core's.

Contestants take turns within a round, and each round begins with another one, so that whatever the machine does meets
all alike. The cyclic garbage collector stays on, as it does in a server.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "benches"), str(ROOT / "benches/rivals"), str(ROOT / "tests")]

import orjson  # noqa: E402
import plain_python  # noqa: E402
import report  # noqa: E402

import spanmap  # noqa: E402
from compare import difference  # noqa: E402
from spanmap import reference  # noqa: E402

EXPORTS = ("500-mixed", "100-chat")
# The reference is slow by design; a few rounds show by how much.
REFERENCE_ROUNDS = 3


@dataclass(frozen=True)
class Export:
    name: str
    body: bytes
    span_count: int
    events: list[dict[str, object]]
    events_json: bytes


def load(name: str) -> Export:
    """Reads an export, and checks that every rival makes the core's events of it."""
    body = (ROOT / f"tests/corpus/bench-2.4b0-{name}/001.pb").read_bytes()
    mapper = spanmap.Mapper(compat="posthog")
    events, events_json = mapper.map_traces(body), mapper.map_traces_json(body)
    for rival, made in {
        "core as JSON": json.loads(events_json),
        "plain Python": plain_python.map_traces(body),
        "plain Python as JSON": json.loads(plain_python.map_traces_json(body)),
        "reference": reference.Mapper(compat="posthog").map_traces(body),
    }.items():
        found = difference(made, events)
        if found is not None:
            raise SystemExit(f"{name}: the {rival} does not make the same events: {found}")
    return Export(name, body, mapper.map_batch(body).span_count, events, events_json)


def contestants(export: Export) -> dict[str, Callable[[], object]]:
    """What is timed, by the name it has in the report."""
    posthog, best = spanmap.Mapper(compat="posthog"), spanmap.Mapper(compat="best")
    body, events_json = export.body, export.events_json
    return {
        "core, JSON": lambda: posthog.map_traces_json(body),
        "core, dicts": lambda: posthog.map_traces(body),
        "core, best mode, JSON": lambda: best.map_traces_json(body),
        "core, best mode, dicts": lambda: best.map_traces(body),
        "plain Python, JSON": lambda: plain_python.map_traces_json(body),
        "plain Python, dicts": lambda: plain_python.map_traces(body),
        "orjson.loads of the events": lambda: orjson.loads(events_json),
    }


def run_rounds(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[int]]:
    """Nanoseconds of every round, by contestant."""
    names = list(functions)
    nanos: dict[str, list[int]] = {name: [] for name in names}
    for function in functions.values():
        function()
    for number in range(rounds):
        for turn in range(len(names)):
            name = names[(number + turn) % len(names)]
            gc.collect()
            started = time.perf_counter_ns()
            # The result dies within the measurement: freeing is part of the price.
            functions[name]()
            nanos[name].append(time.perf_counter_ns() - started)
    return nanos


def run_reference(export: Export) -> list[int]:
    mapper = reference.Mapper(compat="posthog")
    return run_rounds({"reference": lambda: mapper.map_traces(export.body)}, REFERENCE_ROUNDS)["reference"]


def run_rust_rounds(rounds: int) -> dict[str, dict[str, list[int]]]:
    """The same game in Rust, where the core needs no Python and the rival is `rivals/plain.rs`."""
    command = ["cargo", "bench", "--quiet", "-p", "spanmap-core", "--bench", "rounds", "--", str(rounds)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    measured: dict[str, dict[str, list[int]]] = json.loads(done.stdout)
    return measured


def run_criterion() -> dict[str, float]:
    """Median nanoseconds of each step of the core, by criterion's id."""
    subprocess.run(["cargo", "bench", "--quiet", "-p", "spanmap-core", "--bench", "core"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    estimates = sorted((target / "criterion").glob("*/*/*/new/estimates.json"))
    return {"/".join(path.parts[-5:-2]): json.loads(path.read_text())["median"]["point_estimate"] for path in estimates}


def run_memory() -> list[report.Memory]:
    """Peak memory of JSON mode, each in a process of its own."""
    command = [sys.executable, str(ROOT / "benches/memory.py")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [report.Memory(**json.loads(line)) for line in done.stdout.splitlines()]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--report", action="store_true", help="write benches/results/DATE.md")
    chosen = arguments.parse_args()
    machine = report.describe_machine()
    results = []
    for export in map(load, EXPORTS):
        nanos = run_rounds(contestants(export), chosen.rounds)
        nanos["reference, dicts"] = run_reference(export)
        sizes = report.Sizes(
            export.name, len(export.body), export.span_count, len(export.events), len(export.events_json)
        )
        results.append((sizes, nanos))
        print(report.python_table(sizes, nanos))
    if chosen.report:
        path = report.write(
            machine, chosen.rounds, results, run_rust_rounds(chosen.rounds), run_criterion(), run_memory()
        )
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
