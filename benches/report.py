# ruff: noqa: S603, S607 - the programs are git and rustc, with fixed arguments.
"""Writes what was measured as a dated page: machine, versions, method, tables. Only numbers of this run are in it."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
BASE = "core, JSON"


@dataclass(frozen=True)
class Sizes:
    export: str
    body: int
    spans: int
    events: int
    output: int


@dataclass(frozen=True)
class Memory:
    export: str
    body: int
    output: int
    growth: int


def describe_machine() -> dict[str, str]:
    """What a reader must know before comparing these numbers with others."""
    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    rustc = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    packages = ["orjson", "protobuf", "opentelemetry-proto"]
    return {
        "processor": processor[1] if processor else platform.processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load at the start (1, 5, 15 min)": load,
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Rust": rustc,
        **{name: metadata.version(name) for name in packages},
        "commit": _commit(),
    }


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=RESULTS, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "../../rust", "../../python")
    return git("rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _milliseconds(nanos: float) -> str:
    return f"{nanos / 1e6:.3f}"


def python_table(sizes: Sizes, nanos: dict[str, list[int]]) -> str:
    """Minimum and median of each contestant, and its median as a multiple of the core's."""
    base = statistics.median(nanos[BASE])
    rows = []
    for name, taken in nanos.items():
        median = statistics.median(taken)
        rate = sizes.body / median * 1e3
        rows.append([name, _milliseconds(min(taken)), _milliseconds(median), f"{rate:.0f}", f"{median / base:.2f}"])
    title = (
        f"### {sizes.export}: {sizes.spans} spans in {sizes.body:,} bytes of protobuf, "
        f"{sizes.events} events in {sizes.output:,} bytes of JSON"
    )
    header = ["", "min ms", "median ms", "MB of body a second", "times core, JSON"]
    return f"{title}\n\n{_table(header, rows)}\n"


def rust_table(nanos: dict[str, list[int]]) -> str:
    """The same columns for the contestants that need no Python."""
    base = statistics.median(nanos["core_posthog_json"])
    rows = []
    for name, taken in nanos.items():
        median = statistics.median(taken)
        rows.append([f"`{name}`", _milliseconds(min(taken)), _milliseconds(median), f"{median / base:.2f}"])
    return _table(["", "min ms", "median ms", "times core"], rows)


def memory_table(measured: list[Memory]) -> str:
    rows = []
    for row in measured:
        peak, allowed = row.body + row.growth, row.body + 2 * row.output
        cells = [f"{number:,}" for number in (row.body, row.output, peak, allowed)]
        rows.append([row.export, *cells, f"{peak / allowed:.2f}"])
    return _table(["export", "body", "output", "peak, body included", "body + 2 x output", "ratio"], rows)


def write(
    machine: dict[str, str],
    rounds: int,
    results: list[tuple[Sizes, dict[str, list[int]]]],
    rust: dict[str, dict[str, list[int]]],
    steps: dict[str, float],
    memory: list[Memory],
) -> Path:
    """Writes the page of today and returns its path; an earlier page of today is replaced."""
    today = datetime.now(UTC).date().isoformat()
    facts = "\n".join(f"| {name} | {value} |" for name, value in machine.items())
    python = "\n".join(python_table(sizes, nanos) for sizes, nanos in results)
    in_rust = "\n\n".join(f"### {export}\n\n{rust_table(nanos)}" for export, nanos in rust.items())
    by_step = _table(
        ["step / variant / export", "median ms"], [[f"`{name}`", _milliseconds(taken)] for name, taken in steps.items()]
    )
    page = f"""# Benchmarks of {today}

Written by `python benches/bench_map.py --report`; nothing here is edited by hand.

| | |
| --- | --- |
{facts}

## Method

Two captured exports, one request each. Before timing, the events of every contestant are compared with the core's:
the same members, the same values. Contestants take turns within each of {rounds} rounds and each round begins with
another one; minimum and median are of single calls. The garbage collector stays on and runs before each call; freeing
the result belongs to the call. The core runs in `compat="posthog"` where nothing else is said, because that is the
mapping that the rivals make; they know GenAI spans only, no dialects, no caps, and no JSON transport. The reference
runs 3 rounds.

## From Python

{python}
## In Rust alone

`plain_rust_json` is prost + opentelemetry-proto + serde_json. All contestants write the events as JSON.

{in_rust}

## Steps of the core

Medians by criterion. `wire` decodes and keeps nothing, `event` goes from bytes to events, `sink` writes finished events
as JSON, `whole` is everything; `whole/plain` is the rival.

{by_step}

## Memory of JSON mode

How far a fresh process grows during one call, plus the body that the caller holds. `x 8` is eight requests joined.

{memory_table(memory)}
"""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{today}.md"
    path.write_text(page, encoding="utf-8")
    return path
