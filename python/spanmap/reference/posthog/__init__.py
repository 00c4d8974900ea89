"""What PostHog's own pipeline makes of a request, surprises included, up to but not including its enrichment.

`capture` is its first stage (a span becomes an event with raw properties); `node` is the later one (raw
properties are mapped, with a dialect where one is recognised). Facts are from the public sources of both,
main line.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .. import jsontext
from ..event import Event, timestamp_of
from ..identity import distinct_ids, number_uuids
from . import capture, node

if TYPE_CHECKING:
    from ..options import Options
    from ..span import Request

CONTENT = (
    "$ai_input",
    "$ai_output_choices",
    "$ai_output",
    "$ai_input_state",
    "$ai_output_state",
    "$ai_instructions",
    "$ai_debug_data",
)


def map_request(request: Request, options: Options) -> list[Event]:
    """One event for each span that the filter keeps, in document order."""
    parse = partial(jsontext.parse, max_nesting=options.limits.max_json_nesting)
    spans = [span for span in request.spans if capture.is_kept(span, options.prefixes, options.rules.prefixes)]
    events = []
    for span, distinct_id in zip(spans, distinct_ids(spans), strict=True):
        properties = capture.properties_of(span, options.drop_resource_prefixes)
        event = Event(
            capture.event_name_of(span),
            distinct_id,
            timestamp_of(span.start_unix_nano),
            properties=properties,
        )
        node.convert(event, parse)
        if options.privacy_mode:
            for name in CONTENT:
                event.properties.pop(name, None)
        events.append(event)
    number_uuids(events, spans)
    return events
