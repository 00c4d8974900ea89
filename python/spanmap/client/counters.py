"""What the client has done, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict


class Counters(TypedDict):
    """Totals since the client was made (in a forked child: since the fork).

    At any time `received` is the sum of `delivered`, all of `dropped`, and `pending_events`.
    """

    received: int
    """Events that were given to `send` and `send_encoded`."""
    queued: int
    """Events that were put into the queue."""
    delivered: int
    """Events that PostHog has accepted."""
    retried: int
    """Events that were sent once more, each time counted."""
    shrunk: int
    """Events that were cut because they were too large."""
    repaired: dict[str, int]
    """Events with a member that PostHog would have refused, by the member's name."""
    warnings: dict[str, int]
    """Events that PostHog accepted with a remark, by the remark."""
    dropped: dict[str, int]
    """Events that will never arrive, by reason."""
    requests: dict[str, dict[str, int]]
    """Requests by path, then by status; `network` stands for no answer."""
    pending_events: int
    """Events that wait or are on their way."""
    pending_bytes: int
    """Their JSON, in bytes."""


class Tally:
    """Counts; whoever counts holds the outbox's lock."""

    def __init__(self) -> None:
        self.received = 0
        self.queued = 0
        self.delivered = 0
        self.retried = 0
        self.shrunk = 0
        self.repaired: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.requests: dict[str, Counter[str]] = {}

    def count_request(self, path: str, status: str) -> None:
        """Counts one request and its answer."""
        self.requests.setdefault(path, Counter())[status] += 1

    def read(self, pending_events: int, pending_bytes: int) -> Counters:
        """A copy of all counts."""
        return Counters(
            received=self.received,
            queued=self.queued,
            delivered=self.delivered,
            retried=self.retried,
            shrunk=self.shrunk,
            repaired=dict(self.repaired),
            warnings=dict(self.warnings),
            dropped=dict(self.dropped),
            requests={path: dict(statuses) for path, statuses in self.requests.items()},
            pending_events=pending_events,
            pending_bytes=pending_bytes,
        )
