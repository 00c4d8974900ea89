"""Which spans are about AI, and what an application should know about some of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spanmap import Mapper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

logger = logging.getLogger("spanmap.otel")

# The hosts at which posthog.ai.gateway (posthog-python 7.91) knows PostHog's AI gateway.
GATEWAY_HOSTS = frozenset(
    {
        "gateway.posthog.com",
        "gateway.us.posthog.com",
        "gateway.eu.posthog.com",
        "ai-gateway.us.posthog.com",
        "ai-gateway.eu.posthog.com",
    }
)
_ADDRESS_KEYS = ("server.address", "url.full")

_best = Mapper()


def is_ai_span(span: ReadableSpan) -> bool:
    """Tells whether a span is kept when no `prefixes` are given.

    Args:
        span: A span of the OpenTelemetry SDK.

    Returns:
        Whether its name or an attribute key begins with a prefix of an AI library (`gen_ai.`, `llm.`, `ai.`,
        `traceloop.` and those of the dialects in docs/mapping.md), or its instrumentation scope is an AI library.

    Example:
        >>> from opentelemetry.sdk.trace import ReadableSpan
        >>> is_ai_span(ReadableSpan("ai.generateText")), is_ai_span(ReadableSpan("GET /"))
        (True, False)
    """
    return _best.keeps(span)


# An application talks to the gateway for all calls or for none, so later spans need only be looked at here and there.
_SPANS_TO_LOOK_AT = 1024


class GatewayWarning:
    """Warns once when a span's call went to PostHog's AI gateway, which makes an event of it, too."""

    def __init__(self) -> None:
        self._is_given = False
        self._left = _SPANS_TO_LOOK_AT

    def look_at(self, spans: Sequence[ReadableSpan]) -> None:
        """Warns if one of the spans names a gateway's host, unless it was said before."""
        if self._is_given:
            return
        # One of each batch, once many were looked at.
        looked_at = spans[: max(self._left, 1)]
        self._left -= len(looked_at)
        for span in looked_at:
            if span.attributes is None:
                continue
            # A copy is a dict; the SDK's own mapping takes longer for each key that it does not have.
            attributes = span.attributes.copy()  # type: ignore[attr-defined]
            if any(is_gateway(attributes.get(key)) for key in _ADDRESS_KEYS if key in attributes):
                self._is_given = True
                logger.warning(
                    "A span tells of a call to PostHog's AI gateway, which sends an event of every call itself: each "
                    "such call is counted and billed twice. Use either the gateway or this processor for it."
                )
                return


def is_gateway(address: Any) -> bool:
    """Tells whether an address, a host name or a URL, is one of PostHog's AI gateway.

    Example:
        >>> is_gateway("https://gateway.us.posthog.com/v1"), is_gateway("us.i.posthog.com")
        (True, False)
    """
    if not isinstance(address, str) or "posthog" not in address.lower():
        return False
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        return False
    return host in GATEWAY_HOSTS
