"""The shapes that attribute values take: each function reads one, or says None."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from typing import Any

from ..jsontext import NotJsonError, parse, without_lone_surrogates

# Text that nests deeper stays text. The same default as `Limits.max_json_nesting`.
MAX_JSON_NESTING = 128

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)

NOT_JSON = object()


def parse_json(text: str) -> Any:
    """The value of JSON text, or NOT_JSON."""
    try:
        return parse(text, MAX_JSON_NESTING)
    except NotJsonError:
        return NOT_JSON


def parse_container(text: Any) -> dict[str, Any] | list[Any] | None:
    """A JSON object or array written as text, possibly twice encoded; or one that is no text at all."""
    if isinstance(text, (dict, list)):
        return text
    for _ in range(2):
        if not isinstance(text, str) or text.lstrip(" \t\r\n")[:1] not in ("{", "[", '"'):
            return None
        text = parse_json(text)
        if isinstance(text, (dict, list)):
            return text
    return None


def parse_literal(text: Any) -> dict[str, Any] | list[Any] | None:
    """A container written as JSON or as a Python literal: what str() of a dict or list gives."""
    found = parse_container(text)
    if found is not None or not isinstance(text, str) or text[:1] not in ("{", "["):
        return found
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return _plain(value) if isinstance(value, (dict, list)) and _is_plain(value) else None


def _is_plain(value: Any, nesting: int = 0) -> bool:
    """Whether a literal holds nothing but what JSON has a place for; sets, bytes and complex numbers have none."""
    if isinstance(value, (dict, list, tuple)):
        if nesting == MAX_JSON_NESTING or (isinstance(value, dict) and not all(isinstance(k, str) for k in value)):
            return False
        return all(_is_plain(v, nesting + 1) for v in (value.values() if isinstance(value, dict) else value))
    return value is None or isinstance(value, (str, int, float))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {without_lone_surrogates(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return without_lone_surrogates(value) if isinstance(value, str) else value


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value != "" else None


def quoted_text(value: Any) -> str | None:
    """Text that may wear JSON quotes: `"gpt-4o"` or `gpt-4o`."""
    if isinstance(value, str) and len(value) >= 2 and value[0] == '"' and value[-1] == '"':
        inner = parse_json(value)
        return inner if isinstance(inner, str) and inner else None
    return text(value)


def number(value: Any) -> int | float | None:
    """A finite number at or above zero, written as a number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not _NUMBER.match(value):
            return None
        value = int(value) if re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII) else float(value)
    if not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        return None
    return value


def count(value: Any) -> int | None:
    """A token count: a whole number; 5.0 is 5."""
    n = number(value)
    if n is None or n != int(n) or n >= 2**63:
        return None
    return int(n)


def whatever(value: Any) -> Any:
    """JSON if the text is a JSON container, else as it is; nothing when empty."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        found = parse_container(value)
        return value if found is None else found
    return value


Shape = Callable[[Any], Any]
