"""The ladder for events that are too large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_cases import each_once, make_client, make_event, make_events
from posthog_server import PostHogServer
from spanmap.client.shrink import shrink


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def encode(**properties: Any) -> bytes:
    return json.dumps(make_event(**properties), separators=(",", ":"), ensure_ascii=False).encode()


def shrink_to(max_bytes: int, **properties: Any) -> dict[str, Any]:
    smaller = shrink(encode(**properties), max_bytes)
    assert smaller is not None
    assert len(smaller) <= max_bytes
    shrunk: dict[str, Any] = json.loads(smaller)["properties"]
    return shrunk


def message(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_long_texts_keep_their_beginning_and_their_end() -> None:
    text = "begin" + "x" * 200_000 + "end"
    shrunk = shrink_to(100_000, **{"$ai_input": [message(text)], "$ai_input_tokens": 50_000})
    (kept,) = shrunk["$ai_input"]
    assert kept["role"] == "user"
    assert kept["content"].startswith("begin")
    assert kept["content"].endswith("end")
    assert "[spanmap cut 134,472 bytes]" in kept["content"]
    assert shrunk["$ai_input_tokens"] == 50_000


def test_the_largest_property_is_cut_first_and_the_others_stay_whole() -> None:
    shrunk = shrink_to(400_000, large="x" * 300_000, small="y" * 200_000)
    assert len(shrunk["large"]) < 70_000
    assert len(shrunk["small"]) == 200_000
    assert list(shrunk["spanmap_shrunk"]["properties"]) == ["large"]


def test_the_marker_says_what_was_done() -> None:
    event = encode(text="x" * 100_000)
    smaller = shrink(event, 70_000)
    assert smaller is not None
    assert json.loads(smaller)["properties"]["spanmap_shrunk"] == {
        "bytes": len(event),
        "properties": {"text": {"rung": 1, "bytes": 65_564}},
    }


@pytest.mark.parametrize(("max_bytes", "rung"), [(70_000, 1), (10_000, 2), (2000, 3), (500, 4)])
def test_the_rungs_are_climbed_one_after_the_other(max_bytes: int, rung: int) -> None:
    shrunk = shrink_to(max_bytes, text="x" * 100_000)
    assert shrunk["spanmap_shrunk"]["properties"]["text"]["rung"] == rung


def test_long_lists_keep_their_first_and_last_items() -> None:
    shrunk = shrink_to(200_000, messages=[message(f"number {number} {'x' * 90}") for number in range(5000)])
    numbers = [int(kept["content"].split()[1]) for kept in shrunk["messages"]]
    assert numbers == [*range(256), *range(4232, 5000)]


def test_an_event_of_too_many_small_properties_cannot_be_shrunk() -> None:
    assert shrink(encode(**{f"key{number}": "x" * 100 for number in range(1000)}), 50_000) is None


def test_a_second_time_starts_from_what_is_left_and_remembers_the_first_size() -> None:
    event = encode(text="x" * 500_000)
    once = shrink(event, 70_000)
    assert once is not None
    twice = shrink(once, 10_000)
    assert twice is not None
    assert json.loads(twice)["properties"]["spanmap_shrunk"]["bytes"] == len(event)


def test_what_has_no_properties_cannot_be_shrunk() -> None:
    assert shrink(b"[]", 10) is None
    assert shrink(b"not JSON", 10) is None
    assert shrink(b'{"properties": 1}', 10) is None


values = st.recursive(
    st.integers() | st.text(max_size=20) | st.builds(lambda text, times: text * times, st.text(), st.integers(0, 3000)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=10), values, max_size=6), st.integers(300, 20_000))
def test_whatever_comes_out_fits_and_what_is_small_is_untouched(properties: dict[str, Any], max_bytes: int) -> None:
    properties = {name: value for name, value in properties.items() if name != "spanmap_shrunk"}
    event = json.dumps({"event": "e", "properties": properties}, ensure_ascii=False, separators=(",", ":")).encode()
    smaller = shrink(event, max_bytes)
    if len(event) <= max_bytes or smaller is None:
        return
    assert len(smaller) <= max_bytes
    left = json.loads(smaller)["properties"]
    assert left.keys() == properties.keys() | {"spanmap_shrunk"}
    for name, value in properties.items():
        if len(json.dumps(value).encode()) <= 1024:
            assert left[name] == value
        if name not in left["spanmap_shrunk"]["properties"]:
            assert left[name] == value


@pytest.mark.parametrize(("missing", "cap"), [((), 8 << 20), (("/i/v1/ai/events", "/i/v0/ai/batch"), 983_040)])
def test_an_event_over_the_paths_cap_is_shrunk_before_it_is_sent(
    server: PostHogServer, missing: tuple[str, ...], cap: int
) -> None:
    server.missing |= set(missing)
    large = make_event(**{"$ai_input": [message("x" * (9 << 20))]})
    events = make_events(3)
    with make_client(server) as client:
        client.send([large, *events])
        assert client.flush(30)
        assert client.counters["shrunk"] == 1
        assert client.counters["dropped"] == {}
        assert not set(client.counters["requests"]["/batch/" if missing else "/i/v1/ai/events"]) & {"413"}
    assert server.copies == each_once([large, *events])
    assert len(json.dumps(dict(server.accepted[0].properties))) < cap


def test_an_event_between_the_caps_travels_whole_where_it_can(server: PostHogServer) -> None:
    large = make_event(**{"$ai_input": [message("x" * (6 << 20))]})
    events = make_events(3)
    with make_client(server) as client:
        client.send([*events, large])
        assert client.flush(30)
        assert client.counters["shrunk"] == 0
    assert server.copies == each_once([large, *events])


def test_an_event_that_cannot_be_shrunk_is_dropped_and_its_siblings_travel(server: PostHogServer) -> None:
    hopeless = make_event("signed up", **{f"key{number}": "x" * 100 for number in range(10_000)})
    events = make_events(3)
    with make_client(server) as client:
        client.send([events[0], hopeless, *events[1:]])
        assert client.flush(30)
        assert client.counters["dropped"] == {"too_large": 1}
    assert server.copies == each_once(events)
