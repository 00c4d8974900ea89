"""From a request to its events: the one place that knows both readings of a span."""

from __future__ import annotations

from collections.abc import Callable

from . import posthog
from .event import Event
from .options import Options
from .span import Request

RequestMapper = Callable[[Request, Options], list[Event]]

# The reading called "best" has no modules of its own yet and follows PostHog's until then.
MAPPERS: dict[str, RequestMapper] = {"best": posthog.map_request, "posthog": posthog.map_request}


def map_request(request: Request, options: Options) -> list[Event]:
    """The events of the spans that the filter keeps, in document order."""
    return MAPPERS[options.compat](request, options)
