"""What the caller chose, what the environment says, and what holds otherwise."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spanmap.otel.spans import logger

DestinationName = Literal["events", "otlp"]
BeforeSend = Callable[[dict[str, Any]], Mapping[str, Any] | None]

DEFAULT_HOST = "https://us.i.posthog.com"


@dataclass(frozen=True)
class Queueing:
    """How spans wait, by the names of the OpenTelemetry specification.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor

    Attributes:
        max_queue_size: AI spans that may wait; more are dropped and counted.
        schedule_delay_seconds: Between two exports; also how long a span waits for those above it to end.
        max_export_batch_size: Spans that are mapped at once, unless one trace has more.
        export_timeout_seconds: How long a flush and a shutdown take at most.
    """

    max_queue_size: int
    schedule_delay_seconds: float
    max_export_batch_size: int
    export_timeout_seconds: float

    @classmethod
    def read(
        cls,
        *,
        max_queue_size: int | None,
        schedule_delay_millis: float | None,
        max_export_batch_size: int | None,
        export_timeout_millis: float | None,
        environment: Mapping[str, str] = os.environ,
    ) -> Queueing:
        """Arguments win over the four `OTEL_BSP_*` variables, and those over the specification's defaults.

        Raises:
            ValueError: An argument is not more than 0. A bad variable is told of in the log, and the default holds.
        """
        chosen: dict[str, float] = {}
        for name, argument, variable, default in (
            ("max_queue_size", max_queue_size, "OTEL_BSP_MAX_QUEUE_SIZE", 2048),
            ("schedule_delay_millis", schedule_delay_millis, "OTEL_BSP_SCHEDULE_DELAY", 5000),
            ("max_export_batch_size", max_export_batch_size, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
            ("export_timeout_millis", export_timeout_millis, "OTEL_BSP_EXPORT_TIMEOUT", 30_000),
        ):
            if argument is not None and not argument > 0:
                raise ValueError(f"{name} is {argument!r}. It must be more than 0.")
            chosen[name] = _number(environment, variable, default) if argument is None else argument
        return cls(
            max_queue_size=int(chosen["max_queue_size"]),
            schedule_delay_seconds=as_seconds(chosen["schedule_delay_millis"]),
            max_export_batch_size=int(min(chosen["max_export_batch_size"], chosen["max_queue_size"])),
            export_timeout_seconds=as_seconds(chosen["export_timeout_millis"]),
        )


def as_seconds(milliseconds: float) -> float:
    """A time to wait, in seconds; at most as long as Python can wait, which is some centuries."""
    return min(milliseconds / 1000, threading.TIMEOUT_MAX / 2)


def _number(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, "").strip()
    if not text:
        return default
    # Python does not read numbers of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0:
        return int(text)
    logger.warning("%s is %r. It must be a whole number of more than 0; %d holds.", variable, text[:32], default)
    return default


def find_token(api_key: str | None, project_token: str | None) -> str:
    """The token that was passed under either name, else `POSTHOG_API_KEY`; blank if there is none.

    Raises:
        ValueError: Two different tokens were passed.
    """
    if api_key is not None and project_token is not None and api_key != project_token:
        raise ValueError("api_key and project_token are two names of one thing, and hold different values. Pass one.")
    given = api_key if api_key is not None else project_token
    token = (os.environ.get("POSTHOG_API_KEY", "") if given is None else given).strip()
    if not token:
        logger.warning(
            "No PostHog project token: spans are not sent. Pass api_key, or set POSTHOG_API_KEY, to send them."
        )
    return token


def find_host(host: str | None) -> str:
    """The host that was passed, else `POSTHOG_HOST`, else PostHog's cloud in the US."""
    return host or os.environ.get("POSTHOG_HOST", "").strip() or DEFAULT_HOST


def refuse_without_mapping(**options: Any) -> None:
    """Refuses options that have no meaning where spans travel as they are.

    Raises:
        ValueError: One is given.
    """
    for name, value in options.items():
        if value:
            raise ValueError(
                f'{name} has no effect with destination="otlp", which forwards spans as they are and lets PostHog map '
                f'them. Leave it out, or use destination="events".'
            )
