# ruff: noqa: S603, S607 - the programs are git, cargo, rustc and this interpreter, with fixed arguments.
"""Runs every benchmark and writes a dated page of it: machine, versions, method, tables, and a plot.

    python benches/report.py         writes results/DATE.md and results/DATE-growth.svg, and the table in the README

Only numbers of this run are on the page.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import exports
import growth
import memory
import ratios
import tables
import threads

from spanmap.bench import machine, rounds

RESULTS = exports.ROOT / "benches/results"
README = exports.ROOT / "README.md"
# The README's one table stands between these two.
README_TABLE = re.compile(r"(<!-- written by make bench -->\n).*?(<!-- end -->)", re.DOTALL)
RUST_ROUNDS = 60

RustRounds = dict[str, dict[str, list[int]]]


def describe_machine() -> dict[str, str]:
    rustc = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    packages = {name: metadata.version(name) for name in ("pytest-benchmark",)}
    return machine.describe() | {"Rust": rustc} | packages | {"commit": _commit()}


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=exports.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "rust", "python")
    return git("rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def run_rust_rounds() -> RustRounds:
    """Alternating rounds in Rust, where the core needs no Python and the rival is `rivals/plain.rs`."""
    command = ["cargo", "bench", "--quiet", "-p", "spanmap-core", "--bench", "rounds", "--", str(RUST_ROUNDS)]
    done = subprocess.run(command, cwd=exports.ROOT, check=True, stdout=subprocess.PIPE)
    measured: RustRounds = json.loads(done.stdout)
    return measured


def rust_table(nanos: dict[str, list[int]]) -> str:
    base = nanos["core_best_json"]
    rows = [
        [
            f"`{name}`",
            tables.milliseconds(min(taken)),
            tables.milliseconds(statistics.median(taken)),
            f"{rounds.median_ratio(taken, base):.2f}",
        ]
        for name, taken in nanos.items()
    ]
    return tables.table(["", "min ms", "median ms", "times core, best"], rows)


def run_criterion() -> list[list[str]]:
    """The steps of the core: criterion's id and its median."""
    subprocess.run(["cargo", "bench", "--quiet", "-p", "spanmap-core", "--bench", "core"], cwd=exports.ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", exports.ROOT / "target"))
    found = sorted((target / "criterion").glob("*/*/*/new/estimates.json"))
    medians = ((path, json.loads(path.read_text())["median"]["point_estimate"]) for path in found)
    return [[f"`{'/'.join(path.parts[-5:-2])}`", tables.milliseconds(median)] for path, median in medians]


def run_pytest_benchmark() -> list[list[str]]:
    """The steps of the binding: pytest-benchmark's group and name, and its median."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "steps.json"
        steps = str(exports.ROOT / "benches/bench_map.py")
        command = [sys.executable, "-m", "pytest", "--quiet", steps, f"--benchmark-json={written}"]
        subprocess.run(command, cwd=exports.ROOT, check=True, stdout=sys.stderr)
        measured = json.loads(written.read_text())["benchmarks"]
    by_group = sorted(measured, key=lambda step: step["group"])
    return [[f"`{s['group']}` {s['name']}", tables.milliseconds(s["stats"]["median"] * 1e9)] for s in by_group]


def lines_table(measured: list[ratios.Measured], in_rust: RustRounds) -> str:
    """The lines that the project has set itself, and where this run stands."""
    by_name = {found.load.name: found for found in measured}
    header = ["", "line", *by_name]

    def row(title: str, line: str, cells: Iterable[str]) -> list[str]:
        return [title, line, *cells]

    def ratio(name: str, base: str) -> Iterable[str]:
        for found in by_name.values():
            yield f"{found.ratio(name, base):.2f}" if {name, base} <= found.nanos.keys() else ""

    def gigabytes(name: str) -> Iterable[str]:
        return (f"{found.body_bytes / found.median(name):.2f}" for found in by_name.values())

    def noise(mode: str) -> Iterable[str]:
        for found in by_name.values():
            name = ratios.NOISE.format(mode)
            yield f"{found.median(name) / found.noise_spans:.0f}" if name in found.nanos and found.noise_spans else ""

    def rust(mode: str) -> Iterable[str]:
        for name in by_name:
            nanos = in_rust.get(name)
            yield f"{rounds.median_ratio(nanos['plain_rust_json'], nanos[f'core_{mode}_json']):.2f}" if nanos else ""

    rows = []
    for mode in ratios.MODES:
        events = f"orjson.loads of the events, {mode}"
        rows += [
            row(f"{mode}: dicts, times `orjson.loads` of the events", "at most 1.1", ratio(f"{mode}, dicts", events)),
            row(
                f"{mode}: plain Python, times dicts",
                "at least 3.6 / 1.6",
                ratio("plain Python, dicts", f"{mode}, dicts"),
            ),
            row(f"{mode}: plain Python, times JSON", "at least 12 / 6", ratio("plain Python, JSON", f"{mode}, JSON")),
            row(f"{mode}: prost + serde_json, times JSON (in Rust)", "at least 8", rust(mode)),
            row(f"{mode}: JSON, GB of body a second", "at least 3 / 2.5", gigabytes(f"{mode}, JSON")),
            row(f"{mode}: a dropped span, ns", "at most 120", noise(mode)),
        ]
    rows.append(row("copying the bodies, GB a second", "", gigabytes(ratios.COPY)))
    rows.append(row("best, times posthog, JSON", "at most 1.3", ratio("best, JSON", "posthog, JSON")))
    return tables.table(header, rows)


def readme_table(measured: list[ratios.Measured], page: str) -> str:
    """Throughput of the default mode, and how many times as long the plain Python rival takes."""
    rows = []
    for found in measured[:2]:
        json_ratio = found.ratio("plain Python, JSON", "best, JSON")
        dict_ratio = found.ratio("plain Python, dicts", "best, dicts")
        per_second = found.spans / found.median("best, JSON") * 1e9
        rows.append([found.load.name, f"{per_second:,.0f}", f"{json_ratio:.1f} x", f"{dict_ratio:.1f} x"])
    header = ["export", "spans a second, JSON", "plain Python takes, JSON", "plain Python takes, dicts"]
    return f"{tables.table(header, rows)}\n\n[Machine, method and everything else](benches/results/{page})\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=15, help="for each load")
    chosen = arguments.parse_args()
    facts = "\n".join(f"| {name} | {value} |" for name, value in describe_machine().items())
    measured = [ratios.measure(load, chosen.seconds) for load in exports.loads()]
    in_rust = run_rust_rounds()
    spans, messages = growth.measure_spans(chosen.seconds / 8), growth.measure_messages(chosen.seconds / 8)
    today = datetime.now(UTC).date().isoformat()
    RESULTS.mkdir(exist_ok=True)
    growth.draw(spans, messages, RESULTS / f"{today}-growth.svg")
    in_python = "\n".join(map(ratios.table, measured))
    each_rust = "\n\n".join(f"### {export}\n\n{rust_table(nanos)}" for export, nanos in in_rust.items())
    page = f"""# Benchmarks of {today}

Written by `make bench`; nothing here is edited by hand.

| | |
| --- | --- |
{facts}

## Method

Three loads: two captured exports of one request each, and all captures in `tests/corpus`, one after the other. Before
timing, the events of every mapper are compared with the core's on the two exports: the same members, the same values.
Contestants take turns within a round and each round begins with another one; a ratio is the median of the ratios
within the rounds. A sample is the mean of as many calls as fill five milliseconds. The garbage collector stays on and
runs before each sample; freeing the result belongs to the call. In Rust a sample is one call, with the system's
allocator; the extension module has mimalloc. The rivals make what `compat="posthog"` makes; they know GenAI spans
only, no dialects, no caps, and no JSON transport. A dropped span's cost is measured on the same export without its
other spans. The reference runs 3 rounds.

## Lines

What the project has set itself, mixed / chat where the two differ, and what this run measured.

{lines_table(measured, in_rust)}

## From Python

{in_python}
## In Rust alone

`plain_rust_json` is prost + opentelemetry-proto + serde_json. All contestants write the events as JSON.

{each_rust}

## As requests grow

![Cost of a span by spans in a request, and of a KiB of message by the length of the message]({today}-growth.svg)

{growth.table(spans, "chats in a request: ns a span")}

{growth.table(messages, "bytes of one message: ns a KiB")}

## Memory of JSON mode

How far a fresh process grows at most while it maps 64 MiB to JSON; at most 1.2 times the JSON is the line. The body is
the caller's and not counted.

{memory.table(memory.measure_all())}

## Threads

Two threads that map to JSON on one mapper, against one that maps all of it; on two cores, at least 1.8 is the line.

{threads.table(threads.measure_all())}

## Steps of the core

Medians by criterion. `wire` decodes and keeps nothing, `event` goes from bytes to events, `sink` writes finished events
as JSON, `whole` is everything; `whole/plain` is the rival.

{tables.table(["step / variant / export", "median ms"], run_criterion())}

## Steps of the binding

Medians by pytest-benchmark. `events` goes from bytes to events that stay in Rust, `objects` from there to dicts.

{tables.table(["export, step", "median ms"], run_pytest_benchmark())}
"""
    path = RESULTS / f"{today}.md"
    path.write_text(page, encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    new_table = readme_table(measured, path.name)
    README.write_text(README_TABLE.sub(lambda found: found[1] + new_table + found[2], readme), encoding="utf-8")
    print(f"wrote {path.relative_to(exports.ROOT)} and the table in README.md")


if __name__ == "__main__":
    main()
