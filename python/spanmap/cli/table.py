"""Events as a table for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

Event = dict[str, Any]


def make_table(events: Iterable[Event]) -> Table:
    """One row for each event: when, what, which model, how many tokens, how long, and whether it failed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("event", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("model", overflow="fold")
    for title in ("in", "out", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("error", overflow="fold", style="red")
    for event in events:
        table.add_row(*(Text(cell) for cell in _cells(event)))
    return table


def _cells(event: Event) -> list[str]:
    properties = event["properties"]
    latency = properties.get("$ai_latency")
    time = (event["timestamp"] or "").partition("T")[2]
    return [
        time[:12].rstrip("Z"),
        event["event"],
        shown(properties.get("$ai_span_name")),
        shown(properties.get("$ai_model")),
        shown(properties.get("$ai_input_tokens")),
        shown(properties.get("$ai_output_tokens")),
        f"{latency:.3f}" if isinstance(latency, int | float) else "",
        shown(properties.get("$ai_error")) if properties.get("$ai_is_error") else "",
    ]


def shown(value: object) -> str:
    """Spans are other people's text: an escape sequence in one must not reach the terminal."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)
