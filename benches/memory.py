"""Peak memory of JSON mode: how far the process grows while it maps 64 MiB, against the size of what comes out.

    python benches/memory.py         prints a table

Each measurement is a process of its own. The kernel's high-water mark is set back right before the call
(`/proc/self/clear_refs`), so neither imports nor the body, which the caller holds, count; the output does. Linux only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import exports
import tables

import spanmap

BODY_BYTES = 64 << 20
LIMITS = spanmap.Limits(max_body_bytes=2 * BODY_BYTES, max_decompressed_bytes=2 * BODY_BYTES)
Compat = Literal["best", "posthog"]


@dataclass(frozen=True)
class Measured:
    """Bytes of one mapping: what went in, what came out, and how far the process grew at most."""

    export: str
    compat: Compat
    body: int
    output: int
    growth: int

    @property
    def ratio(self) -> float:
        return self.growth / self.output


def measure(export: str, compat: Compat) -> Measured:
    """Maps 64 MiB in this process: requests can be joined by joining their bytes."""
    one = exports.read(export)
    body = one * (BODY_BYTES // len(one) + 1)
    mapper = spanmap.Mapper(compat=compat, limits=LIMITS)
    mapper.map_traces_json(one)
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident_bytes("VmRSS")
    output = mapper.map_traces_json(body)
    return Measured(export, compat, len(body), len(output), _resident_bytes("VmHWM") - before)


def _resident_bytes(field: Literal["VmRSS", "VmHWM"]) -> int:
    """What is in memory now, or the most that was."""
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def measure_all() -> list[Measured]:
    """Both exports in both modes, each in a process of its own."""
    found = []
    for export in exports.EXPORTS:
        for compat in get_args(Compat):
            command = [sys.executable, __file__, export, compat]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this file, with this interpreter
            found.append(Measured(**json.loads(done.stdout)))
    return found


def table(measured: list[Measured]) -> str:
    """A row for each export and mode."""
    rows = [
        [f"{row.export}, {row.compat}", f"{row.body:,}", f"{row.output:,}", f"{row.growth:,}", f"{row.ratio:.2f}"]
        for row in measured
    ]
    return tables.table(["", "bytes of body", "bytes of JSON", "most bytes more", "times the JSON"], rows)


def main() -> None:
    match sys.argv[1:]:
        case [export, ("best" | "posthog") as compat]:
            print(json.dumps(asdict(measure(export, compat))))
        case _:
            print(table(measure_all()))


if __name__ == "__main__":
    main()
