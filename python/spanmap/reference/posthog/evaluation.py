"""Evaluation logs as PostHog's own pipeline reads them, up to but not including its enrichment.

Facts are from the public sources of its capture service, a branch that was not merged when they were read.
Three things are not in them, and decided here: a number that JSON cannot say is no score; the explanation is
trimmed like the name and the label; of several attributes with one key the last counts, as for properties.
"""

from __future__ import annotations

from functools import partial
from uuid import uuid5

from .. import jsontext
from ..evaluation import RESULT_EVENT, VALUE, Uuids, event_of, properties_of, run_id_of
from ..event import Event
from ..identity import DISTINCT_ID_NAMESPACE, named_user
from ..logs import LogRequest
from ..options import Options
from .values import json_value, json_values


def map_logs(request: LogRequest, options: Options) -> list[Event]:
    """One event for each record that tells a result, in document order."""
    parse = partial(jsontext.parse, max_nesting=options.limits.max_json_nesting)
    uuids = Uuids()
    nobody = ""
    events = []
    for record in request.records:
        if record.event_name != RESULT_EVENT:
            continue
        # The run id, though, is that of the record as it was sent.
        given = options.rules.edited(record.attributes)
        resource = options.rules.kept(record.resource.attributes)
        kept = [(key, value) for key, value in resource if not key.startswith(options.drop_resource_prefixes)]
        attributes = json_values(given)
        score = attributes.get(VALUE)
        if isinstance(score, int) and not isinstance(score, bool):
            attributes[VALUE] = float(score)
        run_id = run_id_of(record.encoded)
        trace_id, span_id = record.trace_id, record.span_id
        properties = properties_of(json_values(kept), attributes, trace_id=trace_id, span_id=span_id, run_id=run_id)
        if properties is None:
            continue
        if record.body is not None:
            properties["$otel_log_body"] = json_value(record.body)
        unix_nano = record.time_unix_nano or record.observed_time_unix_nano
        user = named_user(given, resource)
        if user is None:
            # PostHog takes the request's random id, and derives none from session or trace.
            told = f"{trace_id.hex()}:{span_id.hex()}:{unix_nano}:{properties['$ai_evaluation_name']}"
            nobody = nobody or str(uuid5(DISTINCT_ID_NAMESPACE, f"request:{told}"))
        event = event_of(properties, user or nobody, unix_nano, parse, privacy_mode=options.privacy_mode)
        event.uuid = uuids.next(trace_id, span_id, run_id)
        events.append(event)
    return events
