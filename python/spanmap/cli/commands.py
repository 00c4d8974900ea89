"""The commands. Events go to standard output; everything said about them goes to standard error."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, BinaryIO, Literal

import click
from rich.console import Console
from rich.progress import Progress

from spanmap import Batch, Limits, Mapper, SpanmapError, samples
from spanmap.cli.files import FileError, Request, find_files, read_requests
from spanmap.cli.table import Event, make_table

# A bar for fewer files would be gone before it is read.
PROGRESS_FROM_FILES = 20
# Columns of a table that goes to no terminal.
TABLE_WIDTH = 160
CAPS = [field.name for field in dataclasses.fields(Limits)]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("spanmap"), prog_name="spanmap")
def spanmap() -> None:
    """Maps OpenTelemetry trace exports of LLM applications to PostHog AI events."""


def _parse_limits(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Limits:
    caps: dict[str, int] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in CAPS:
            raise click.BadParameter(f"there is no cap {name!r}. Known are: {', '.join(CAPS)}.")
        if not value.isdecimal():
            raise click.BadParameter(f"{text!r} has no number. Write {name}=N.")
        caps[name] = int(value)
    return Limits(**caps)


@spanmap.command("map")
@click.argument("files", nargs=-1, metavar="FILES...")
@click.option("--sample", is_flag=True, help="Map the export that ships with spanmap.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["ndjson", "json", "table"]),
    default="ndjson",
    show_default=True,
    help="One event a line, one JSON array, or a table to read.",
)
@click.option("--output", "-o", type=click.File("wb", lazy=True), default="-", help="Write the events to this file.")
@click.option("--compat", type=click.Choice(["best", "posthog"]), default="best", show_default=True)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="One unreadable span: give up its request, or leave the span out.",
)
@click.option("--privacy", is_flag=True, help="Leave out the content of messages and states.")
@click.option("--prefix", "prefixes", multiple=True, help="Keep spans with a key that begins so; repeatable.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=N", callback=_parse_limits, help="Change a cap.")
def map_files(
    files: tuple[str, ...],
    sample: bool,
    shape: Literal["ndjson", "json", "table"],
    output: BinaryIO,
    compat: Literal["best", "posthog"],
    on_error: Literal["raise", "skip"],
    privacy: bool,
    prefixes: tuple[str, ...],
    limits: Limits,
) -> None:
    """Map trace exports to PostHog AI events.

    FILES are OTLP requests as protobuf or JSON, JSON lines, or length-delimited files of the OpenTelemetry Collector,
    each possibly compressed with gzip or zstd; folders and globs of such files; or - for standard input.

    Exit status: 0 if every request was mapped, 1 if one was not (the others are mapped all the same), 2 if the command
    line is wrong.
    """
    if sample == bool(files):
        raise click.UsageError("Name files to map, or pass --sample to map the export that ships with spanmap.")
    # The files are inflated here, so that the core sees each body at its full size.
    caps = dataclasses.replace(limits, max_body_bytes=max(limits.max_body_bytes, limits.max_decompressed_bytes))
    options: dict[str, Any] = {"prefixes": list(prefixes)} if prefixes else {}
    mapper = Mapper(compat=compat, on_error=on_error, privacy_mode=privacy, limits=caps, **options)
    try:
        found = find_files(files)
    except FileError as error:
        raise click.UsageError(str(error)) from error
    run = _Run(mapper, limits.max_decompressed_bytes)
    batches = run.map_sample() if sample else run.map_files(found)
    _write(batches, shape, output)
    run.say_summary()
    sys.exit(1 if run.failures else 0)


class _Run:
    """One go over all inputs: maps what can be mapped, says what cannot, and keeps count."""

    def __init__(self, mapper: Mapper, max_bytes: int) -> None:
        self.mapper = mapper
        self.max_bytes = max_bytes
        self.requests = 0
        self.failures = 0
        self.console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

    def map_sample(self) -> Iterator[Batch]:
        for name in samples.names():
            yield from self._map(Request(samples.read(name), name))

    def map_files(self, files: list[str]) -> Iterator[Batch]:
        quiet = len(files) < PROGRESS_FROM_FILES or not self.console.is_terminal
        with Progress(console=self.console, transient=True, disable=quiet) as progress:
            for file in progress.track(files, description="mapping"):
                try:
                    for request in read_requests(file, self.max_bytes):
                        yield from self._map(request)
                except FileError as error:
                    self._say_failure(str(error))

    def _map(self, request: Request) -> Iterator[Batch]:
        self.requests += 1
        try:
            batch = self.mapper.map_batch(request.body, content_encoding=request.content_encoding)
        except SpanmapError as error:
            self._say_failure(f"{request.where}: {error}")
            return
        for rejected in batch.errors:
            self.console.print(f"left out: {request.where}: {rejected}", style="yellow")
        yield batch

    def _say_failure(self, message: str) -> None:
        self.failures += 1
        self.console.print(f"failed: {message}", style="red")

    def say_summary(self) -> None:
        counters = self.mapper.counters
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counters["dropped"].items())) or "none"
        said = f"{self.requests:,} requests, {counters['spans']:,} spans, {counters['events']:,} events"
        self.console.print(f"{said}; dropped spans: {dropped}; failures: {self.failures:,}")


def _write(batches: Iterator[Batch], shape: Literal["ndjson", "json", "table"], output: BinaryIO) -> None:
    if shape == "table":
        events: list[Event] = [event for batch in batches for event in batch.events]
        console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
        with console.capture() as captured:
            console.print(make_table(events))
        output.write(captured.get().encode())
    elif shape == "json":
        separator = b"["
        for batch in batches:
            if inner := batch.to_json()[1:-1]:
                output.write(separator + inner)
                separator = b",\n"
        output.write(b"[]\n" if separator == b"[" else b"]\n")
    else:
        for batch in batches:
            output.write(batch.to_json_lines())
