"""Attribute values of OTLP/JSON: the `AnyValue` object, or plain JSON in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import json_scalars as scalars
from .refusal import damage, over_limit

if TYPE_CHECKING:
    from ..limits import Limits
    from ..span import Value

ANY_VALUE = ("arrayValue", "boolValue", "bytesValue", "doubleValue", "intValue", "kvlistValue", "stringValue")
INT64 = range(-(1 << 63), 1 << 63)


def members(item: dict[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The known members that are not null, under their camelCase names.

    `trace_id` and `traceId` are one member: the one that stands last in the object wins, also where it is
    null.
    """
    names = {_snake(name): name for name in known} | {name: name for name in known}
    found = {names[name]: value for name, value in item.items() if name in names}
    return {name: value for name, value in found.items() if value is not None}


def object_at(item: Any, path: str) -> dict[str, Any]:
    """The item, which must be an object."""
    if not isinstance(item, dict):
        raise damage("is not an object", "Send a JSON object, or leave the member out.", path=path)
    return item


def attribute_value(item: Any, path: str, limits: Limits, nesting: int = 0) -> Value:
    """What an attribute's `value` holds: an `AnyValue`, or plain JSON. `None` where it holds no value.

    Raises:
        DecodeError: A member has a wrong type, also one that does not win.
        LimitError: Arrays and key-value lists are nested deeper than `limits.max_nesting`.
    """
    if isinstance(item, dict):
        return _any_value(item, path, limits, nesting)
    if isinstance(item, list):
        return _array(item, path, limits, nesting)
    if isinstance(item, int) and not isinstance(item, bool) and item not in INT64:
        return _double(item)
    plain: Value = item
    return plain


def _any_value(item: dict[str, Any], path: str, limits: Limits, nesting: int) -> Value:
    found = members(item, ANY_VALUE)
    value: Value = None
    # Of several members the last in the order of their names wins; each must be well-typed all the same.
    for name in sorted(found):
        member, member_path = found[name], f"{path}.{name}"
        if name == "arrayValue":
            value = _array(_values(member, member_path), f"{member_path}.values", limits, nesting)
        elif name == "kvlistValue":
            value = _object(_values(member, member_path), f"{member_path}.values", limits, nesting)
        else:
            value = _scalar(name, found, path)
    return value


def _scalar(name: str, found: dict[str, Any], path: str) -> Value:
    item, path = found[name], f"{path}.{name}"
    if name == "stringValue" and isinstance(item, str):
        return item
    if name == "boolValue" and (isinstance(item, bool) or item in ("true", "false")):
        return item if isinstance(item, bool) else item == "true"
    if name == "intValue":
        number = scalars.signed_text(item) if isinstance(item, str) else scalars.integral(item)
        if number is not None and number in INT64:
            return number
    if name == "doubleValue":
        if isinstance(item, str) and item in scalars.NOT_FINITE:
            return scalars.NOT_FINITE[item]
        if isinstance(item, str) and scalars.JSON_NUMBER.match(item):
            return float(item)
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            return _double(item)
    if name == "bytesValue" and isinstance(item, str):
        decoded = scalars.base64_bytes(item)
        if decoded is not None:
            return decoded
    raise damage("does not hold what its name says", "Encode the value as OTLP/JSON asks.", path=path)


def _double(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return scalars.NOT_FINITE["Infinity" if number > 0 else "-Infinity"]


def _values(item: Any, path: str) -> Any:
    """The `values` of an `arrayValue` or `kvlistValue`; many encoders leave them out of an empty one."""
    return members(object_at(item, path), ("values",)).get("values", [])


def _deeper(nesting: int, path: str, limits: Limits) -> int:
    if nesting == limits.max_nesting:
        raise over_limit("max_nesting", f"nests values deeper than {limits.max_nesting}", path=path)
    return nesting + 1


def _array(items: Any, path: str, limits: Limits, nesting: int) -> Value:
    nesting = _deeper(nesting, path, limits)
    if not isinstance(items, list):
        raise damage("is not a list", "Send a JSON array.", path=path)
    values = [attribute_value(item, f"{path}[{index}]", limits, nesting) for index, item in enumerate(items)]
    return [value for value in values if value is not None]


def _object(items: Any, path: str, limits: Limits, nesting: int) -> Value:
    nesting = _deeper(nesting, path, limits)
    if isinstance(items, dict):
        pairs = [(key, attribute_value(item, f"{path}[{key!r}]", limits, nesting)) for key, item in items.items()]
    elif isinstance(items, list):
        pairs = []
        for index, item in enumerate(items):
            if item is None:
                continue
            item_path = f"{path}[{index}]"
            pair = members(object_at(item, item_path), ("key", "value"))
            key = scalars.text(pair, "key", item_path)
            pairs.append((key, attribute_value(pair.get("value"), f"{item_path}.value", limits, nesting)))
    else:
        raise damage("is neither a list nor an object", "Send a list of keys and values.", path=path)
    return {key: value for key, value in pairs if value is not None}


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
