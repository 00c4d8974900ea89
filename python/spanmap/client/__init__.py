"""Sends events to PostHog: in batches, each exactly once where that can be had, and never in the application's way.

It needs the packages of the extra `spanmap[client]`.

Example:
    >>> import spanmap
    >>> from spanmap.client import Client
    >>> client = Client("phc_of_your_project", host="https://eu.i.posthog.com")
    >>> events = spanmap.map_traces(spanmap.samples.read("fastapi-openai.pb"))
    >>> len(events)
    7
    >>> client.send(events)  # doctest: +SKIP
    7
"""

from __future__ import annotations

try:
    from spanmap.client.check import CheckReport, CheckStep
    from spanmap.client.client import Client
except ModuleNotFoundError as missing:
    if missing.name != "urllib3":
        raise
    raise ModuleNotFoundError(
        "spanmap.client needs the package urllib3: pip install 'spanmap[client]'", name="urllib3"
    ) from missing
from spanmap.client.counters import Counters
from spanmap.client.events import EncodedEvent
from spanmap.client.retry import RetryPolicy

__all__ = ["CheckReport", "CheckStep", "Client", "Counters", "EncodedEvent", "RetryPolicy"]
