"""What the capture service does with a request, as a function: its answer, and the events that it took.

Written from PostHog's public capture sources (rust/capture: v1/{context,error,constants}.rs, v0_request.rs, token.rs,
v1/analytics/{process,types,response,constants}.rs, ai_endpoint.rs, otel/mod.rs) as they were in 2026. Brotli is not
read here.
"""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import io
import json
import sys
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

AI_EVENTS = {f"$ai_{kind}" for kind in "generation span trace embedding metric feedback evaluation".split()}
ILLEGAL_DISTINCT_IDS = {
    "[object object]",
    *"0 00000000-0000-0000-0000-000000000000 anonymous anonymous-user backend distinct_id distinctid email".split(),
    *"false guest id nan none not_authenticated null system true undefined user".split(),
}
REQUIRED_HEADERS = (
    "PostHog-Sdk-Info",
    "PostHog-Attempt",
    "PostHog-Request-Id",
    "PostHog-Request-Timestamp",
    "content-type",
    "user-agent",
)

V1_AI = "/i/v1/ai/events"
V1_ANALYTICS = "/i/v1/analytics/events"
V0_AI = "/i/v0/ai/batch"
V0 = "/batch"
OTEL = "/i/v0/ai/otel"
PATHS = (V1_AI, V1_ANALYTICS, V0_AI, V0, OTEL)

# Says what becomes of a valid event: result and details, or None for "ok".
Judge = Callable[[Mapping[str, Any]], tuple[str, str] | None]


@dataclasses.dataclass(frozen=True)
class Limits:
    """The caps of a deployment, in bytes unless the name says otherwise."""

    v1_wire: int = 10 << 20
    v1_decompressed: int = 50 << 20
    v0_wire: int = 20 << 20
    v0_decompressed: int = 100 << 20
    ai_event: int = 8 << 20
    analytics_event: int = 983_040
    otel_body: int = 4 << 20
    otel_spans: int = 1000
    otel_ai_spans: int = 100


@dataclasses.dataclass(frozen=True)
class Accepted:
    """An event that the service took, with the time that it will have."""

    uuid: str
    event: str
    distinct_id: str
    timestamp: str
    properties: Mapping[str, Any]
    path: str


@dataclasses.dataclass
class Reply:
    """An answer, and what was taken of the request."""

    status: int
    body: bytes
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    accepted: list[Accepted] = dataclasses.field(default_factory=list)


class Refusal(Exception):  # noqa: N818 - it is an answer.
    def __init__(self, status: int, tag: str, description: str = "") -> None:
        super().__init__(tag)
        self.status = status
        self.tag = tag
        self.description = description or tag


class _Object(dict[str, Any]):
    """A JSON object that remembers whether it named a member twice: the service's own types refuse that."""

    repeats = False


def parse_json(body: bytes) -> Any:
    def make(pairs: list[tuple[str, Any]]) -> _Object:
        made = _Object(pairs)
        made.repeats = len(made) != len(pairs)
        return made

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(body.decode(), object_pairs_hook=make, parse_constant=refuse)


def handle(path: str, headers: Mapping[str, str], body: bytes, limits: Limits, judge: Judge) -> Reply:
    """Answers a POST to one of `PATHS`. Header names are lower case."""
    if path == OTEL:
        from posthog_server.otlp import handle_otlp  # noqa: PLC0415 - it needs the reference mapper.

        return handle_otlp(headers, body, limits)
    try:
        if path in {V1_AI, V1_ANALYTICS}:
            return _handle_v1(path, headers, body, limits, judge)
        return _handle_v0(path, headers, body, limits)
    except Refusal as refusal:
        if path in {V1_AI, V1_ANALYTICS}:
            error = {
                "error": refusal.tag,
                "error_description": refusal.description,
                "error_uri": "https://posthog.com/docs/api",
            }
            return Reply(refusal.status, json.dumps(error).encode(), {"content-type": "application/json"})
        return Reply(refusal.status, refusal.description.encode(), {"content-type": "text/plain"})


def check_token(token: str) -> None:
    token = token.strip()
    if not token or len(token) > 64 or not token.isascii() or "\0" in token or token.startswith("phx_"):
        raise Refusal(401, "invalid_api_token", "The provided API token is not valid.")


def decompress(body: bytes, encoding: str, cap: int) -> bytes:
    readers: dict[str, Callable[[], bytes]] = {
        "": lambda: body,
        "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(body)).read(cap + 1),
        "deflate": lambda: zlib.decompressobj().decompress(body, cap + 1),
        "zstd": lambda: zstd.ZstdFile(io.BytesIO(body)).read(cap + 1),
    }
    if encoding not in readers:
        raise Refusal(415, "unsupported_encoding", f"unsupported content encoding: {encoding}")
    try:
        plain = readers[encoding]()
    except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise Refusal(400, "request_decoding_error", "Failed to decode request body.") from error
    if len(plain) > cap:
        raise Refusal(413, "payload_too_large", f"payload too large: over {cap} bytes")
    return plain


# The newer protocol.


def _handle_v1(path: str, headers: Mapping[str, str], body: bytes, limits: Limits, judge: Judge) -> Reply:
    sdk = _check_v1_headers(headers)
    if len(body) > limits.v1_wire:
        raise Refusal(413, "payload_too_large", "payload too large: request body")
    if not body:
        raise Refusal(400, "empty_body", "request body is empty")
    batch = _read_v1_batch(decompress(body, headers.get("content-encoding", "").lower(), limits.v1_decompressed))
    events = batch["batch"]
    identifiers = [_check_uuid(event["uuid"].strip()) for event in events]
    if len(set(identifiers)) != len(identifiers):
        raise Refusal(400, "duplicate_event_uuid", "duplicate event uuid")
    results: dict[str, dict[str, str]] = {}
    accepted: list[Accepted] = []
    for identifier, event in zip(identifiers, events, strict=True):
        result, details = _judge_v1(path, event, limits, judge)
        results[identifier] = {"result": result, **({"details": details} if details else {})}
        if result in {"ok", "warning"}:
            accepted.append(_accept_v1(path, identifier, event, headers, sdk))
    answer = {"content-type": "application/json"}
    if any(verdict["result"] == "retry" for verdict in results.values()):
        answer["retry-after"] = "1"
    return Reply(200, json.dumps({"results": results}).encode(), answer, accepted)


def _check_v1_headers(headers: Mapping[str, str]) -> tuple[str, str]:
    if "authorization" not in headers:
        raise Refusal(401, "missing_authorization", "request is missing the Authorization header")
    missing = [name for name in REQUIRED_HEADERS if name.lower() not in headers]
    if missing:
        raise Refusal(400, "missing_required_headers", f"request is missing required headers: {missing}")
    scheme, _, token = headers["authorization"].partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal(400, "invalid_header_value", "Authorization must use Bearer scheme")
    check_token(token)
    if headers["content-type"].partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "unsupported_content_type", "unsupported content type")
    encoding = headers.get("content-encoding", "").lower()
    if encoding not in {"", "gzip", "deflate", "zstd"}:
        raise Refusal(415, "unsupported_encoding", f"unsupported content encoding: {encoding}")
    try:
        uuid.UUID(headers["posthog-request-id"])
        _read_time(headers["posthog-request-timestamp"])
        if int(headers["posthog-attempt"]) < 1:
            raise ValueError
    except ValueError as error:
        raise Refusal(400, "invalid_header_value", str(error)) from error
    library, _, version = headers["posthog-sdk-info"].rpartition("/")
    return library, version


def _read_v1_batch(body: bytes) -> Mapping[str, Any]:
    try:
        batch = parse_json(body)
        if not isinstance(batch, _Object) or batch.repeats or not isinstance(batch.get("batch"), list):
            raise ValueError
        for event in batch["batch"]:
            if not isinstance(event, _Object) or event.repeats:
                raise ValueError
            if not all(isinstance(event.get(name), str) for name in ("event", "uuid", "distinct_id", "timestamp")):
                raise ValueError
        if not isinstance(batch.get("created_at"), str) or not isinstance(
            batch.get("historical_migration", False), bool
        ):
            raise ValueError
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "request_parsing_error", "Failed to parse request body.") from error
    if not batch["batch"]:
        raise Refusal(400, "empty_batch", "request batch is empty")
    try:
        _read_time(batch["created_at"])
    except ValueError as error:
        raise Refusal(400, "invalid_batch", "created_at is not valid RFC 3339") from error
    return batch


def _check_uuid(text: str) -> str:
    if not text:
        raise Refusal(400, "missing_event_uuid", "event submitted without a uuid")
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise Refusal(400, "invalid_event_uuid", f"invalid event uuid: {text}") from error


def _judge_v1(path: str, event: Mapping[str, Any], limits: Limits, judge: Judge) -> tuple[str, str]:
    name, distinct_id = event["event"], event["distinct_id"].strip()
    if not name:
        return "drop", "missing_event_name"
    if len(name.encode()) > 200:
        return "drop", "event_name_too_long"
    if not distinct_id:
        return "drop", "missing_distinct_id"
    if len(distinct_id.encode()) > 200:
        return "drop", "distinct_id_too_large"
    try:
        _read_time(event["timestamp"])
    except ValueError:
        return "drop", "invalid_event_timestamp"
    properties = event.get("properties", {})
    if not isinstance(properties, dict):
        return "drop", "malformed_event_properties"
    options = event.get("options") or {}
    if not isinstance(options, dict) or not all(
        isinstance(options.get(option, False), bool)
        for option in ("cookieless_mode", "disable_skew_correction", "process_person_profile")
    ):
        return "drop", "invalid_options"
    if path == V1_AI and name not in AI_EVENTS:
        return "drop", "misrouted_event"
    size = len(json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode())
    if name in AI_EVENTS and size > limits.ai_event:
        return "drop", "ai_event_too_big"
    if name not in AI_EVENTS and size > limits.analytics_event:
        return "drop", "event_too_big"
    if (verdict := judge(event)) is not None:
        return verdict
    if distinct_id.lower() in ILLEGAL_DISTINCT_IDS:
        return "warning", "person_processing_disabled"
    return "ok", ""


def _accept_v1(
    path: str, identifier: str, event: Mapping[str, Any], headers: Mapping[str, str], sdk: tuple[str, str]
) -> Accepted:
    options = event.get("options") or {}
    moment = _read_time(event["timestamp"])
    if not options.get("disable_skew_correction"):
        moment -= _read_time(headers["posthog-request-timestamp"]) - datetime.datetime.now(datetime.UTC)
    # The service writes these behind the properties, so that they win.
    added: dict[str, Any] = {"$lib": sdk[0], "$lib_version": sdk[1]}
    if "disable_skew_correction" in options:
        added["$ignore_sent_at"] = options["disable_skew_correction"]
    if "process_person_profile" in options:
        added["$process_person_profile"] = options["process_person_profile"]
    properties = {**event.get("properties", {}), **added}
    return Accepted(identifier, event["event"], event["distinct_id"].strip(), _show_time(moment), properties, path)


# The older protocol.


def _handle_v0(path: str, headers: Mapping[str, str], body: bytes, limits: Limits) -> Reply:
    if len(body) > limits.v0_wire:
        raise Refusal(413, "too_big", "payload too large")
    encoding = headers.get("content-encoding", "").lower()
    if encoding not in {"", "gzip"}:
        raise Refusal(400, "unsupported", f"unsupported content encoding {encoding}")
    if body[:2] == b"\x1f\x8b":
        encoding = "gzip"
    plain = decompress(body, encoding, limits.v0_decompressed)
    try:
        batch = parse_json(plain)
        events = batch["batch"] if isinstance(batch, dict) else batch
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise ValueError("batch")
        identifiers = [str(uuid.UUID(event["uuid"])) if event.get("uuid") else _new_uuid() for event in events]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(400, "parse", f"failed to parse request: {error}") from error
    if not events:
        raise Refusal(400, "empty", "request holds no event")
    token = batch.get("api_key") or batch.get("token") if isinstance(batch, dict) else None
    if not isinstance(token, str):
        raise Refusal(401, "no_token", "event submitted without an api_key")
    check_token(token)
    sent_at = batch.get("sent_at")
    accepted = [
        _accept_v0(path, identifier, event, sent_at, limits)
        for identifier, event in zip(identifiers, events, strict=True)
    ]
    return Reply(200, b'{"status":1}', {"content-type": "application/json"}, accepted)


def _accept_v0(path: str, identifier: str, event: Mapping[str, Any], sent_at: object, limits: Limits) -> Accepted:
    name = event.get("event")
    properties = event.get("properties") or {}
    if not isinstance(name, str) or not name:
        raise Refusal(400, "no_name", "event submitted with an empty event name")
    if not isinstance(properties, dict):
        raise Refusal(400, "parse", "failed to parse request: properties")
    distinct_id = event.get("distinct_id") or event.get("$distinct_id") or properties.get("distinct_id")
    if distinct_id in {None, ""}:
        raise Refusal(400, "no_distinct_id", "event submitted without a distinct_id")
    if path == V0_AI and name not in AI_EVENTS:
        raise Refusal(400, "not_ai", f"event {name} is not an AI event")
    size = len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
    if size > (limits.ai_event if path == V0_AI else limits.analytics_event):
        raise Refusal(413, "event_too_big", "event too big")
    timestamp = event.get("timestamp")
    moment = _read_time(timestamp) if isinstance(timestamp, str) else datetime.datetime.now(datetime.UTC)
    if isinstance(sent_at, str) and not properties.get("$ignore_sent_at"):
        moment = datetime.datetime.now(datetime.UTC) + (moment - _read_time(sent_at))
    return Accepted(identifier, name, str(distinct_id)[:200], _show_time(moment), properties, path)


def _new_uuid() -> str:
    return str(uuid.uuid4())


def _read_time(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment


def _show_time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def count(identifiers: Iterable[str]) -> dict[str, int]:
    """How often each is there."""
    counts: dict[str, int] = {}
    for identifier in identifiers:
        counts[identifier] = counts.get(identifier, 0) + 1
    return counts
