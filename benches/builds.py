"""Builds of the extension against each other, in one process and alternating rounds.

    python benches/builds.py abi3=one/_core.so per-version=other/_core.so      prints a table

Whether a change of the binding, or of how it is built, pays is seen here: two processes differ by more than most
changes gain. The first build is the one that the others are divided by.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
from collections.abc import Callable
from types import ModuleType

import exports
import tables

from spanmap.bench import rounds

MODES = ("posthog", "best")
OUTPUTS = ("map_traces", "map_traces_json", "map_batch")


def load(path: str) -> ModuleType:
    """The extension in a file, beside others of its kind."""
    loader = importlib.machinery.ExtensionFileLoader("_core", path)
    spec = importlib.util.spec_from_file_location("_core", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def contestants(builds: dict[str, ModuleType], body: bytes) -> dict[str, Callable[[], object]]:
    """Every build with every mode and output."""
    found = {}
    for mode in MODES:
        for output in OUTPUTS:
            for name, module in builds.items():
                function = getattr(module.Mapper(compat=mode), output)
                found[f"{mode} {output} {name}"] = lambda function=function: function(body)
    return found


def table(builds: dict[str, ModuleType], export: str, seconds: float) -> str:
    """A row for each mode and output: the first build's median, and the others in terms of it."""
    nanos = rounds.run_rounds(contestants(builds, exports.read(export)), seconds=seconds)
    first, *others = builds
    rows = []
    for mode in MODES:
        for output in OUTPUTS:
            base = nanos[f"{mode} {output} {first}"]
            ratios = (rounds.median_ratio(nanos[f"{mode} {output} {name}"], base) for name in others)
            cells = (f"{ratio:.3f}" for ratio in ratios)
            rows.append([f"{mode}, `{output}`", tables.milliseconds(sorted(base)[len(base) // 2]), *cells])
    header = [export, f"{first}, median ms", *(f"{name}, times {first}" for name in others)]
    return tables.table(header, rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("builds", nargs="+", metavar="NAME=FILE")
    arguments.add_argument("--seconds", type=float, default=20, help="for each export")
    chosen = arguments.parse_args()
    builds = {name: load(path) for name, path in (build.split("=", 1) for build in chosen.builds)}
    for export in exports.EXPORTS:
        print(table(builds, export, chosen.seconds), end="\n\n")


if __name__ == "__main__":
    main()
