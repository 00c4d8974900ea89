"""A PostHog on loopback: a real HTTP server that answers as PostHog's capture service does, and misbehaves on order.

with PostHogServer() as server:
    server.script.append(answer(503))  # what becomes of the next request
    client = Client("phc_test", host=server.url)
    ...
    assert server.copies == {event["uuid"]: 1 for event in events}
"""

from posthog_server.capture import Accepted, Limits
from posthog_server.misbehaviour import (
    accept_then_cut,
    answer,
    babble,
    drip,
    half_close,
    hang,
    in_chunks,
    reset,
    slowly,
    truncate,
)
from posthog_server.server import PostHogServer, Seen

__all__ = [
    "Accepted",
    "Limits",
    "PostHogServer",
    "Seen",
    "accept_then_cut",
    "answer",
    "babble",
    "drip",
    "half_close",
    "hang",
    "in_chunks",
    "reset",
    "slowly",
    "truncate",
]
