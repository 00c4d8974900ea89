"""The commands. Events go to standard output; everything said about them goes to standard error."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from typing import Any, BinaryIO, Generic, Literal, ParamSpec, TypedDict, TypeVar, Unpack

import click
from rich.console import Console, RenderableType
from rich.progress import Progress

from spanmap import Batch, Explanation, Limits, Mapper, SpanmapError, samples
from spanmap.cli import catalogue, explained
from spanmap.cli.bench import bench
from spanmap.cli.check import check_connection
from spanmap.cli.files import FileError, Request, find_files, read_requests
from spanmap.cli.table import Event, make_table

# A bar for fewer files would be gone before it is read.
PROGRESS_FROM_FILES = 20
# Columns of a table that goes to no terminal.
TABLE_WIDTH = 160
P = ParamSpec("P")
Result = TypeVar("Result", Batch, Explanation)
# How the JSON of a log export begins.
LOGS_IN_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"resource(?:L|_l)ogs"')
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


def _takes_exports(command: Callable[P, None]) -> Callable[P, None]:
    """Adds what `map` and `explain` have in common."""
    for decorate in reversed(
        (
            click.argument("files", nargs=-1, metavar="FILES..."),
            click.option("--sample", is_flag=True, help="Map the export that ships with spanmap."),
            click.option(
                "--on-error",
                type=click.Choice(["raise", "skip"]),
                default="raise",
                show_default=True,
                help="One unreadable span: give up its request, or leave the span out.",
            ),
            click.option("--privacy", is_flag=True, help="Leave out the content of messages and states."),
            click.option(
                "--prefix", "prefixes", multiple=True, help="Keep spans with a key that begins so; repeatable."
            ),
            click.option(
                "--rules", type=click.Path(), help="Edit attributes by the [[rule]] tables of this TOML file."
            ),
            click.option(
                "--limit", "limits", multiple=True, metavar="NAME=N", callback=_parse_limits, help="Change a cap."
            ),
        )
    ):
        command = decorate(command)
    return command


@spanmap.command("map")
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
    "--signal",
    type=click.Choice(["auto", "traces", "logs"]),
    default="auto",
    show_default=True,
    help="What the files hold; auto takes JSON that begins with resourceLogs for logs, and all else for traces.",
)
@_takes_exports
def map_files(
    shape: Literal["ndjson", "json", "table"],
    output: BinaryIO,
    compat: Literal["best", "posthog"],
    signal: Literal["auto", "traces", "logs"],
    **given: Unpack[_Given],
) -> None:
    """Map trace exports, and the evaluations in log exports, to PostHog AI events.

    FILES are OTLP requests as protobuf or JSON, JSON lines, or length-delimited files of the OpenTelemetry Collector,
    each possibly compressed with gzip or zstd; folders and globs of such files; or - for standard input.

    Exit status: 0 if every request was mapped, 1 if one was not (the others are mapped all the same), 2 if the command
    line is wrong.
    """
    mapper = _make_mapper(given, compat)

    def map_request(body: bytes, *, content_encoding: str | None) -> Batch:
        is_logs = signal == "logs" or (signal == "auto" and LOGS_IN_JSON.match(body) is not None)
        return (mapper.map_logs_batch if is_logs else mapper.map_batch)(body, content_encoding=content_encoding)

    run = _Run(mapper, map_request, given)
    _write(run.results(), shape, output)
    run.end()


@spanmap.command("explain")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Tables to read, or one JSON object.",
)
@_takes_exports
def explain_files(shape: Literal["table", "json"], **given: Unpack[_Given]) -> None:
    """Say why events look as they do.

    For each property: the attribute that it comes from, the rule, and what the rule preferred it to. For each attribute
    without a property of its own, and each span that is no event: why. `spanmap rules` lists the rules. FILES and the
    exit status are those of `spanmap map`.
    """
    mapper = _make_mapper(given, "best")
    run = _Run(mapper, mapper.explain, given)
    if shape == "json":
        whole: dict[str, list[Any]] = {"events": [], "drops": [], "errors": []}
        for explanation in run.results():
            for name, items in explanation.to_dict().items():
                whole[name] += items
        click.echo(json.dumps(whole, ensure_ascii=False, indent=2))
    else:
        for explanation in run.results():
            _show(explained.make_tables(explanation.events, explanation.drops))
    run.end()


spanmap.add_command(bench)
spanmap.add_command(check_connection)


@spanmap.command("rules")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="Tables to read, one JSON object, or a document.",
)
def list_rules(shape: Literal["table", "json", "markdown"]) -> None:
    """List the rules: which property comes from which attributes, dialect by dialect."""
    if shape == "json":
        click.echo(json.dumps(catalogue.as_dict(), indent=2))
    elif shape == "markdown":
        click.echo(catalogue.as_markdown(), nl=False)
    else:
        _show(catalogue.make_tables())


class _Given(TypedDict):
    """What `map` and `explain` are both told on the command line."""

    files: tuple[str, ...]
    sample: bool
    on_error: Literal["raise", "skip"]
    privacy: bool
    prefixes: tuple[str, ...]
    rules: str | None
    limits: Limits


def _make_mapper(given: _Given, compat: Literal["best", "posthog"]) -> Mapper:
    limits = given["limits"]
    try:
        return Mapper(
            compat=compat,
            prefixes=given["prefixes"] or None,
            # The files are inflated here, so that the core sees each body at its full size.
            limits=dataclasses.replace(
                limits, max_body_bytes=max(limits.max_body_bytes, limits.max_decompressed_bytes)
            ),
            on_error=given["on_error"],
            privacy_mode=given["privacy"],
            rules=given["rules"],
        )
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error


class _Run(Generic[Result]):
    """One go over all inputs: maps what can be mapped, says what cannot, and keeps count."""

    def __init__(self, mapper: Mapper, work: Callable[..., Result], given: _Given) -> None:
        if given["sample"] == bool(given["files"]):
            raise click.UsageError("Name files to map, or pass --sample to map the export that ships with spanmap.")
        try:
            self.files = find_files(given["files"])
        except FileError as error:
            raise click.UsageError(str(error)) from error
        self.mapper = mapper
        self.work: Callable[..., Result] = work
        self.max_bytes = given["limits"].max_decompressed_bytes
        self.requests = 0
        self.failures = 0
        self.console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

    def results(self) -> Iterator[Result]:
        """What the work makes of each request."""
        if not self.files:
            for name in samples.names():
                yield from self._map(Request(samples.read(name), name))
        quiet = len(self.files) < PROGRESS_FROM_FILES or not self.console.is_terminal
        with Progress(console=self.console, transient=True, disable=quiet) as progress:
            for file in progress.track(self.files, description="mapping"):
                try:
                    for request in read_requests(file, self.max_bytes):
                        yield from self._map(request)
                except FileError as error:
                    self._say_failure(str(error))

    def _map(self, request: Request) -> Iterator[Result]:
        self.requests += 1
        try:
            result = self.work(request.body, content_encoding=request.content_encoding)
        except SpanmapError as error:
            self._say_failure(f"{request.where}: {error}")
            return
        for rejected in result.errors:
            self.console.print(f"left out: {request.where}: {rejected}", style="yellow")
        yield result

    def _say_failure(self, message: str) -> None:
        self.failures += 1
        self.console.print(f"failed: {message}", style="red")

    def end(self) -> None:
        """Says what was done, and exits."""
        counters = self.mapper.counters
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counters["dropped"].items())) or "none"
        said = f"{self.requests:,} requests, {counters['spans']:,} spans, {counters['events']:,} events"
        self.console.print(f"{said}; dropped spans: {dropped}; failures: {self.failures:,}")
        sys.exit(1 if self.failures else 0)


def _write(batches: Iterator[Batch], shape: Literal["ndjson", "json", "table"], output: BinaryIO) -> None:
    if shape == "table":
        events: list[Event] = [event for batch in batches for event in batch.events]
        console = _console()
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


def _show(tables: Iterable[RenderableType]) -> None:
    console = _console()
    for table in tables:
        console.print(table)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
