"""What capture makes of attribute values when it writes them into its JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..span import Attribute, Value, last_values

if TYPE_CHECKING:
    from ..event import Properties


def json_values(attributes: list[Attribute]) -> Properties:
    """The attributes as JSON members: the last duplicate that has a value wins."""
    return {key: json_value(value) for key, value in last_values(attributes).items()}


def json_value(value: Value) -> Any:
    """Bytes as lower-case hex, NaN and infinities as null, key-value lists as objects with sorted names."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in sorted(value.items())}
    return value
