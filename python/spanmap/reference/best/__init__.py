"""The reading called "best": the truth of what happened, as far as the spans of one request tell it.

`classify` says what a span is, `dialects` what each dialect calls the facts, `content` and `messages` what was said,
`errors` what failed, `harm` what must not travel, `facts` makes a draft of an event of one span, and `request` settles
what only the whole request can tell: who owns a call, whose it was, and how the tree holds. `evaluation` reads what
judges said, in log records and in span events.
"""

from __future__ import annotations

from ..event import Event, timestamp_of
from ..options import Options
from ..span import Request
from . import evaluation
from . import request as whole
from .facts import CONTENT_PROPERTIES
from .spans import span_of

__all__ = ["map_request"]


def map_request(request: Request, options: Options) -> list[Event]:
    """The events of the spans that the filter keeps, in document order.

    Behind them come the trace events made for missing roots, and the evaluations that came as span events.
    """
    spans = [span_of(span) for span in request.spans]
    events = whole.map_request(
        spans,
        prefixes=options.prefixes,
        added=options.rules.prefixes,
        drop_resource_prefixes=options.drop_resource_prefixes,
        privacy_mode=options.privacy_mode,
    )
    if options.privacy_mode:
        # Also what a resource or the application's own data calls by a name of content.
        for event in events:
            for key in CONTENT_PROPERTIES:
                event["properties"].pop(key, None)
    mapped = [
        Event(
            name=event["event"],
            distinct_id=event["distinct_id"],
            timestamp=timestamp_of(event["timestamp"]),
            uuid=event["uuid"],
            properties=event["properties"],
        )
        for event in events
    ]
    return mapped + evaluation.of_spans(spans, options)
