"""Every conformance vector through the core and the reference, in every encoding that can express it.

A vector is in exactly one class: PostHog accepts it and we give the same events; PostHog refuses it and we read it,
because its meaning is not in doubt; both refuse it; it is not about mapping at all; or it is one of `own.json`: cases
that random tests found, with the options they need. Those in the default mode have no counterpart at PostHog.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import vectors
from compare import difference_from_posthog
from mappers import MAPPERS, run
from vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any

ALL = vectors.load()
BY_NAME = {vector.name: vector for vector in ALL}
TRACES = [vector for vector in ALL if vector.signal == "traces"]
OWN = [vector for vector in TRACES if vector.name.startswith("own/")]
MAPPED = [vector for vector in TRACES if vector.status == 200 and vector not in OWN]
RANDOM = vectors.load_random()

SPAN = {"$ai_trace_id": "0102030405060708090a0b0c0d0e0f10", "$ai_span_id": "0102030405060708", "$ai_latency": 1.5}
# PostHog refuses the whole request; its meaning is plain, so we read it. The name of the one event and the properties
# that show how it was read; None where there is nothing to make an event of.
READ: dict[str, tuple[str, dict[str, Json]] | None] = {
    "generic/double-infinity-json": ("$ai_generation", {**SPAN, "$ai_input_tokens": None}),
    "generic/double-minus-infinity-json": ("$ai_generation", {**SPAN, "$ai_input_tokens": None}),
    "generic/double-nan-json": ("$ai_generation", {**SPAN, "$ai_input_tokens": None}),
    "generic/empty-array-json": ("$ai_generation", {**SPAN, "custom": []}),
    "generic/unknown-only-value-json": ("$ai_generation", SPAN),
    "json-vs-protobuf/empty-array-json": ("$ai_generation", {**SPAN, "e": []}),
    "json-vs-protobuf/empty-kvlist-json": ("$ai_generation", {**SPAN, "e": {}}),
    "json-vs-protobuf/nan-json": ("$ai_generation", {**SPAN, "e": None}),
    "json-vs-protobuf/nested-empty-in-array-json": ("$ai_generation", {**SPAN, "e": [1]}),
    "limits/1001-raw-spans": None,
    "limits/base64-trace-id": ("$ai_generation", SPAN),
    "limits/bom": ("$ai_generation", SPAN),
    "limits/bytes-unpadded": ("$ai_span", {**SPAN, "gen_ai.x": "61"}),
    "limits/bytes-url-safe-base64": ("$ai_span", {**SPAN, "gen_ai.x": "ffeffe"}),
    "limits/deflate": ("$ai_generation", SPAN),
    "limits/identity-encoding": ("$ai_generation", SPAN),
    "limits/kind-string": ("$ai_generation", SPAN),
    "limits/lone-surrogate": ("$ai_generation", {**SPAN, "$ai_span_name": "\N{REPLACEMENT CHARACTER}"}),
    "limits/missing-key": None,
    "limits/missing-resourcespans": None,
    "limits/null-attributes": None,
    "limits/null-parent": ("$ai_generation", SPAN),
    "limits/numeric-time": ("$ai_generation", SPAN),
}
# A span without a parent is a trace, whatever its class would be otherwise.
READ = {
    name: expected and (expected[0].replace("$ai_span", "$ai_trace"), expected[1]) for name, expected in READ.items()
}

# The class of the error, and a word of its message that tells the reader what is wrong.
REFUSED = {
    "limits/content-type-missing": ("DecodeError", "content type"),
    "limits/content-type-protobuf-alias": ("DecodeError", ""),
    "limits/deep-nesting-over-127": ("LimitError", "max_"),
    "limits/empty-body": ("DecodeError", "empty"),
    "limits/garbage-protobuf": ("DecodeError", ""),
    "limits/gzip-header-plain-body": ("DecodeError", "gzip"),
    "limits/int-float-text": ("DecodeError", "attributes"),
    "limits/int-out-of-range": ("DecodeError", "attributes"),
    "limits/nan-literal": ("DecodeError", ""),
    "limits/negative-time": ("DecodeError", "start"),
    "limits/not-json": ("DecodeError", ""),
    "limits/odd-hex": ("DecodeError", "trace"),
    "limits/string-as-number": ("DecodeError", "attributes"),
    "limits/trailing-comma": ("DecodeError", ""),
    "limits/trailing-garbage": ("DecodeError", ""),
}
# Authorization is the business of an HTTP endpoint, which spanmap is not.
NOT_OURS = {"limits/lower-case-bearer", "limits/personal-api-key", "limits/token-too-long"}
# Evaluation logs are mapped by functions of their own, and tested in test_logs.py.
LOGS = {vector.name for vector in ALL if vector.signal == "logs"}
# Cases about a JSON spelling, which protobuf cannot express, and the empty request, which is no bytes at all there.
# Every other accepted case runs in both encodings.
JSON_ONLY = {
    *("generic/int-with-plus-sign", "generic/null-scalar-json", "generic/two-variants-json", "limits/null-resource"),
    "limits/no-spans",
    *("random/fuzz-11-36", "random/fuzz-11-46", "random/fuzz-11-148", "random/fuzz-11-369"),
}
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {"deflate": zlib.compress, "gzip": gzip.compress}


def test_each_vector_is_in_one_class() -> None:
    mapped, own = ({vector.name for vector in cases} for cases in (MAPPED, OWN))
    classes = [mapped, own, set(READ), set(REFUSED), NOT_OURS, LOGS]
    assert len(BY_NAME) == len(ALL), "two vectors have one name"
    assert set().union(*classes) == set(BY_NAME)
    assert sum(map(len, classes)) == len(ALL)
    assert (len(MAPPED), len(READ), len(REFUSED), len(NOT_OURS), len(LOGS)) == (594, 23, 15, 3, 18)
    assert len(RANDOM) == 300


def test_all_but_the_json_spellings_run_in_both_encodings() -> None:
    assert {vector.name for vector in [*MAPPED, *RANDOM] if len(vector.bodies()) == 1} == JSON_ONLY


@pytest.mark.parametrize("mapper", MAPPERS)
@pytest.mark.parametrize("vector", [*MAPPED, *OWN, *RANDOM], ids=lambda vector: vector.name)
def test_events_are_those_of_the_vector(vector: Vector, mapper: str) -> None:
    for content_type, body in vector.bodies().items():
        outcome = run(mapper, body, content_type=content_type, **vector.options)
        assert outcome.error is None, f"{content_type}: {outcome.message}"
        found = difference_from_posthog(outcome.events, vector.events)
        assert found is None, f"{content_type}: {found}"


@pytest.mark.parametrize("mapper", MAPPERS)
@pytest.mark.parametrize("name", READ)
def test_unambiguous_requests_that_posthog_refuses_are_read(name: str, mapper: str) -> None:
    vector = BY_NAME[name]
    assert (vector.status, vector.events) == (400, [])
    outcome = _sent(vector, mapper)
    assert outcome.error is None, outcome.message
    expected = READ[name]
    assert len(outcome.events) == (0 if expected is None else 1)
    if expected is not None:
        name_of_event, properties = expected
        [event] = outcome.events
        assert event["event"] == name_of_event
        assert {key: event["properties"].get(key, "absent") for key in properties} == properties


@pytest.mark.parametrize("mapper", MAPPERS)
@pytest.mark.parametrize("name", REFUSED)
def test_damaged_requests_are_refused(name: str, mapper: str) -> None:
    vector = BY_NAME[name]
    assert (vector.status, vector.events) == (400, [])
    outcome = _sent(vector, mapper, plain=name == "limits/gzip-header-plain-body")
    error, word = REFUSED[name]
    assert outcome.error == error
    assert word in outcome.message


def _sent(vector: Vector, mapper: str, *, plain: bool = False) -> Any:
    encoding = vector.headers.get("content-encoding")
    compress = COMPRESSED.get(encoding or "") if not plain else None
    body = compress(vector.body) if compress else vector.body
    return run(mapper, body, content_type=vector.content_type, content_encoding=encoding, compat="posthog")
