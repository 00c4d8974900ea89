"""Traceloop's OpenLLMetry: messages spread over indexed attributes such as `gen_ai.prompt.0.content`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .generic import map_generic, remove, rename_if_unset
from .javascript import Parse, number_of_text

if TYPE_CHECKING:
    from ..event import Event, Properties

MARKERS = ("llm.request.type", "traceloop.span.kind", "traceloop.entity.name")
REMOVED = (
    "traceloop.span.kind",
    "traceloop.entity.name",
    "traceloop.entity.path",
    "traceloop.workflow.name",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "llm.is_streaming",
    "llm.usage.total_tokens",
)
REMOVED_PREFIX = "traceloop.association.properties."

# Target, prefix of the indexed keys, fields that are taken, groups that hold indexed fields of their own.
INDEXED: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("$ai_input", "gen_ai.prompt.", ("role", "content", "tool_call_id"), ("tool_calls",)),
    ("$ai_output_choices", "gen_ai.completion.", ("role", "content"), ()),
    ("$ai_tools", "llm.request.functions.", ("name", "description", "parameters"), ()),
)


def is_marked(properties: Properties) -> bool:
    """Whether one of the markers is there, whatever its value."""
    return any(marker in properties for marker in MARKERS)


def convert(event: Event, parse: Parse) -> None:
    """Converts in place; the generic mapping runs first."""
    map_generic(event, parse)
    properties = event.properties
    for target, prefix, fields, groups in INDEXED:
        if target not in properties:
            items = take_indexed(properties, prefix, fields, groups)
            if items:
                properties[target] = items
    has_stop_reason = properties.get("llm.response.stop_reason") is not None
    source = "llm.response.stop_reason" if has_stop_reason else "llm.response.finish_reason"
    rename_if_unset(properties, source, "$ai_stop_reason")
    remove(properties, "llm.response.stop_reason", "llm.response.finish_reason")
    properties["$ai_lib"] = "opentelemetry/traceloop"
    remove(properties, *REMOVED, *[name for name in properties if name.startswith(REMOVED_PREFIX)])


def take_indexed(
    properties: Properties, prefix: str, fields: tuple[str, ...], groups: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Takes `PREFIX<i>.<field>` and `PREFIX<i>.<group>.<j>.<sub-field>` out of the properties.

    The items come in the order of their indices; gaps close. A key with another field, or with an index that
    is none, stays where it is.
    """
    items: dict[float, dict[str, Any]] = {}
    nested: dict[tuple[float, str], dict[float, dict[str, Any]]] = {}
    for key in [name for name in properties if name.startswith(prefix)]:
        index, field = _indexed(key.removeprefix(prefix))
        if index is None:
            continue
        if field in fields:
            items.setdefault(index, {})[field] = properties.pop(key)
            continue
        group, _, rest = field.partition(".")
        inner_index, inner_field = _indexed(rest)
        if group in groups and inner_index is not None:
            items.setdefault(index, {})
            inner = nested.setdefault((index, group), {}).setdefault(inner_index, {})
            inner[inner_field] = properties.pop(key)
    for (index, group), inner_items in nested.items():
        items[index][group] = _in_order(inner_items)
    return _in_order(items)


def _indexed(text: str) -> tuple[float | None, str]:
    """The index in front of the first dot, as JavaScript's `Number` reads it, and what follows the dot.

    >>> _indexed("0x2.role"), _indexed(".role"), _indexed("-1.role"), _indexed("role")
    ((2, 'role'), (0, 'role'), (None, 'role'), (None, ''))
    """
    digits, dot, field = text.partition(".")
    index = number_of_text(digits) if dot else None
    return (index if index is not None and index == int(index) and index >= 0 else None), field


def _in_order(items: dict[float, dict[str, Any]]) -> list[dict[str, Any]]:
    return [items[index] for index in sorted(items)]
