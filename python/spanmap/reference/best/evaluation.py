"""Evaluations, as log records and as span events: PostHog's reading, with what the best one adds.

The event's name may stand in the attribute `event.name`, where older SDKs write it. A whole score stays a
whole number. Who nobody is known to be is derived from the session or the trace, and gets no profile. A trace
id of zeros is none. Secrets, blobs and numbers that JSON cannot say stay behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid5

from .. import jsontext
from ..evaluation import RESULT_EVENT, Uuids, event_of, properties_of, run_id_of
from ..event import Event, Properties
from ..identity import DISTINCT_ID_NAMESPACE
from ..logs import LogRequest
from ..options import Options
from ..span import Value
from . import harm
from .classify import Span, is_kept
from .messages import is_empty
from .spans import plain, readable
from .trace import CONVERSATION_KEYS, RESOURCE_SESSION_KEYS, RESOURCE_USER_KEYS, SESSION_KEYS, USER_KEYS, Trace, lookup


@dataclass(frozen=True)
class Told:
    """An evaluation as a log record or a span event tells it.

    Attributes:
        user: Whom the span or the resource names, where the attributes name nobody.
        session: The same for the session.
        conversation: The same for the conversation, which is a session only where nothing names one.
    """

    attributes: dict[str, Any]
    resource: dict[str, Any]
    trace_id: bytes
    span_id: bytes
    run_id: str
    unix_nano: int
    user: str | None
    session: str | None
    conversation: str | None = None
    body: Value = None


def map_logs(request: LogRequest, options: Options) -> list[Event]:
    """One event for each record that tells a result, in document order."""
    return list(events_of(_records(request, options), options))


def of_spans(spans: list[Span], options: Options) -> list[Event]:
    """One event for each span event that tells a result, in document order.

    The span need not be kept: the event's own name has the prefix that the filter looks for.
    """
    return list(events_of(_span_events(spans, options), options))


def _records(request: LogRequest, options: Options) -> Iterator[Told]:
    for record in request.records:
        by_attribute = readable(record.attributes).get("event.name") == RESULT_EVENT
        if record.event_name != RESULT_EVENT and not (by_attribute and not record.event_name):
            continue
        # The run id, though, is that of the record as it was sent.
        attributes = readable(options.rules.edited(record.attributes))
        if by_attribute:
            attributes.pop("event.name", None)
        resource = readable(options.rules.kept(record.resource.attributes))
        yield Told(
            attributes=attributes,
            resource=resource,
            trace_id=record.trace_id,
            span_id=record.span_id,
            run_id=run_id_of(record.encoded),
            unix_nano=record.time_unix_nano or record.observed_time_unix_nano,
            user=lookup(resource, RESOURCE_USER_KEYS),
            session=lookup(resource, RESOURCE_SESSION_KEYS),
            body=plain(record.body),
        )


def _span_events(spans: list[Span], options: Options) -> Iterator[Told]:
    traces: dict[str, Trace] = defaultdict(Trace)
    for span in spans:
        traces[span.trace_id].add(span)
    by_name = options.prefixes is None or RESULT_EVENT.startswith(options.prefixes + options.rules.prefixes)
    for span in spans:
        for index, (name, unix_nano, attributes) in enumerate(span.events):
            if name != RESULT_EVENT or not (by_name or is_kept(span, options.prefixes, options.rules.prefixes)):
                continue
            trace = traces[span.trace_id]
            yield Told(
                attributes=attributes,
                resource=span.resource,
                trace_id=bytes.fromhex(span.trace_id),
                span_id=bytes.fromhex(span.span_id),
                run_id=run_id_of(f"{span.trace_id}:{span.span_id}:{index}".encode()),
                unix_nano=unix_nano or span.end or span.start,
                user=trace.known(span, USER_KEYS) or lookup(span.resource, RESOURCE_USER_KEYS),
                session=trace.known(span, SESSION_KEYS) or lookup(span.resource, RESOURCE_SESSION_KEYS),
                conversation=trace.known(span, CONVERSATION_KEYS),
            )


def events_of(told: Iterable[Told], options: Options) -> Iterator[Event]:
    """The events of those that tell a name and a result."""
    parse = partial(jsontext.parse, max_nesting=options.limits.max_json_nesting)
    uuids = Uuids()
    nobody = ""
    for one in told:
        properties = properties_of(
            _sendable(one.resource, options.drop_resource_prefixes),
            _sendable(one.attributes),
            trace_id=one.trace_id if any(one.trace_id) else b"",
            span_id=one.span_id,
            run_id=one.run_id,
        )
        if properties is None:
            continue
        properties["$ai_ingestion_source"] = "spanmap"
        if one.body is not None:
            properties["$otel_log_body"] = harm.scrub(one.body)
        name = properties["$ai_evaluation_name"]
        event = event_of(properties, "", one.unix_nano, parse, privacy_mode=options.privacy_mode)
        if options.privacy_mode:
            event.properties = {key: value for key, value in event.properties.items() if not harm.CONTENT.match(key)}
        user = lookup(one.attributes, USER_KEYS) or one.user
        session = (
            lookup(one.attributes, SESSION_KEYS)
            or one.session
            or lookup(one.attributes, CONVERSATION_KEYS)
            or one.conversation
        )
        if session:
            event.properties["$ai_session_id"] = session
        if not user:
            event.properties["$process_person_profile"] = False
            if session or any(one.trace_id):
                user = _derived(f"session:{session}" if session else f"trace:{one.trace_id.hex()}")
            else:
                # All that tell nothing share one id, made from the first of them.
                first = f"{one.trace_id.hex()}:{one.span_id.hex()}:{one.unix_nano}:{name}"
                user = nobody = nobody or _derived(f"request:{first}")
        event.distinct_id = user
        event.uuid = uuids.next(one.trace_id, one.span_id, one.run_id)
        yield event


def _derived(name: str) -> str:
    return str(uuid5(DISTINCT_ID_NAMESPACE, name))


def _sendable(attributes: dict[str, Any], dropped: tuple[str, ...] = ()) -> Properties:
    """What may travel: nothing empty, no secrets, and markers where blobs and vectors were."""
    return {
        key: harm.scrub(value)
        for key, value in attributes.items()
        if not (key.startswith(dropped) or harm.is_secret(key) or is_empty(value))
    }
