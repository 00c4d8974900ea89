"""What the client says aloud: through `logging`, seldom, and never with a token or a prompt in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from spanmap.errors import DeliveryError

logger = logging.getLogger("spanmap.client")

# The same trouble is told at most this often.
REPEAT_SECONDS = 60.0


class Alarms:
    """Tells each kind of trouble at most once a minute, and hands each to the user's callback.

    Args:
        on_error: Called on the worker's thread with each `DeliveryError`, not only with those that are logged.
    """

    def __init__(self, on_error: Callable[[DeliveryError], object] | None) -> None:
        self._on_error = on_error
        self._told: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def raise_alarm(self, kind: str, message: str, *, events: int, lost: bool) -> None:
        """Tells trouble.

        Args:
            kind: A short name; the reason under which events are counted, where they are lost.
            message: What happened and what to do.
            events: How many events it touches.
            lost: Whether they are lost.
        """
        now = time.monotonic()
        if now - self._told.get(kind, -REPEAT_SECONDS) >= REPEAT_SECONDS:
            self._told[kind] = now
            silent = self._untold.pop(kind, 0)
            again = f" ({silent} more since it was last said)" if silent else ""
            logger.log(logging.ERROR if lost else logging.WARNING, "%s%s", message, again)
        else:
            self._untold[kind] = self._untold.get(kind, 0) + 1
        if self._on_error is not None:
            try:
                self._on_error(DeliveryError(message, reason=kind, events=events, lost=lost))
            except Exception:
                logger.exception("on_error raised")
