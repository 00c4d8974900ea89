"""Sends the spans of an application that uses the OpenTelemetry SDK to PostHog, as `posthog.ai.otel` does.

It needs the packages of the extra `spanmap[otel]`.

Example:
    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> from spanmap.otel import PostHogSpanProcessor
    >>> provider = TracerProvider()
    >>> provider.add_span_processor(PostHogSpanProcessor(api_key="phc_of_your_project"))
    >>> provider.shutdown()
"""

from __future__ import annotations

try:
    from spanmap.otel.exporter import PostHogTraceExporter
    from spanmap.otel.processor import PostHogSpanProcessor
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] not in {"opentelemetry", "urllib3"}:
        raise
    raise ModuleNotFoundError(
        f"spanmap.otel needs the package of the module {missing.name}: pip install 'spanmap[otel]'", name=missing.name
    ) from missing
from spanmap.otel.spans import is_ai_span

__all__ = ["PostHogSpanProcessor", "PostHogTraceExporter", "is_ai_span"]
