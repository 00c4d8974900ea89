"""What the tests of `spanmap.client` share: events, and clients that do not wait long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from posthog_server import PostHogServer
from spanmap.client import Client, EncodedEvent, RetryPolicy

# Back-off as in production, but a thousand times quicker.
QUICK = RetryPolicy(first_seconds=0.002, max_seconds=0.02, frozen_seconds=0.02)


def make_event(name: str = "$ai_generation", /, **properties: Any) -> dict[str, Any]:
    return {
        "event": name,
        "distinct_id": "user-1",
        "timestamp": "2026-11-20T10:00:00.123456789Z",
        "uuid": str(uuid.uuid4()),
        "properties": {"$ai_model": "gpt-4o", **properties},
    }


def make_events(count: int) -> list[dict[str, Any]]:
    return [make_event(number=number) for number in range(count)]


def encode(event: Mapping[str, Any]) -> EncodedEvent:
    text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return EncodedEvent(event["uuid"], event["event"], True, text.encode())


def make_client(server: PostHogServer | str, **options: Any) -> Client:
    url = server if isinstance(server, str) else server.url
    return Client("phc_test", url, **{"retry": QUICK, "flush_interval_seconds": 0.01, **options})


def each_once(events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {event["uuid"]: 1 for event in events}


def assert_nothing_unaccounted(client: Client) -> None:
    """Every event that was offered is delivered, dropped for a reason, or still pending."""
    counters = client.counters
    assert counters["received"] == (
        counters["delivered"] + sum(counters["dropped"].values()) + counters["pending_events"]
    )
    if not counters["pending_events"]:
        assert counters["pending_bytes"] == 0
