"""Where events go: Python dicts, or one compact JSON array. NaN and infinities are null in both."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from .jsontext import digits_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .event import Event


def to_dicts(events: Iterable[Event]) -> list[dict[str, Any]]:
    """One dict for each event, of JSON's types only."""
    return [_finite(event.as_dict()) for event in events]


def to_json(events: Iterable[Event]) -> bytes:
    """A UTF-8 JSON array without white space; only what JSON must escape is escaped."""
    return _text([event.as_dict() for event in events]).encode("utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool):
        return digits_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False)
