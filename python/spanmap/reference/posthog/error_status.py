"""What an error status adds: that it is one, what it says, and an HTTP status from wherever one stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .values import json_values

if TYPE_CHECKING:
    from ..event import Properties
    from ..span import Span

STATUS_ERROR = 2
DEFAULT_ERROR = "OpenTelemetry span status error"
# An error that tells no status counts as the server's fault.
DEFAULT_HTTP_STATUS = 500

STATUS_KEYS = (
    "$ai_http_status",
    "http.response.status_code",
    "http.status_code",
    "http.status",
    "status_code",
    "error.status_code",
    "exception.status_code",
)
# Unicode's White_Space, which Rust trims; Python would also trim four control characters.
WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
INTEGER = re.compile(r"[+-]?[0-9]+\Z")


def write_error_status(span: Span, properties: Properties) -> None:
    """Writes `$ai_is_error`, `$ai_error` and `$ai_http_status` for a span whose status is exactly ERROR."""
    if span.status_code != STATUS_ERROR:
        return
    exception = _exception_attributes(span)
    properties["$ai_is_error"] = True
    properties.setdefault("$ai_error", _error_text(span, exception))
    if "$ai_http_status" not in properties:
        properties["$ai_http_status"] = _http_status(span, exception, properties)


def _exception_attributes(span: Span) -> Properties:
    """Those of the last event that is named or looks like an exception, even where an earlier one says more."""
    found: Properties = {}
    for event in span.events:
        keys = {key for key, _ in event.attributes}
        if event.name == "exception" or keys & {"exception.message", "exception.type"}:
            found = json_values(event.attributes)
    return found


def _error_text(span: Span, exception: Properties) -> str:
    parts = [_text(exception, "exception.type"), _text(exception, "exception.message")]
    return ": ".join(filter(None, parts)) or span.status_message or DEFAULT_ERROR


def _http_status(span: Span, exception: Properties, properties: Properties) -> int:
    found = (
        _status_in_attributes(exception),
        status_in_text(_text(exception, "exception.message")),
        status_in_text(_text(exception, "error.message")),
        _status_in_attributes(properties),
        status_in_text(span.status_message),
    )
    return next((status for status in found if status is not None), DEFAULT_HTTP_STATUS)


def _text(attributes: Properties, key: str) -> str:
    value = attributes.get(key)
    return value if isinstance(value, str) else ""


def _status_in_attributes(attributes: Properties) -> int | None:
    for key in STATUS_KEYS:
        value = attributes.get(key)
        if isinstance(value, str):
            value = _integer(value)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return value
    return None


def _integer(text: str) -> int | None:
    """The integer in the text, where it can be a status: leading zeros count for nothing."""
    digits = text.removeprefix("+").lstrip("0")
    return int(digits) if INTEGER.match(text) and len(digits) == 3 and digits.isdecimal() else None


def status_in_text(text: str) -> int | None:
    """A status next to a marker word; one marker is tried over the whole text before the next.

    >>> status_in_text("HTTP 429"), status_in_text("status code: 503."), status_in_text("Error code: 429")
    (429, 503, None)
    """
    lower = "".join(character.lower() if character.isascii() else character for character in text)
    rules = (
        ("status_code", _after_separator),
        ("status code", _after_separator),
        ("status", _after_status),
        ("http", _after_http),
    )
    for marker, rule in rules:
        for at in _words(lower, marker):
            status = rule(lower[at + len(marker) :])
            if status is not None:
                return status
    return None


def _words(text: str, word: str) -> list[int]:
    """Where the word stands with no word character on either side."""
    found = []
    at = text.find(word)
    while at >= 0:
        if not (at > 0 and _is_word(text[at - 1])) and not _is_word(text[at + len(word) : at + len(word) + 1]):
            found.append(at)
        at = text.find(word, at + 1)
    return found


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


def _starts_with_word(text: str, word: str) -> bool:
    return text.startswith(word) and not _is_word(text[len(word) : len(word) + 1])


def _after_separator(rest: str, needs_separator: bool = False) -> int | None:
    """A number behind `:` or `=`, or at once. A URL is not a status."""
    rest = rest.lstrip(WHITE_SPACE)
    if rest.startswith("://"):
        return None
    if rest[:1] in (":", "="):
        return _number(rest[1:])
    return None if needs_separator else _number(rest)


def _after_status(rest: str) -> int | None:
    """Behind the word `status` a number needs `:` or `=`, or the word `code`, before it."""
    rest = rest.lstrip(WHITE_SPACE)
    if _starts_with_word(rest, "code"):
        return _after_separator(rest.removeprefix("code"))
    return _after_separator(rest, needs_separator=True)


def _after_http(rest: str) -> int | None:
    """Behind `http`: the word `status` and what follows it, or a number."""
    rest = rest.lstrip(WHITE_SPACE)
    if _starts_with_word(rest, "status"):
        return _after_status(rest.removeprefix("status"))
    return _after_separator(rest)


def _number(rest: str) -> int | None:
    """Exactly three digits with no word character behind them, from 100 to 599."""
    rest = rest.lstrip(WHITE_SPACE)
    match = re.match("[0-9]{3}", rest)
    if match is None or _is_word(rest[3:4]):
        return None
    status = int(match[0])
    return status if 100 <= status <= 599 else None
