"""The rules of the core as a table for people and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

import spanmap

Rule = dict[str, Any]

EVERY_DIALECT = "all dialects"
# What the core's names of shapes mean to whoever writes attributes.
SHAPES = {
    "count": "a whole number at or above zero, also as text",
    "number": "a number at or above zero, also as text; costs are in US dollars, times in seconds",
    "milliseconds": "a number of milliseconds; the property has seconds",
    "text": "text that is not empty",
    "quoted_text": "text that is not empty, also in JSON quotes; for identities also a whole number",
    "whatever": "anything that is not empty; text that holds a JSON object or array is parsed",
    "content": "as `whatever`, but `{}` and `N/A` mean that content was not captured",
    "provider": "the provider's name, which becomes the one that PostHog knows",
    "stop_reason": "a reason, or a list of reasons, of which the first counts",
    "parameters": "a JSON object of model parameters",
    "tools": "a list of tool definitions",
}
# What the rules do that compute a value, or that hold for attributes of any name.
COMPUTED = {
    "wire.trace_id": "the trace id, in hexadecimal",
    "wire.span_id": "the span id, in hexadecimal",
    "wire.times": "from the span's start to its end, in seconds",
    "wire.scope_version": "the version of the instrumentation scope",
    "dialect.library": "`opentelemetry/` and the most telling dialect that the span speaks",
    "spanmap.source": "`spanmap`",
    "spanmap.no_geoip": "true unless the span says otherwise: the address would be a server's",
    "span.name": "the name of the tool or agent that ran, else the span's",
    "tree.parent": "the event above, where spans between the two may have become none",
    "tree.remote_parent": "the parent that the span names, where another stands in for it",
    "identity.nobody": "false where nothing names a user",
    "identity.session": "from the span, the spans around it or its resource; else its conversation",
    "call.model": "from a recorded request, or from the name of a span that carries nothing else",
    "call.provider": "from the scope's name, or the model's",
    "call.parameters": "the `parameters.*` rules together",
    "call.first_token": "to the event of the first chunk, in seconds, never more than the latency",
    "call.cache_convention": "see [below](#cached-tokens-and-input-tokens)",
    "call.total_cost": "input and output cost together, in US dollars",
    "call.cost_passthrough": "true where a total cost came without its parts, or from OpenRouter",
    "content.input": "the messages or texts that went in",
    "content.output": "the messages that came out",
    "content.input_state": "what went into a tool, an agent or another step",
    "content.output_state": "what came out of it",
    "content.stop_reason": "from the messages that came out",
    "content.tools": "from numbered attributes, or from a recorded request",
    "error.is_error": "true where the span failed",
    "error.message": "from the exception event, the status or an attribute",
    "error.type": "from the exception event or an attribute",
    "error.status": "from an attribute, the exception event or the message",
    "resource": "resource attributes keep their names",
}
INTRODUCTION = """\
# Where properties come from

<!-- Written by `make docs` from the rules of the core: edit those. -->

These are the rules of `compat="best"`. A span may speak several dialects at once. For each property the dialects are
asked in the order of the rows, and within a row the attributes in the order in which they stand; the first value of the
right shape is taken. An attribute that has a property's own name (`$ai_model`) wins over all rules, save for ids, times
and failures. `key#a.b` is a member of the JSON that the attribute holds, and `prefix*` stands for every
attribute that begins so.

`spanmap explain FILE` names the rule and the attribute behind each property of a real span.

## Properties"""


def make_tables() -> Iterator[RenderableType]:
    """The rules by dialect, then the cache conventions."""
    for dialect, rules in groupby(spanmap.rules(), key=lambda rule: str(rule["dialect"])):
        listed = list(rules)
        yield Text(f"{dialect or EVERY_DIALECT}  {listed[0]['source']}".rstrip(), style="bold")
        table = _table("property", "from, in order", "shape", "rule")
        for rule in listed:
            table.add_row(*(Text(cell) for cell in (rule["to"], "\n".join(rule["from"]), rule["shape"], rule["id"])))
        yield table
        yield Text()
    yield Text("cached tokens and input tokens", style="bold")
    table = _table("library", "whether input tokens leave out the cached ones")
    for who, convention in spanmap.cache_conventions():
        table.add_row(Text(who), Text(convention))
    yield table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def as_dict() -> dict[str, Any]:
    """The rules and the cache conventions, ready for JSON."""
    conventions = [{"library": who, "convention": convention} for who, convention in spanmap.cache_conventions()]
    return {"rules": spanmap.rules(), "cache_conventions": conventions}


def as_markdown() -> str:
    """The document `docs/mapping.md`: each property with its sources, dialect by dialect."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    rules = spanmap.rules()
    yield from INTRODUCTION.splitlines()
    yield ""
    properties = list(dict.fromkeys(rule["to"] for rule in rules if rule["from"]))
    for name in sorted(properties):
        yield f"### `{name}`"
        yield ""
        yield from _rows(
            ("dialect", "attributes, in order of precedence", "shape", "rule"),
            *(
                (
                    f"[{rule['dialect']}]" if rule["source"] else rule["dialect"] or EVERY_DIALECT,
                    " <br> ".join(f"`{source}`" for source in rule["from"]),
                    rule["shape"],
                    f"`{rule['id']}`",
                )
                for rule in rules
                if rule["to"] == name and rule["from"]
            ),
        )
    yield from ("## Computed properties", "")
    yield "Where no rule above gives the property, these do. They look at more than one attribute, at the span itself,"
    yield "or at other spans of its trace."
    yield ""
    computed = sorted((rule["to"], rule["id"]) for rule in rules if not rule["from"])
    yield from _rows(
        ("property", "value", "rule"), *((f"`{to}`", COMPUTED[rule], f"`{rule}`") for to, rule in computed)
    )
    yield from ("## Shapes", "")
    used = [shape for shape in SHAPES if any(rule["shape"] == shape for rule in rules)]
    yield from _rows(("shape", "meaning"), *((shape, SHAPES[shape]) for shape in used))
    yield from ("## Cached tokens and input tokens", "")
    yield "`$ai_cache_reporting_exclusive` says whether `$ai_input_tokens` leaves out the cached tokens."
    yield "An attribute of that name decides. Otherwise input tokens that are fewer than the cached ones cannot include"
    yield "them; else the first of these libraries that the span shows decides."
    yield ""
    yield from _rows(("library", "convention"), *spanmap.cache_conventions())
    sources = {rule["dialect"]: rule["source"] for rule in rules if rule["source"]}
    yield from (f"[{dialect}]: {source}" for dialect, source in sources.items())
    yield ""


def _rows(titles: tuple[str, ...], *rows: tuple[str, ...]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{' --- |' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
