"""The few semantics of JavaScript that PostHog's later stage lets through into its events."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from ..jsontext import NotJsonError, digits_of

Parse: TypeAlias = Callable[[str], Any]
"""Parses JSON text within the caps; raises `NotJsonError`."""

# What String.prototype.trim removes: ECMA-262's white space and line terminators. Python's own strip also takes
# U+0085 and four control characters, and leaves the byte order mark.
WHITE_SPACE = "\t\n\x0b\x0c\r \xa0\ufeff\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# Number.MAX_SAFE_INTEGER: text with a larger number does not say an exact integer, since `Number` makes a double of it.
MAX_SAFE_INTEGER = 2**53 - 1
ARRAY_INDEX = re.compile(r"(0|[1-9][0-9]{0,9})\Z")


def parsed_or_text(value: Any, parse: Parse) -> Any:
    """A string as the JSON it holds, of any type; anything else, and a string that holds none, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except NotJsonError:
        return value


def parsed_container(value: Any, parse: Parse) -> Any:
    """A string as the array or object that it holds; anything else as it is."""
    parsed = parsed_or_text(value, parse)
    return parsed if isinstance(parsed, (list, dict)) else value


def is_truthy(value: Any) -> bool:
    """JavaScript's truth: empty arrays and objects are true."""
    return isinstance(value, (list, dict)) or bool(value)


def is_number(value: Any) -> bool:
    """Whether `typeof value` is number: Python counts truth values as integers too."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether a value is a number that a double can hold: exact integers may be larger."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False


def number_of(value: Any, *, blank: int | None = None) -> int | float | None:
    """A finite number, or a string that holds one; `blank` for a string of white space; `None` otherwise."""
    if isinstance(value, str):
        return number_of_text(value) if trimmed(value) else blank
    return value if is_finite(value) else None


def trimmed(text: str) -> str:
    """The text without JavaScript's white space at its ends."""
    return text.strip(WHITE_SPACE)


def number_of_text(text: str) -> int | float | None:
    """`Number(text)`; `None` for NaN and the infinities.

    >>> [number_of_text(t) for t in ("", " 01 ", "1e1", "0x2", "1.5", "x", "1_0", "-")]
    [0, 1, 10, 2, 1.5, None, None, None]
    """
    text = trimmed(text)
    if not text:
        return 0
    for prefix, base, digits in (("0x", 16, "0123456789abcdef"), ("0o", 8, "01234567"), ("0b", 2, "01")):
        if text[:2].lower() == prefix:
            rest = text[2:].lower()
            return _safe(int(rest, base)) if rest and set(rest) <= set(digits) else None
    if not set(text) <= set("0123456789+-.eE"):
        return None
    try:
        return _safe(float(text))
    except ValueError:
        return None


def _safe(number: float) -> int | float | None:
    """The number as a double, or as an integer where a double holds it exactly and its neighbours too."""
    try:
        number = float(number)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) <= MAX_SAFE_INTEGER else number


def utf16_length(text: str) -> int:
    """The length of a string as JavaScript counts it."""
    return len(text.encode("utf-16-le")) // 2


def json_text(value: Any) -> str:
    """`JSON.stringify(value)`, but for integers beyond 2**53, which stay exact here.

    >>> json_text({"b": 1.0, "2": "x", "1": None})
    '{"1":null,"2":"x","b":1}'
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in _in_order(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return digits_of(value)
    return json.dumps(value, ensure_ascii=False)


def _in_order(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """The members as JavaScript enumerates them: array indices ascending, then the others as they came."""
    indices = [key for key in value if ARRAY_INDEX.match(key) and int(key) < 2**32 - 1]
    keys = sorted(indices, key=int) + [key for key in value if key not in indices]
    return [(key, value[key]) for key in keys]


def _number_text(value: float) -> str:
    """The shortest digits that give the number again, written as ECMA-262 says (Number::toString)."""
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    sign, digit_tuple, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + int(exponent)
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{fraction}e{point - 1:+d}"
    return "-" + text if sign else text
