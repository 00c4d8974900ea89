"""Strict JSON text (RFC 8259), as bodies and as strings inside attributes hold it.

Stricter than the json module's defaults: no `NaN` or `Infinity`, no byte order mark, a cap on nesting.
Integers are exact whatever their size, the last of several equal names wins, and an escaped surrogate that
stands alone becomes U+FFFD, because no UTF-8 text can hold it.
"""

from __future__ import annotations

import json
import re
from typing import Any

LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# CPython refuses to convert longer digit strings in one go (a guard against quadratic time).
DIGITS_AT_ONCE = 4000


class NotJsonError(ValueError):
    """The text is not JSON. `position` counts characters; `too_deep` tells a passed cap from bad syntax."""

    def __init__(self, message: str, position: int, *, too_deep: bool = False) -> None:
        super().__init__(message)
        self.position = position
        self.too_deep = too_deep


def parse(text: str, max_nesting: int, *, last_place: bool = False) -> Any:
    """The value that the text stands for.

    The last of equal names wins. It stands where the first one stood, as in JavaScript's objects; with `last_place`
    where it stands itself, which tells the wire which of two spellings of a member came last.

    Raises:
        NotJsonError: The text breaks the grammar, or nests more than `max_nesting` containers: whichever
            comes first in it.
    """
    deep_at = _too_deep_at(text, max_nesting)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_in_last_places if last_place else dict,
            parse_constant=_refuse_constant,
            parse_int=integer_of,
            parse_float=float,
        )
    except RecursionError:
        raise NotJsonError(f"nests containers deeper than {max_nesting}", deep_at or 0, too_deep=True) from None
    except json.JSONDecodeError as error:
        if deep_at is None or error.pos < deep_at:
            raise NotJsonError(f"is not JSON: {error.msg}", error.pos) from error
    except _ConstantError as error:
        if deep_at is None:
            raise NotJsonError(f"is not JSON: {error} is no JSON value", text.find(str(error))) from error
    if deep_at is not None:
        raise NotJsonError(f"nests containers deeper than {max_nesting}", deep_at, too_deep=True)
    return _mended(value)


def integer_of(digits: str) -> int:
    """The exact integer, also where it has more digits than `int` takes at once."""
    if len(digits) <= DIGITS_AT_ONCE:
        return int(digits)
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
    value = 0
    for at in range(0, len(digits), DIGITS_AT_ONCE):
        part = digits[at : at + DIGITS_AT_ONCE]
        value = value * 10 ** len(part) + int(part)
    return sign * value


def digits_of(value: int) -> str:
    """The decimal digits, also where `str` would refuse."""
    if value < 0:
        return "-" + digits_of(-value)
    parts = []
    chunk = 10**DIGITS_AT_ONCE
    while value >= chunk:
        value, part = divmod(value, chunk)
        parts.append(str(part).zfill(DIGITS_AT_ONCE))
    return str(value) + "".join(reversed(parts))


def without_lone_surrogates(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair; the json module has joined whole pairs."""
    return LONE_SURROGATE.sub("\ufffd", text)


class _ConstantError(ValueError):
    """`NaN`, `Infinity` or `-Infinity` stood in the text."""


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)


def _in_last_places(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members.pop(name, None)
        members[name] = value
    return members


def _too_deep_at(text: str, max_nesting: int) -> int | None:
    """Where the first container too many opens, if one does."""
    depth = 0
    in_string = False
    at = 0
    while at < len(text):
        character = text[at]
        if in_string:
            if character == "\\":
                at += 1
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > max_nesting:
                return at
        elif character in "]}":
            depth -= 1
        at += 1
    return None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return without_lone_surrogates(value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {without_lone_surrogates(name): _mended(item) for name, item in value.items()}
    return value
