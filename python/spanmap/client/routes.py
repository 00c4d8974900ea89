"""Which of a lane's paths the host knows."""

from __future__ import annotations

from collections.abc import Sequence

from spanmap.client.capture import Path

# A path that has worked may be away for the time of a deployment. After this many 404s in a row it is gone.
MAX_MISSES = 5
# A server that knew only an older path is asked again whether it knows a better one.
ASK_AGAIN_SECONDS = 3600.0


class Route:
    """Tries paths in order, and remembers which one the host knows.

    Args:
        paths: From the best to the last resort.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self.is_proven = False
        self._index = 0
        self._misses = 0
        self._chosen_at = 0.0

    def choose(self, now: float) -> Path:
        """The path to take, at this moment on the monotonic clock."""
        if self._index and now - self._chosen_at > ASK_AGAIN_SECONDS:
            self._go_to(0, now)
        return self.paths[self._index]

    def prove(self) -> None:
        """Notes that the host knows the path."""
        self.is_proven = True
        self._misses = 0

    def forgives(self) -> bool:
        """Counts that the host does not know the path, and says whether that may pass."""
        self._misses += 1
        return self.is_proven and self._misses < MAX_MISSES

    def go_on(self, now: float) -> bool:
        """Goes to the next path. False, and back to the first, where there is none."""
        is_last = self._index + 1 == len(self.paths)
        self._go_to(0 if is_last else self._index + 1, now)
        return not is_last

    def _go_to(self, index: int, now: float) -> None:
        self._index = index
        self._chosen_at = now
        self._misses = 0
        self.is_proven = False
