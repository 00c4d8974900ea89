"""Random requests: the core and the reference must tell the same story, and the core must keep its promises.

A difference found here becomes a case in `vectors/own.json`.
"""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

import mutations
import spanmap
import strategies
from conftest import PROPERTIES
from encode import to_protobuf
from mappers import COMPAT_MODES, disagreement, run

Json = Any

options = st.fixed_dictionaries(
    {
        "compat": st.sampled_from(COMPAT_MODES),
        "privacy_mode": st.booleans(),
        "on_error": st.sampled_from(["raise", "skip"]),
    }
)


def assert_agreement(body: bytes, content_type: str | None, chosen: dict[str, Any]) -> None:
    note(f"body={body!r} content_type={content_type!r} options={chosen}")
    found = disagreement(*(run(mapper, body, content_type=content_type, **chosen) for mapper in ("core", "reference")))
    assert found is None, found


@given(strategies.requests(), options)
def test_protobuf_requests_map_alike(request: Json, chosen: dict[str, Any]) -> None:
    assert_agreement(to_protobuf(request), "application/x-protobuf", chosen)


@given(strategies.requests(), options)
def test_json_requests_map_alike(request: Json, chosen: dict[str, Any]) -> None:
    assert_agreement(strategies.dump(request), "application/json", chosen)


@given(st.data(), options)
def test_broken_protobuf_is_refused_or_read_alike(data: st.DataObject, chosen: dict[str, Any]) -> None:
    body = data.draw(mutations.broken(to_protobuf(data.draw(strategies.requests()))))
    assert_agreement(body, "application/x-protobuf", chosen)


@given(st.data(), options)
def test_broken_json_text_is_refused_or_read_alike(data: st.DataObject, chosen: dict[str, Any]) -> None:
    body = data.draw(mutations.broken(strategies.dump(data.draw(strategies.requests()))))
    assert_agreement(body, "application/json", chosen)


@given(st.data(), options)
def test_misshapen_json_is_refused_or_read_alike(data: st.DataObject, chosen: dict[str, Any]) -> None:
    body = data.draw(mutations.misshapen(data.draw(strategies.requests())))
    assert_agreement(body, None, chosen)


@given(st.data(), options)
def test_arbitrary_bytes_are_refused_or_read_alike(data: st.DataObject, chosen: dict[str, Any]) -> None:
    assert_agreement(data.draw(st.binary(max_size=60)), None, chosen)


@given(st.data(), options)
def test_other_json_spellings_give_the_same_events(data: st.DataObject, chosen: dict[str, Any]) -> None:
    request = data.draw(strategies.requests())
    body = data.draw(mutations.respelled(request))
    assert_agreement(body, None, chosen)
    found = disagreement(run("core", body, **chosen), run("core", strategies.dump(request), **chosen))
    assert found is None, found


@given(strategies.requests(), options)
def test_both_encodings_give_the_same_events(request: Json, chosen: dict[str, Any]) -> None:
    found = disagreement(run("core", to_protobuf(request), **chosen), run("core", strategies.dump(request), **chosen))
    assert found is None, found


@given(strategies.requests(), options)
def test_the_same_body_gives_the_same_bytes(request: Json, chosen: dict[str, Any]) -> None:
    body = strategies.dump(request)
    texts = {spanmap.Mapper(**chosen).map_traces_json(body) for _ in range(2)}
    mapper = spanmap.Mapper(**chosen)
    mapper.map_traces_json(strategies.dump({"resourceSpans": []}))
    texts.add(mapper.map_traces_json(body))
    assert len(texts) == 1


@given(strategies.requests(), options, st.integers(1, 5))
def test_chunks_and_batches_hold_the_same_events(request: Json, chosen: dict[str, Any], chunk_size: int) -> None:
    body, mapper = to_protobuf(request), spanmap.Mapper(**chosen)
    events = mapper.map_traces(body)
    assert [event for chunk in mapper.iter_traces(body, chunk_size=chunk_size) for event in chunk] == events
    batch = mapper.map_batch(body)
    assert batch.events == events
    assert batch.to_json() == mapper.map_traces_json(body)
    assert b"[" + b",".join(batch.to_json_lines().splitlines()) + b"]" == batch.to_json()


@given(strategies.requests(), options)
def test_every_event_has_its_own_uuid(request: Json, chosen: dict[str, Any]) -> None:
    events = run("core", to_protobuf(request), **chosen).events
    assert len({uuid.UUID(event["uuid"]) for event in events}) == len(events)


def test_the_long_profile_knows_how_many_properties_there_are() -> None:
    properties = [name for name, item in globals().items() if name.startswith("test_") and hasattr(item, "hypothesis")]
    assert len(properties) == PROPERTIES
