"""`python -m tests.truth [core|reference] [--cut] [--wrong]`: the table of report.py, and each fact told wrong."""

from __future__ import annotations

import argparse
from importlib import import_module

from . import report

MODULES = {"core": "spanmap", "reference": "spanmap.reference"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description="How truthfully do the events tell?")
    parser.add_argument("mapper", nargs="?", choices=sorted(MODULES), default="core")
    parser.add_argument("--cut", action="store_true", help="send every span as a request of its own")
    parser.add_argument("--wrong", action="store_true", help="list the facts that are told wrong")
    arguments = parser.parse_args()
    mapper = import_module(MODULES[arguments.mapper]).Mapper(compat="best")
    ours = report.of_mapper(mapper.map_traces, cut=arguments.cut)
    print("\n".join(report.table(ours, report.of_posthog())))
    if arguments.wrong:
        for verdict in ours.wrong():
            print(f"{verdict.scenario}: {verdict.family}: {verdict.complaint}")


if __name__ == "__main__":
    main()
