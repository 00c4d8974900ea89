"""`spanmap bench`: measures mapping on the user's own exports."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Literal

import click
from rich.console import Console, RenderableType
from rich.table import Table

from spanmap import Limits, SpanmapError, samples
from spanmap.bench import Report, measure
from spanmap.cli.files import FileError, find_files, inflate, read_requests


@click.command("bench")
@click.argument("files", nargs=-1, metavar="[FILES...]")
@click.option("--compat", type=click.Choice(["best", "posthog"]), default="best", show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="How long to go on, the reference aside.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Tables to read, or one JSON object with times in nanoseconds.",
)
def bench(
    files: tuple[str, ...], compat: Literal["best", "posthog"], seconds: float, shape: Literal["table", "json"]
) -> None:
    """Measure how fast your own exports are mapped, on your own machine.

    Beside both outputs of spanmap stand copying the bodies and parsing the finished events, which no mapper can beat by
    much, and those of these that are installed (pip install 'spanmap[bench]' gets all): a plain Python mapper on
    opentelemetry-proto and orjson, and spanmap's own reference. Contestants take turns, so that ratios hold on a busy
    machine. FILES are those of `spanmap map`; without any, the sample that ships with spanmap is measured.

    Exit status: 0, or 1 if a request cannot be read, or 2 if the command line is wrong.
    """
    try:
        bodies = list(_read_bodies(files))
    except FileError as error:
        raise click.UsageError(str(error)) from error
    if not bodies:
        raise click.UsageError("The files hold no request to measure.")
    try:
        report = measure(bodies, compat=compat, seconds=seconds)
    except SpanmapError as error:
        raise click.ClickException(f"{error} `spanmap map` says which file.") from error
    if shape == "json":
        click.echo(json.dumps(report.to_dict(), indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in make_tables(report):
        console.print(table)


def _read_bodies(files: tuple[str, ...]) -> Iterator[bytes]:
    if not files:
        yield from (samples.read(name) for name in samples.names())
    for file in find_files(files):
        for request in read_requests(file, Limits().max_decompressed_bytes):
            yield inflate(io.BufferedReader(io.BytesIO(request.body))).read()


def make_tables(report: Report) -> Iterator[RenderableType]:
    """The machine, the load, and a row for each contestant."""
    load = report.load
    facts = _plain_table("", "")
    for name, value in report.machine.items():
        facts.add_row(name, value)
    yield facts
    dropped = sum(load.dropped.values())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(load.dropped.items()))
    facts = _plain_table("", "")
    facts.add_row("requests", f"{load.requests:,} with {load.body_bytes:,} bytes")
    facts.add_row("spans", f"{load.spans:,}")
    facts.add_row("events", f"{load.events:,} with {load.output_bytes:,} bytes of JSON, in compat={report.compat!r}")
    share = f" = {dropped / load.spans:.0%} noise ({reasons})" if dropped else ""
    facts.add_row("dropped spans", f"{dropped:,}{share}")
    if report.noise_span_nanos is not None:
        facts.add_row("a dropped span costs", f"{report.noise_span_nanos:,.0f} ns")
    yield facts
    table = _plain_table("", "min ms", "median ms", "MB/s", "spans/s", "µs a span", "times JSON", "events")
    for timing in report.timings:
        seconds = timing.median_nanos / 1e9
        ratio = timing.times_spanmap_json
        table.add_row(
            timing.name,
            f"{timing.min_nanos / 1e6:,.3f}",
            f"{timing.median_nanos / 1e6:,.3f}",
            f"{load.body_bytes / 1e6 / seconds:,.0f}",
            f"{load.spans / seconds:,.0f}",
            f"{timing.median_nanos / 1e3 / load.spans:,.2f}" if load.spans else "",
            "" if ratio is None else f"{ratio:,.2f}",
            "" if timing.events is None else f"{timing.events:,}",
        )
    for name, why in report.left_out.items():
        table.add_row(name, why)
    yield table


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for number, title in enumerate(columns):
        table.add_column(title, justify="right" if number and any(columns) else "left", overflow="fold")
    return table
