"""Evaluations: the log vectors in both encodings, random log requests through core and reference, and span events."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, note
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

import mutations
import spanmap
import strategies
import vectors
from compare import difference, difference_from_posthog
from encode import _any_value, _attributes, _id, _number
from mappers import COMPAT_MODES, MAPPERS, run
from spanmap.cli.commands import spanmap as command

Json = Any

VECTORS = {vector.name: vector for vector in vectors.load() if vector.signal == "logs"}
RESULT = "gen_ai.evaluation.result"
EVALUATION = "$ai_evaluation"
TRACE_ID, SPAN_ID = "0102030405060708090a0b0c0d0e0f10", "0102030405060708"


def to_protobuf(request: Json) -> bytes:
    """The protobuf form of a log request in canonical OTLP/JSON."""
    message = ExportLogsServiceRequest()
    for resource_logs in request["resourceLogs"]:
        scopes = [
            ScopeLogs(log_records=[_record(record) for record in scope["logRecords"]])
            for scope in resource_logs["scopeLogs"]
        ]
        message.resource_logs.append(ResourceLogs(scope_logs=scopes))
        message.resource_logs[-1].resource.attributes.extend(_attributes(resource_logs.get("resource", {})))
    return message.SerializeToString()


def _record(value: Json) -> LogRecord:
    message = LogRecord(
        time_unix_nano=_number(value.get("timeUnixNano", 0), 0, 2**64 - 1),
        observed_time_unix_nano=_number(value.get("observedTimeUnixNano", 0), 0, 2**64 - 1),
        severity_number=_number(value.get("severityNumber", 0), -(2**31), 2**31 - 1),  # type: ignore[arg-type]
        severity_text=value.get("severityText", ""),
        attributes=_attributes(value),
        dropped_attributes_count=value.get("droppedAttributesCount", 0),
        flags=value.get("flags", 0),
        trace_id=_id(value.get("traceId", "")),
        span_id=_id(value.get("spanId", "")),
        event_name=value.get("eventName", ""),
    )
    if "body" in value:
        message.body.CopyFrom(_any_value(value["body"]))
    return message


def map_both(mapper: str, body: bytes, **options: Any) -> list[Json]:
    """The events as dicts, which those in JSON must equal."""
    module = MAPPERS[mapper]
    events: list[Json] = module.map_logs(body, **options)
    found = difference(events, json.loads(module.map_logs_json(body, **options)))
    assert found is None, found
    return events


def outcome(mapper: str, body: bytes, **options: Any) -> tuple[str | None, list[Json]]:
    try:
        return None, map_both(mapper, body, **options)
    except spanmap.DecodeError as error:
        return type(error).__name__, []


def assert_agreement(body: bytes, **options: Any) -> None:
    note(f"{body!r} {options}")
    (core_error, core), (slow_error, slow) = (outcome(mapper, body, **options) for mapper in ("core", "reference"))
    assert core_error == slow_error
    found = difference(core, slow)
    assert found is None, found


def request_of(*records: Json, resource: Json = ()) -> Json:
    return {
        "resourceLogs": [{"resource": {"attributes": list(resource)}, "scopeLogs": [{"logRecords": list(records)}]}]
    }


def record_of(attributes: dict[str, Json], **members: Json) -> Json:
    """An evaluation named tone with a score of 1, unless the attributes say otherwise."""
    said = {
        "gen_ai.evaluation.name": {"stringValue": "tone"},
        "gen_ai.evaluation.score.value": {"intValue": "1"},
    } | attributes
    known = {"timeUnixNano": "1704067200000000000", "traceId": TRACE_ID, "spanId": SPAN_ID, "eventName": RESULT}
    return known | members | {"attributes": [{"key": key, "value": value} for key, value in said.items()]}


def text(value: str) -> Json:
    return {"stringValue": value}


@pytest.fixture(params=MAPPERS)
def mapper(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("name", VECTORS)
def test_events_are_those_of_posthog(mapper: str, name: str) -> None:
    vector = VECTORS[name]
    bodies = [vector.body, *([to_protobuf(vector.request)] if vector.transport == "json" else [])]
    for body in bodies:
        found = difference_from_posthog(map_both(mapper, body, compat="posthog"), vector.events)
        assert found is None, found


def test_the_vectors_are_all_there_and_one_is_refused_only_by_posthog(mapper: str) -> None:
    assert len(VECTORS) == 18
    refused = [name for name, vector in VECTORS.items() if vector.status != 200]
    assert refused == ["logs-evaluations/too-many-nodes"]
    # It is larger than PostHog allows, not damaged; and it evaluates nothing.
    assert map_both(mapper, VECTORS[refused[0]].body) == []


def test_best_reads_the_name_from_the_attribute(mapper: str) -> None:
    body = VECTORS["logs-evaluations/event-name-attribute"].body
    [event] = map_both(mapper, body)
    assert event["properties"]["$ai_evaluation_result"] == 1
    assert "event.name" not in event["properties"]


@pytest.mark.parametrize(("compat", "expected"), [("posthog", 2**53), ("best", 2**53 + 1)])
def test_whole_scores_stay_exact_only_in_best(mapper: str, compat: str, expected: int) -> None:
    record = record_of({"gen_ai.evaluation.score.value": {"intValue": str(2**53 + 1)}})
    [event] = map_both(mapper, strategies.dump(request_of(record)), compat=compat)
    assert int(event["properties"]["$ai_evaluation_result"]) == expected


def test_nobody_is_derived_from_session_or_trace_only_in_best(mapper: str) -> None:
    records = [record_of({}), record_of({"session.id": text("s")}), record_of({}, traceId="")]
    body = strategies.dump(request_of(*records))
    best = map_both(mapper, body)
    namespace = uuid.UUID("392e81d5-3d13-4a6f-b541-bdbf6c865e56")
    sources = [f"trace:{TRACE_ID}", "session:s", f"request::{SPAN_ID}:1704067200000000000:tone"]
    assert [event["distinct_id"] for event in best] == [str(uuid.uuid5(namespace, source)) for source in sources]
    assert [event["properties"]["$process_person_profile"] for event in best] == [False] * 3
    assert [event["properties"].get("$ai_session_id") for event in best] == [None, "s", None]
    posthog = map_both(mapper, body, compat="posthog")
    request = f"request:{TRACE_ID}:{SPAN_ID}:1704067200000000000:tone"
    assert [event["distinct_id"] for event in posthog] == [str(uuid.uuid5(namespace, request))] * 3
    assert all("$process_person_profile" not in event["properties"] for event in posthog)


def test_a_record_that_comes_twice_has_two_uuids_and_one_run_id(mapper: str) -> None:
    body = strategies.dump(request_of(record_of({}), record_of({})))
    first, second = map_both(mapper, body)
    assert first["uuid"] != second["uuid"]
    assert first["properties"] == second["properties"]
    assert map_both(mapper, body) == [first, second]
    [alone] = map_both(mapper, strategies.dump(request_of(record_of({}))))
    assert alone["uuid"] == first["uuid"]


@pytest.mark.parametrize("compat", COMPAT_MODES)
def test_privacy_mode_leaves_out_what_the_judge_wrote(mapper: str, compat: str) -> None:
    said = {"gen_ai.evaluation.explanation": text(" rude "), "gen_ai.evaluation.score.label": text(" fail ")}
    body = strategies.dump(request_of(record_of(said, body=text("the answer"))))
    [event] = map_both(mapper, body, compat=compat)
    content = {"$ai_evaluation_reasoning": "rude", "$otel_log_body": "the answer"}
    assert content.items() <= event["properties"].items()
    [private] = map_both(mapper, body, compat=compat, privacy_mode=True)
    assert private["properties"] == {key: value for key, value in event["properties"].items() if key not in content}
    assert private["properties"]["$ai_evaluation_result"] == "fail"


def test_best_sends_no_secrets_and_no_blobs(mapper: str) -> None:
    attributes = {"user_api_key_hash": text("secret"), "image": text("A" * 2_000), "empty": text("")}
    [event] = map_both(mapper, strategies.dump(request_of(record_of(attributes, body={"bytesValue": "AAAA" * 1_000}))))
    assert "secret" not in str(event)
    assert "empty" not in event["properties"]
    assert all(len(str(event["properties"][key])) < 100 for key in ("image", "$otel_log_body"))


@pytest.mark.parametrize("compat", COMPAT_MODES)
def test_rules_edit_log_records_but_not_their_run_ids(mapper: str, compat: str) -> None:
    record = record_of({"judge": text("j"), "secret.note": text("n")})
    body = strategies.dump(request_of(record, resource=[{"key": "secret.place", "value": text("p")}]))
    rules: list[dict[str, Any]] = [
        {"drop": "secret.*"},
        {"rename": "judge", "to": "user.id"},
        {"set": "team", "value": "blue"},
    ]
    [plain] = map_both(mapper, body, compat=compat)
    [edited] = map_both(mapper, body, compat=compat, rules=rules)
    assert (edited["distinct_id"], edited["uuid"]) == ("j", plain["uuid"])
    assert edited["properties"]["team"] == "blue"
    assert {key for key in plain["properties"] if key.startswith("secret.")} == {"secret.note", "secret.place"}
    assert not any(key.startswith("secret.") for key in edited["properties"])


def test_caps_and_damage_are_refused_with_a_path(mapper: str) -> None:
    map_logs = MAPPERS[mapper].map_logs
    body = to_protobuf(request_of(record_of({}), record_of({})))
    with pytest.raises(spanmap.LimitError, match=r"log_records\[1\].*max_spans"):
        map_logs(body, limits={"max_spans": 1})
    with pytest.raises(spanmap.DecodeError, match="empty"):
        map_logs(b"")
    bad = strategies.dump(request_of(record_of({}), record_of({}, spanId="x")))
    with pytest.raises(spanmap.DecodeError, match=r"(log_records|logRecords)\[1\]\.span"):
        map_logs(bad)
    assert len(map_logs(bad, on_error="skip")) == 1
    with pytest.raises(spanmap.InputTypeError):
        map_logs("{}")


def test_a_batch_accounts_for_every_record() -> None:
    other = record_of({}, eventName="x")
    nameless = record_of({"gen_ai.evaluation.name": text(" ")})
    made = spanmap.Mapper(on_error="skip")
    batch = made.map_logs_batch(strategies.dump(request_of(record_of({}), other, nameless, record_of({}, traceId="x"))))
    assert (batch.span_count, len(batch.events), len(batch.errors)) == (4, 1, 1)
    assert [drop.reason for drop in batch.drops] == ["no_evaluation", "incomplete_evaluation", "unreadable"]
    assert made.counters["events"] == 1
    assert made.counters["spans"] == 0


@pytest.mark.parametrize(("signal", "expected"), [("auto", 1), ("logs", 1), ("traces", 0)])
def test_the_command_line_tells_logs_from_traces(tmp_path: Path, signal: str, expected: int) -> None:
    export = tmp_path / "logs.json"
    export.write_bytes(strategies.dump(request_of(record_of({}))))
    result = CliRunner().invoke(command, ["map", "--signal", signal, str(export)])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == expected


def span_with_evaluation(**members: Json) -> Json:
    said = {
        "gen_ai.evaluation.name": text("tone"),
        "gen_ai.evaluation.score.value": {"doubleValue": 0.5},
        "gen_ai.evaluation.explanation": text("kind"),
    }
    event = {
        "name": RESULT,
        "timeUnixNano": "1704067201000000000",
        "attributes": [{"key": key, "value": value} for key, value in said.items()],
    }
    span = {"traceId": TRACE_ID, "spanId": SPAN_ID, "name": "GET /", "startTimeUnixNano": "1704067200000000000"}
    scope_spans = {"spans": [span | {"events": [{"name": "other"}, event]} | members]}
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope_spans]}]}


def test_span_events_are_evaluations_of_their_span_in_best(mapper: str) -> None:
    # The span itself is not kept: nothing but its event says that it is about AI.
    request = span_with_evaluation(attributes=[{"key": "user.id", "value": text("u")}])
    [event] = MAPPERS[mapper].map_traces(strategies.dump(request))
    run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{TRACE_ID}:{SPAN_ID}:1"))
    assert (event["event"], event["distinct_id"]) == ("$ai_evaluation", "u")
    assert event["timestamp"] == "2024-01-01T00:00:01Z"
    expected = {
        "$ai_trace_id": TRACE_ID,
        "$ai_target_span_id": SPAN_ID,
        "$ai_evaluation_name": "tone",
        "$ai_evaluation_result": 0.5,
        "$ai_evaluation_result_type": "number",
        "$ai_evaluation_reasoning": "kind",
        "$ai_evaluation_run_id": run_id,
        "$ai_ingestion_source": "spanmap",
    }
    assert expected.items() <= event["properties"].items()
    assert MAPPERS[mapper].map_traces(strategies.dump(request), compat="posthog") == []
    assert MAPPERS[mapper].map_traces(strategies.dump(request), prefixes=["mine."]) == []


def test_evaluations_stand_behind_the_events_of_their_request(mapper: str) -> None:
    request = span_with_evaluation(attributes=[{"key": "gen_ai.operation.name", "value": text("chat")}])
    events = MAPPERS[mapper].map_traces(strategies.dump(request))
    assert [event["event"] for event in events] == ["$ai_generation", "$ai_evaluation"]
    assert events[0]["distinct_id"] == events[1]["distinct_id"]


def attribute(key: str, values: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return values.map(lambda value: {"key": key, "value": value})


told = st.one_of(
    attribute(
        "gen_ai.evaluation.name", st.sampled_from([text("tone"), text(" tone\x1f"), text("\u3000"), {"intValue": "1"}])
    ),
    attribute("gen_ai.evaluation.score.value", strategies.scalar_values),
    attribute("gen_ai.evaluation.score.label", st.sampled_from([text("pass"), text(" "), {"boolValue": True}])),
    attribute("gen_ai.evaluation.explanation", strategies.scalar_values),
    attribute("event.name", st.sampled_from([text(RESULT), text("x")])),
    attribute("posthog.ai.debug", strategies.scalar_values),
)
evaluation_attributes = st.tuples(st.lists(told, max_size=6), strategies.attributes(max_size=4)).flatmap(
    lambda parts: st.permutations([*parts[0], *parts[1]])
)
records = st.fixed_dictionaries(
    {
        "eventName": st.sampled_from([RESULT, RESULT, RESULT, "", "x"]),
        "attributes": evaluation_attributes,
        "traceId": strategies.ids[16] | st.just("abcd"),
        "spanId": strategies.ids[8],
        "timeUnixNano": strategies.times.map(str),
    },
    optional={
        "observedTimeUnixNano": strategies.times.map(str),
        "severityNumber": st.integers(-(2**31), 2**31 - 1),
        "severityText": strategies.texts(max_size=4),
        "body": strategies.values,
        "droppedAttributesCount": st.integers(0, 2**32 - 1),
        "flags": st.integers(0, 2**32 - 1),
    },
)
requests = st.lists(
    st.fixed_dictionaries(
        {
            "resource": strategies.attributes(max_size=3).map(lambda items: {"attributes": items}),
            "scopeLogs": st.lists(st.lists(records, max_size=3).map(lambda items: {"logRecords": items}), max_size=2),
        }
    ),
    min_size=1,
    max_size=2,
).map(lambda items: {"resourceLogs": items})
options = st.fixed_dictionaries(
    {
        "compat": st.sampled_from(COMPAT_MODES),
        "privacy_mode": st.booleans(),
        "on_error": st.sampled_from(["raise", "skip"]),
    }
)


@given(requests, options)
def test_log_requests_map_alike_in_both_mappers_and_encodings(request: Json, chosen: dict[str, Any]) -> None:
    body, encoded = strategies.dump(request), to_protobuf(request)
    assert_agreement(body, content_type="application/json", **chosen)
    assert_agreement(encoded, content_type="application/x-protobuf", **chosen)
    found = difference(
        map_both("core", body, **chosen), map_both("core", encoded, content_type="application/x-protobuf", **chosen)
    )
    assert found is None, found


@given(st.data(), options)
def test_broken_log_requests_are_refused_or_read_alike(data: st.DataObject, chosen: dict[str, Any]) -> None:
    request = data.draw(requests)
    assert_agreement(data.draw(mutations.broken(to_protobuf(request))), content_type="application/x-protobuf", **chosen)
    assert_agreement(data.draw(mutations.broken(strategies.dump(request))), content_type="application/json", **chosen)
    assert_agreement(data.draw(mutations.misshapen(request)), content_type="application/json", **chosen)


@given(st.data(), st.booleans(), st.sampled_from([None, ["gen_ai."], ["ai."]]))
def test_evaluations_among_span_events_map_alike(
    data: st.DataObject, privacy_mode: bool, prefixes: list[str] | None
) -> None:
    request = data.draw(strategies.requests())
    for resource_spans in request["resourceSpans"]:
        for scope_spans in resource_spans.get("scopeSpans", []):
            for span in scope_spans.get("spans", []):
                attributes = data.draw(evaluation_attributes)
                time = data.draw(strategies.times)
                event = {"name": RESULT, "timeUnixNano": str(time), "attributes": attributes}
                span["events"] = [*span.get("events", []), event]
    core, slow = (
        run(mapper, strategies.dump(request), privacy_mode=privacy_mode, prefixes=prefixes).events
        for mapper in ("core", "reference")
    )
    # The other events are the business of test_differential.py.
    told, expected = ([event for event in events if event["event"] == EVALUATION] for events in (core, slow))
    found = difference(told, expected)
    assert found is None, found
