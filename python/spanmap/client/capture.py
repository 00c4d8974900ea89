"""PostHog's capture protocol: its paths, and what a request to each holds.

The newer paths (`/i/v1/...`) say for each event what became of it. The older ones answer for the request as a whole,
and say 200 for events that they discard, so they are used where the newer ones do not exist.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

from spanmap.client.address import Token
from spanmap.client.events import AI_EVENTS, to_rfc3339, with_defaults

Lane = Literal["ai", "analytics"]

_KIB = 1024
# The service takes 8 MiB of properties in an AI event, and about 1 MB in any other. What it adds needs room.
MAX_AI_EVENT_BYTES = 8192 * _KIB - 64 * _KIB
MAX_ANALYTICS_EVENT_BYTES = 900 * _KIB

VERSION = metadata.version("spanmap")
SDK_INFO = f"spanmap/{VERSION}"
# Skew correction would move the timestamp by the time of the request, and with it the day by which PostHog knows a
# second copy of the event.
_NO_CORRECTION = b',"options":{"disable_skew_correction":true}'
_NO_CORRECTION_NO_PROFILE = b',"options":{"disable_skew_correction":true,"process_person_profile":false}'
_NO_GEOIP = (b'"$geoip_disable"', b"true")
_NO_PROFILE = (b'"$process_person_profile"', b"false")
_LIBRARY = ((b'"$lib"', b'"spanmap"'), (b'"$lib_version"', json.dumps(VERSION).encode()))


@dataclass(frozen=True)
class Path:
    """One way to hand events over.

    Attributes:
        path: Where to POST.
        has_verdicts: Whether the answer says what became of each event.
        max_event_bytes: Longest event, as JSON.
    """

    path: str
    has_verdicts: bool
    max_event_bytes: int


# In the order in which they are tried.
PATHS: dict[Lane, tuple[Path, ...]] = {
    "ai": (
        Path("/i/v1/ai/events", True, MAX_AI_EVENT_BYTES),
        Path("/i/v0/ai/batch/", False, MAX_AI_EVENT_BYTES),
        # Servers that know neither have one topic for all events, and its cap.
        Path("/batch/", False, MAX_ANALYTICS_EVENT_BYTES),
    ),
    "analytics": (
        Path("/i/v1/analytics/events", True, MAX_ANALYTICS_EVENT_BYTES),
        Path("/batch/", False, MAX_ANALYTICS_EVENT_BYTES),
    ),
}


def lane_of(event: str) -> Lane:
    """The lane that an event of this name belongs on."""
    return "ai" if event in AI_EVENTS else "analytics"


def render_body(
    path: Path, token: Token, events: Sequence[tuple[bytes, bool]], *, created_at: str, historical_migration: bool
) -> bytes:
    """The body of a request, not compressed.

    Args:
        path: Where it goes.
        token: The project token, which older paths want in the body.
        events: JSON of each event, and whether its person may get a profile.
        created_at: RFC 3339; the same in each try of the request.
        historical_migration: Marks a backfill.
    """
    created = json.dumps(created_at).encode()
    historical = b"true" if historical_migration else b"false"
    if path.has_verdicts:
        body: list[bytes | memoryview] = [
            b'{"created_at":%s,"historical_migration":%s,"batch":[' % (created, historical)
        ]
        for event, wants_person in events:
            body += with_defaults(event, (_NO_GEOIP,), _NO_CORRECTION if wants_person else _NO_CORRECTION_NO_PROFILE)
            body.append(b",")
    else:
        # Without `sent_at` the service takes timestamps as they are: the clock of the application's machine counts.
        key = json.dumps(token.secret).encode()
        body = [b'{"api_key":%s,"historical_migration":%s,"batch":[' % (key, historical)]
        for event, wants_person in events:
            no_profile = () if wants_person else (_NO_PROFILE,)
            body += with_defaults(event, (_NO_GEOIP, *_LIBRARY, *no_profile), b"")
            body.append(b",")
    # The last comma makes way for the end.
    body[-1] = b"]}"
    return b"".join(body)


def make_headers(path: Path, token: Token, *, request_id: str, attempt: int, encoding: str | None) -> dict[str, str]:
    """The headers of one try."""
    headers = {"Content-Type": "application/json", "User-Agent": SDK_INFO, "Accept": "application/json"}
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    if path.has_verdicts:
        headers["Authorization"] = f"Bearer {token.secret}"
        headers["PostHog-Sdk-Info"] = SDK_INFO
        headers["PostHog-Attempt"] = str(attempt)
        headers["PostHog-Request-Id"] = request_id
        headers["PostHog-Request-Timestamp"] = to_rfc3339(time.time())
    return headers


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in an answer, or None."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_results(path: Path, body: bytes) -> dict[str, tuple[str, str]] | None:
    """What became of each event: uuid to result and details. None for an answer that no capture service gives.

    An event that is not named in it was accepted.
    """
    answer = read_object(body)
    if answer is None:
        return None
    if not path.has_verdicts:
        return {} if answer.get("status") in {1, "1", "Ok", "ok"} else None
    results = answer.get("results")
    if not isinstance(results, dict):
        return None
    verdicts: dict[str, tuple[str, str]] = {}
    for identifier, verdict in results.items():
        if isinstance(verdict, dict):
            details = verdict.get("details")
            result = verdict.get("result")
            verdicts[identifier.lower()] = (
                result if isinstance(result, str) else "ok",
                details if isinstance(details, str) else "unspecified",
            )
    return verdicts
