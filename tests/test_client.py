"""What the client promises to whoever sends events with it, against a PostHog on loopback."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import spanmap
from posthog_server import PostHogServer
from spanmap.client import Client, EncodedEvent


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def make_event(name: str = "$ai_generation", **properties: Any) -> dict[str, Any]:
    return {
        "event": name,
        "distinct_id": "user-1",
        "timestamp": "2026-11-20T10:00:00.123456789Z",
        "uuid": str(uuid.uuid4()),
        "properties": {"$ai_model": "gpt-4o", **properties},
    }


def test_events_of_the_mapper_arrive_once_and_unchanged(server: PostHogServer) -> None:
    events = spanmap.map_traces(spanmap.samples.read("fastapi-openai.pb"))
    with Client("phc_test", server.url) as client:
        assert client.send(events) == len(events)
        assert client.flush(10)
    assert server.copies == {event["uuid"]: 1 for event in events}
    assert set(server.paths) == {"/i/v1/ai/events"}
    for event, accepted in zip(events, server.accepted, strict=True):
        assert accepted.event == event["event"]
        assert accepted.distinct_id == event["distinct_id"]
        assert event["properties"].items() <= accepted.properties.items()
        assert accepted.properties["$lib"] == "spanmap"


def test_512_events_in_one_burst_arrive_exactly_once(server: PostHogServer) -> None:
    events = [make_event(number=number) for number in range(512)]
    with Client("phc_test", server.url) as client:
        assert client.send(events) == 512
        assert client.flush(10)
        assert client.counters["delivered"] == 512
    assert server.copies == {event["uuid"]: 1 for event in events}


def test_an_encoded_event_is_what_to_json_gives(server: PostHogServer) -> None:
    mapper = spanmap.Mapper()
    batch = mapper.map_batch(spanmap.samples.read("fastapi-openai.pb"))
    lines = batch.to_json_lines().splitlines()
    encoded = [
        EncodedEvent(event["uuid"], event["event"], True, line) for event, line in zip(batch.events, lines, strict=True)
    ]
    with Client("phc_test", server.url) as client:
        client.send_encoded(encoded)
        assert client.flush(10)
    assert server.copies == {event["uuid"]: 1 for event in batch.events}
