"""When to try again."""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

# Not the generator that applications seed: a fork would repeat it, and our draws would change theirs.
_system_random = random.SystemRandom().random
# A server that asks for more patience than this is asked again after it.
MAX_RETRY_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off with full jitter.

    Before try n + 1 the client waits for a random time of up to `first_seconds * 2 ** (n - 1)`, at most `max_seconds`,
    and at least what the server's `Retry-After` says.

    Attributes:
        first_seconds: Longest wait after the first failure.
        max_seconds: Longest wait after any failure.
        frozen_seconds: Wait after an answer that only a human can change: 401, a redirect, no known path.
        random: Gives a number from 0 up to 1; tests give a constant.
    """

    first_seconds: float = 1.0
    max_seconds: float = 30.0
    frozen_seconds: float = 60.0
    random: Callable[[], float] = _system_random

    def wait_seconds(self, failures: int, retry_after: float | None = None) -> float:
        """How long to wait after so many failures in a row."""
        # The exponent is bounded because 2.0 ** 1024 overflows, and an outage may last for days.
        longest = min(self.max_seconds, self.first_seconds * 2.0 ** min(failures - 1, 64))
        return max(self.random() * longest, retry_after or 0.0)


def parse_retry_after(value: str | None) -> float | None:
    """Reads a `Retry-After` header, seconds or a date; None where it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(moment - time.time(), 0.0), MAX_RETRY_AFTER_SECONDS)
