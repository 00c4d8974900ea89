"""From a request to its events: the one place that knows both readings of a span."""

from __future__ import annotations

from collections.abc import Callable

from . import best, posthog
from .event import Event
from .options import Options
from .span import Request

RequestMapper = Callable[[Request, Options], list[Event]]

MAPPERS: dict[str, RequestMapper] = {"best": best.map_request, "posthog": posthog.map_request}


def map_request(request: Request, options: Options) -> list[Event]:
    """The events of the spans that the filter keeps, in document order."""
    options.rules.edit(request)
    return MAPPERS[options.compat](request, options)
