"""From a request to its events: the one place that knows both readings of a span."""

from __future__ import annotations

from collections.abc import Callable

from . import best, posthog
from .best import evaluation as best_evaluation
from .event import Event
from .logs import LogRequest
from .options import Options
from .posthog import evaluation as posthog_evaluation
from .span import Request

RequestMapper = Callable[[Request, Options], list[Event]]

MAPPERS: dict[str, RequestMapper] = {"best": best.map_request, "posthog": posthog.map_request}


LogMapper = Callable[[LogRequest, Options], list[Event]]

LOG_MAPPERS: dict[str, LogMapper] = {"best": best_evaluation.map_logs, "posthog": posthog_evaluation.map_logs}


def map_request(request: Request, options: Options) -> list[Event]:
    """The events of the spans that the filter keeps, in document order."""
    options.rules.edit(request)
    return MAPPERS[options.compat](request, options)


def map_logs(request: LogRequest, options: Options) -> list[Event]:
    """The events of the records that tell an evaluation's result, in document order."""
    return LOG_MAPPERS[options.compat](request, options)
