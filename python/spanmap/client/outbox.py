"""What waits to be sent: a queue with a cap, the parcels that are on their way, and those who wait for them.

Everything here happens under one lock, takes no time and does no input or output, so that an application's thread is
never held up.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from spanmap.client.capture import Lane, lane_of
from spanmap.client.counters import Counters, Tally
from spanmap.client.events import EncodedEvent, to_rfc3339

# What a queued event costs beside its JSON.
RECORD_OVERHEAD_BYTES = 512

# Whoever waits looks again at least once an hour: Python cannot wait for an interval that has no end.
_LONGEST_WAIT_SECONDS = 3600.0


class Record:
    """An event on its way."""

    __slots__ = ("event", "json", "queued_at", "ready", "serial", "settled", "since", "uuid", "wants_person")

    def __init__(self, event: EncodedEvent, serial: int) -> None:
        self.uuid, self.event, self.wants_person, self.json = event
        self.serial = serial
        self.queued_at = time.time()
        self.since = time.monotonic()
        # Whether `before_send` has seen it and its head is mended.
        self.ready = False
        self.settled = False


@dataclass
class Parcel:
    """Events that travel in one request, and what the service wants to know about its tries."""

    lane: Lane
    records: list[Record]
    attempt: int = 0
    # On the monotonic clock: when we want to try again, and when the server allows it.
    not_before: float = 0.0
    floor: float = 0.0
    first_sent: float = 0.0
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=lambda: to_rfc3339(time.time()))


@dataclass
class _Waiter:
    """Somebody who waits until all events that are pending now are settled."""

    last_serial: int
    remaining: int
    future: Future[bool]


class Outbox:
    """Holds what is not yet delivered.

    Args:
        max_bytes: Cap on the JSON of all pending events, and `RECORD_OVERHEAD_BYTES` for each.
        max_events: Cap on their number.
        batch_bytes: A parcel is closed before its events pass this.
        batch_events: A parcel is closed at this many events.
        interval_seconds: How long an event waits for company.
        max_age_seconds: An event that is older is given up.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        max_events: int,
        batch_bytes: int,
        batch_events: int,
        interval_seconds: float,
        max_age_seconds: float,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_events = max_events
        self.batch_bytes = batch_bytes
        self.batch_events = batch_events
        self.interval_seconds = interval_seconds
        self.max_age_seconds = max_age_seconds
        # A lock that its holder may take again: a signal or the garbage collector can run code of the application, and
        # that may send events, in the middle of any line here.
        self.changed = threading.Condition(threading.RLock())
        self.tally = Tally()
        self.closed = False
        self._fresh: dict[Lane, deque[Record]] = {"ai": deque(), "analytics": deque()}
        self._fresh_bytes: dict[Lane, int] = {"ai": 0, "analytics": 0}
        self._again: list[Parcel] = []
        self._waiters: list[_Waiter] = []
        self._pending_events = 0
        self._pending_bytes = 0
        self._serial = 0
        # Until when nothing is sent: by our own back-off, and by what the server asked for.
        self._gate = 0.0
        self._gate_floor = 0.0
        self._took_again = False

    # What applications do.

    def put(self, events: Sequence[EncodedEvent]) -> tuple[int, str]:
        """Queues events, as far as there is room.

        Returns:
            How many were queued, and the reason under which the others were counted.
        """
        queued = 0
        is_news = False
        with self.changed:
            self.tally.received += len(events)
            reason = "closed" if self.closed else "queue_full"
            for event in events:
                size = len(event[3]) + RECORD_OVERHEAD_BYTES
                is_full = self._pending_events >= self.max_events or self._pending_bytes + size > self.max_bytes
                if self.closed or is_full:
                    self.tally.dropped[reason] += 1
                else:
                    self._serial += 1
                    is_news |= self._add(Record(event, self._serial), size)
                    queued += 1
            self.tally.queued += queued
            if is_news:
                self.changed.notify_all()
        return queued, reason

    def refuse(self, reason: str) -> None:
        """Counts an event that could not even be queued."""
        with self.changed:
            self.tally.received += 1
            self.tally.dropped[reason] += 1

    def wait_for_all(self) -> Future[bool]:
        """A future that is True when every event that is pending now is delivered or dropped."""
        future: Future[bool] = Future()
        # A future that runs cannot be cancelled, so that its result can always be set.
        future.set_running_or_notify_cancel()
        with self.changed:
            if self._pending_events:
                self._waiters.append(_Waiter(self._serial, self._pending_events, future))
                # Whoever waits does not want to wait for a back-off that we chose ourselves.
                self._gate = self._gate_floor
                for parcel in self._again:
                    parcel.not_before = parcel.floor
                self.changed.notify_all()
            else:
                future.set_result(True)
        return future

    def wait(self, future: Future[bool], seconds: float | None) -> bool:
        """Waits for a future of `wait_for_all`, and gives its result; False when the time is over.

        A signal may have come in the middle of a `put`, with the lock held, and its handler wait here. A condition
        gives the lock up however often it is held, so that the worker can go on.
        """
        with self.changed:
            return self.changed.wait_for(future.done, seconds) and future.result()

    def close(self) -> None:
        """Takes no more events, and lets those that wait go at once."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def wake(self) -> None:
        """Makes the worker look whether it is to stop."""
        with self.changed:
            self.changed.notify_all()

    def stop_waiting(self, future: Future[bool]) -> None:
        """Forgets somebody whose patience is at its end."""
        with self.changed:
            self._waiters = [waiter for waiter in self._waiters if waiter.future is not future]

    def read_counters(self) -> Counters:
        """All counts, at one moment."""
        with self.changed:
            return self.tally.read(self._pending_events, self._pending_bytes)

    # What the worker does.

    def next_parcel(self, stop: Callable[[], bool], deadline: float | None = None) -> Parcel | None:
        """Waits for something to send; None when `stop` says so, or from the deadline on."""
        with self.changed:
            while not stop():
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    break
                parcel, wait = self._take(now)
                if parcel is not None:
                    return parcel
                left = None if deadline is None else deadline - now
                wait = left if wait is None else wait if left is None else min(wait, left)
                self.changed.wait(None if wait is None else min(wait, _LONGEST_WAIT_SECONDS))
        return None

    def deliver(self, records: Iterable[Record], warnings: Iterable[str] = ()) -> None:
        """Counts events as accepted."""
        with self.changed:
            for record in records:
                if self._settle(record):
                    self.tally.delivered += 1
            self.tally.warnings.update(warnings)

    def drop(self, records: Iterable[Record], reason: str) -> None:
        """Gives events up."""
        dropped = 0
        with self.changed:
            for record in records:
                if self._settle(record):
                    dropped += 1
            if dropped:
                self.tally.dropped[reason] += dropped

    def put_back(self, parcel: Parcel) -> None:
        """Keeps a parcel for another request."""
        with self.changed:
            self._again.append(parcel)
            self.changed.notify_all()

    def count_request(self, path: str, status: str) -> None:
        """Counts a request and its answer."""
        with self.changed:
            self.tally.count_request(path, status)

    def count_retry(self, parcel: Parcel) -> None:
        """Counts events that go once more."""
        with self.changed:
            self.tally.retried += len(parcel.records)

    def count_repaired(self, members: Iterable[str]) -> None:
        """Counts an event's members that were mended."""
        with self.changed:
            self.tally.repaired.update(members)

    def count_shrunk(self) -> None:
        """Counts an event that was made smaller."""
        with self.changed:
            self.tally.shrunk += 1

    def replace(self, record: Record, event: bytes) -> None:
        """Gives an event another JSON."""
        with self.changed:
            self._pending_bytes += len(event) - len(record.json)
            record.json = event

    def hold(self, seconds: float, floor_seconds: float = 0.0) -> None:
        """Sends nothing for so long.

        Args:
            seconds: What we want to wait.
            floor_seconds: What the server wants us to wait; whoever waits for delivery cannot shorten it.
        """
        now = time.monotonic()
        with self.changed:
            self._gate_floor = now + floor_seconds
            self._gate = now + max(seconds, floor_seconds)

    def disappoint(self) -> None:
        """Tells all who wait that it will not happen soon."""
        with self.changed:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.future.set_result(False)
            self.changed.notify_all()

    def _add(self, record: Record, size: int) -> bool:
        """Queues an event, and says whether the worker, which may sleep, should hear of it."""
        lane = lane_of(record.event)
        fresh = self._fresh[lane]
        fresh.append(record)
        self._fresh_bytes[lane] += len(record.json)
        self._pending_events += 1
        self._pending_bytes += size
        return len(fresh) == 1 or self._is_full(lane)

    def _is_full(self, lane: Lane) -> bool:
        """Whether the events of a lane wait for no more company: the queue must not fill up while they wait."""
        return (
            self._fresh_bytes[lane] >= self.batch_bytes
            or len(self._fresh[lane]) >= self.batch_events
            or self._pending_bytes * 2 >= self.max_bytes
        )

    def _settle(self, record: Record) -> bool:
        if record.settled:
            return False
        record.settled = True
        self._pending_events -= 1
        self._pending_bytes -= len(record.json) + RECORD_OVERHEAD_BYTES
        for waiter in self._waiters:
            if record.serial <= waiter.last_serial:
                waiter.remaining -= 1
                if waiter.remaining == 0:
                    waiter.future.set_result(True)
                    self.changed.notify_all()
        if any(waiter.remaining == 0 for waiter in self._waiters):
            self._waiters = [waiter for waiter in self._waiters if waiter.remaining]
        return True

    def _take(self, now: float) -> tuple[Parcel | None, float | None]:
        """A parcel that may go now, or how long to wait for one."""
        if self._gate > now:
            return None, self._gate - now
        wait: float | None = None
        due = [parcel for parcel in self._again if parcel.not_before <= now]
        # A parcel that fails again and again must not hold up those behind it, so the two kinds take turns.
        if due and not (self._took_again and self._ripe_lane(now)[0]):
            self._took_again = True
            parcel = due[0]
            self._again.remove(parcel)
            return parcel, None
        lane, wait = self._ripe_lane(now)
        if lane is not None:
            self._took_again = False
            return self._cut(lane), None
        if self._again:
            soonest = min(parcel.not_before for parcel in self._again) - now
            wait = soonest if wait is None else min(wait, soonest)
        return None, wait

    def _ripe_lane(self, now: float) -> tuple[Lane | None, float | None]:
        wait: float | None = None
        for lane, records in self._fresh.items():
            if not records:
                continue
            age = now - records[0].since
            if self._is_full(lane) or self._waiters or self.closed or age >= self.interval_seconds:
                return lane, None
            left = self.interval_seconds - age
            wait = left if wait is None else min(wait, left)
        return None, wait

    def _cut(self, lane: Lane) -> Parcel:
        records = self._fresh[lane]
        taken = [records.popleft()]
        size = len(taken[0].json)
        while records and len(taken) < self.batch_events and size + len(records[0].json) <= self.batch_bytes:
            size += len(records[0].json)
            taken.append(records.popleft())
        self._fresh_bytes[lane] -= size
        return Parcel(lane, taken)
