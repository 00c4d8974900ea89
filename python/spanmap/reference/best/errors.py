"""What failed, with which status: `$ai_is_error`, `$ai_error`, `$ai_http_status`."""

from __future__ import annotations

import re
from typing import Any

from .classify import Span
from .values import quoted_text, text

STATUS_KEYS = (
    "$ai_http_status",
    "http.response.status_code",
    "http.status_code",
    "error.code",
    "error.status_code",
    "exception.status_code",
    "status_code",
    "litellm.provider.error.code",
)
# "Error code: 429", "status_code: 429", "status 401", "HTTP 503", "HTTP/1.1 429", "429 Too Many Requests" at the start.
STATUS_TEXT = re.compile(
    r"(?:error code|status[ _]?code|status|http(?:/\d(?:\.\d)?)?)['\"]?\s*[:=]?\s*['\"]?([1-5]\d\d)(?!\w)"
    r"|^([45]\d\d)(?![\w.])",
    re.IGNORECASE | re.ASCII,
)


def http_status(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[1-5]\d\d", value, re.ASCII):
        value = int(value)
    return value if isinstance(value, int) and 100 <= value <= 599 else None


def status_in(message: str | None) -> int | None:
    match = STATUS_TEXT.search(message[:2000]) if message else None
    return int(match[1] or match[2]) if match else None


def is_error(span: Span) -> bool:
    a = span.attributes
    return (
        span.status_code == 2
        or quoted_text(a.get("langfuse.observation.level")) == "ERROR"
        or a.get("span.level") == "ERROR"
    )


def exception(span: Span) -> tuple[str | None, str | None, dict[str, Any]]:
    """Type, message and attributes of the last exception event that has a message; else of the last one."""
    best: tuple[str | None, str | None, dict[str, Any]] = (None, None, {})
    for name, _, a in span.events:
        if name == "exception" or "exception.message" in a or "exception.type" in a:
            kind, message = text(a.get("exception.type")), text(a.get("exception.message"))
            if message is not None or best[1] is None:
                best = (kind, message, a)
    return best


def apply(span: Span, p: dict[str, Any]) -> None:
    a = span.attributes
    status = next((s for s in (http_status(a.get(k)) for k in STATUS_KEYS) if s is not None), None)
    if not is_error(span):
        if http_status(a.get("http.response.status_code")) is not None:
            p["$ai_http_status"] = http_status(a["http.response.status_code"])
        return
    kind, message, details = exception(span)
    kind = kind or text(a.get("error.type"))
    own = next(
        (
            m
            for m in (
                message,
                span.status_message or None,
                text(a.get("error.message")),
                quoted_text(a.get("langfuse.observation.status_message")),
                text(a.get("span.status_message")),
            )
            if m
        ),
        None,
    )
    p["$ai_is_error"] = True
    if kind and own and not own.startswith(kind):
        p["$ai_error"] = f"{kind}: {own}"
    else:
        p["$ai_error"] = own or kind or "unknown error"
    if status is None:
        status = next((s for s in (http_status(details.get(k)) for k in STATUS_KEYS) if s is not None), None)
    if status is None:
        status = http_status(a.get("error.type"))
    for candidate in (message, span.status_message, own):
        if status is None:
            status = status_in(candidate)
    if status is not None:
        p["$ai_http_status"] = status
    if kind:
        p["$ai_error_type"] = kind
