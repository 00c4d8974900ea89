"""What the client promises to whoever sends events with it, against a PostHog on loopback."""

from __future__ import annotations

import contextlib
import doctest
import subprocess
import sys
import types
from collections.abc import Callable, Iterator

import pytest

import spanmap
from client_cases import make_event
from posthog_server import PostHogServer
from posthog_server.capture import Reply
from posthog_server.server import Handler
from spanmap import client as client_package
from spanmap.client import Client, EncodedEvent
from spanmap.client import client as client_module


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


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


def test_our_own_requests_make_no_spans(server: PostHogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that watches its HTTP calls with OpenTelemetry does not want to see the watcher's."""
    depth: list[int] = []
    inside: list[bool] = []

    @contextlib.contextmanager
    def suppress_instrumentation() -> Iterator[None]:
        depth.append(1)
        yield
        depth.pop()

    def look(handler: Handler, good: Callable[[], Reply]) -> None:
        inside.append(bool(depth))
        handler.send_reply(good())

    utils = types.ModuleType("opentelemetry.instrumentation.utils")
    utils.suppress_instrumentation = suppress_instrumentation  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, utils.__name__, utils)
    server.always = look
    with Client("phc_test", server.url) as client:
        client.send([make_event()])
        assert client.flush(10)
    assert inside == [True]
    assert depth == []


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


@pytest.mark.parametrize("module", [client_package, client_module])
def test_the_examples_in_the_docstrings_hold(module: types.ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > 0


def test_every_public_name_is_explained() -> None:
    for name in client_package.__all__:
        thing = getattr(client_package, name)
        assert thing.__doc__, name
        for attribute, value in vars(thing).items():
            if not attribute.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{attribute}"


def test_without_urllib3_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['urllib3'] = None; import spanmap.client"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "spanmap.client needs the package urllib3: pip install 'spanmap[client]'" in ended.stderr


def test_importing_spanmap_imports_no_http_library() -> None:
    script = "import sys, spanmap; sys.exit('urllib3' in sys.modules or 'ssl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
