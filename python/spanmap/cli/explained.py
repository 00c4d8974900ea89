"""Explanations as tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from spanmap import Drop, ExplainedEvent
from spanmap.cli.table import shown

# Longer values are cut: the events themselves are what `spanmap map` is for.
VALUE_WIDTH = 40


def make_tables(events: Iterable[ExplainedEvent], drops: Iterable[Drop]) -> Iterator[RenderableType]:
    """For each event its properties with their reasons, and the attributes without one of their own; then drops."""
    for explained in events:
        properties = explained["event"]["properties"]
        title = [explained["event"]["event"], shown(properties.get("$ai_span_name")), properties["$ai_span_id"]]
        yield Text("  ".join(title), style="bold")
        yield _properties_table(explained)
        if explained["unused"]:
            yield _table(
                ("attribute without a property of its own", "why"),
                *((u["key"], u["reason"]) for u in explained["unused"]),
            )
        yield Text()
    rows = [(drop.name, drop.span_id, drop.reason) for drop in drops]
    if rows:
        yield _table(("span that is no event", "id", "why"), *rows)


def _properties_table(explained: ExplainedEvent) -> Table:
    values = explained["event"]["properties"]
    return _table(
        ("property", "value", "from", "rule", "instead of"),
        *(
            (
                note["property"],
                _cut(_plain(values[note["property"]])),
                note["source"] or "",
                note["rule"],
                ", ".join(note["losers"]),
            )
            for note in explained["properties"]
        ),
    )


def _plain(value: Any) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _table(titles: Iterable[str], *rows: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    return table
