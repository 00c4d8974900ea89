"""The scalars of OTLP/JSON: ids, numbers, enums and texts, in every spelling that leaves no doubt.

Each function takes the members of an object and a name; a missing member gives the default of protobuf.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any

from .refusal import damage

HEX = re.compile(r"(?:[0-9a-fA-F]{2})*\Z")
UNSIGNED = re.compile(r"[0-9]+\Z")
SIGNED = re.compile(r"[+-]?[0-9]+\Z")
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]*(={0,2})\Z")
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def text(parent: dict[str, Any], name: str, path: str) -> str:
    """A string; other types are an error."""
    value = parent.get(name, "")
    if not isinstance(value, str):
        raise damage("is not a string", "Send a JSON string.", path=_join(path, name))
    return value


def identifier(parent: dict[str, Any], name: str, path: str) -> bytes:
    """An id as hex (OTLP/JSON), or as base64 of 8 or 16 bytes (protobuf's own JSON form)."""
    value = text(parent, name, path)
    if HEX.match(value):
        return bytes.fromhex(value)
    decoded = base64_bytes(value)
    if decoded is None or len(decoded) not in (8, 16):
        advice = "Send 32 hex digits for a trace id and 16 for a span id."
        raise damage("is neither hex nor base64 of 8 or 16 bytes", advice, path=_join(path, name))
    return decoded


def unsigned(parent: dict[str, Any], name: str, path: str, *, bits: int) -> int:
    """An integer, a number with an integral value, or a string of digits."""
    value = parent.get(name, 0)
    number = None
    if isinstance(value, str) and UNSIGNED.match(value) and len(value.lstrip("0")) <= 20:
        number = int(value.lstrip("0") or "0")
    elif not isinstance(value, str):
        number = integral(value)
    if number is None or not 0 <= number < 1 << bits:
        advice = "Send it as a string of decimal digits."
        raise damage(f"is not an unsigned {bits}-bit integer", advice, path=_join(path, name))
    return number


def enum(parent: dict[str, Any], name: str, path: str, names: dict[str, int]) -> int:
    """An integer, a string that holds one, or a name of the enumeration."""
    value = parent.get(name, 0)
    if isinstance(value, str) and value in names:
        return names[value]
    number = signed_text(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not -(1 << 31) <= number < 1 << 31:
        advice = f"Send the number, or one of {', '.join(names)}."
        raise damage("is neither a 32-bit integer nor a known name", advice, path=_join(path, name))
    return number


def signed_text(value: str) -> int | None:
    """The integer in a string of an optional sign and digits; `None` for others and for far too long ones."""
    if not SIGNED.match(value):
        return None
    digits = value.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 20:
        return None
    return -int(digits) if value.startswith("-") else int(digits)


def integral(value: Any) -> int | None:
    """The integer that a JSON number stands for, if it stands for one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def base64_bytes(value: str) -> bytes | None:
    """Standard or url-safe base64, padded or not; `None` for anything else."""
    match = BASE64.match(value)
    if match is None:
        return None
    digits = len(value) - len(match[1])
    if digits % 4 == 1 or (match[1] and len(value) % 4):
        return None
    standard = value[:digits].translate(str.maketrans("-_", "+/"))
    return base64.b64decode(standard + "=" * (-digits % 4))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
