"""The outbox alone, against a model: whatever comes in whatever order, its books balance and nobody waits in vain."""

from __future__ import annotations

import uuid
from concurrent.futures import Future

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from spanmap.client.events import EncodedEvent
from spanmap.client.outbox import RECORD_OVERHEAD_BYTES, Outbox, Parcel, Record

MAX_EVENTS = 20
MAX_BYTES = 20 * 1000


def make_encoded(name: str, size: int) -> EncodedEvent:
    return EncodedEvent(str(uuid.uuid4()), name, True, b"x" * size)


class Books(RuleBasedStateMachine):
    """Events are put in, travel in parcels, and come back or are settled; threads play no part."""

    parcels: Bundle[Parcel] = Bundle("parcels")

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(
            max_bytes=MAX_BYTES,
            max_events=MAX_EVENTS,
            batch_bytes=2000,
            batch_events=4,
            interval_seconds=0.0,
            max_age_seconds=1e9,
        )
        self.received = 0
        self.queued = 0
        self.delivered = 0
        self.dropped = 0
        self.travelling: list[Record] = []
        self.waiting: list[tuple[int, Future[bool]]] = []
        self.unsettled: set[int] = set()

    @rule(
        sizes=st.lists(st.integers(0, 1500), max_size=6),
        name=st.sampled_from(["$ai_span", "signed up", "$ai_generation"]),
    )
    def put(self, sizes: list[int], name: str) -> None:
        pending_before = len(self.unsettled)
        queued, reason = self.outbox.put([make_encoded(name, size) for size in sizes])
        assert reason == ("closed" if self.outbox.closed else "queue_full")
        assert queued <= len(sizes)
        if self.outbox.closed:
            assert queued == 0
        elif pending_before + len(sizes) <= MAX_EVENTS and sum(sizes) + self.bytes_now() <= MAX_BYTES // 2:
            assert queued == len(sizes)
        self.received += len(sizes)
        self.unsettled |= set(range(self.queued + 1, self.queued + queued + 1))
        self.queued += queued
        self.dropped += len(sizes) - queued

    def bytes_now(self) -> int:
        return self.outbox.read_counters()["pending_bytes"]

    @precondition(lambda self: len(self.travelling) < len(self.unsettled))
    @rule(target=parcels)
    def take(self) -> Parcel:
        parcel = self.outbox.next_parcel(lambda: False, deadline=None)
        assert parcel is not None
        assert parcel.records
        assert len(parcel.records) <= 4
        assert len(parcel.records) == 1 or sum(len(record.json) for record in parcel.records) <= 2000
        assert {record.event.startswith("$ai_") for record in parcel.records} == {parcel.lane == "ai"}
        # No event travels in two parcels.
        assert not {id(record) for record in parcel.records} & {id(record) for record in self.travelling}
        self.travelling += parcel.records
        return parcel

    @rule(parcel=consumes(parcels), delivered=st.integers(0, 4), dropped=st.integers(0, 4))
    def come_back(self, parcel: Parcel, delivered: int, dropped: int) -> None:
        accepted = parcel.records[:delivered]
        lost = parcel.records[delivered : delivered + dropped]
        rest = parcel.records[delivered + dropped :]
        self.outbox.deliver(accepted)
        self.outbox.drop(lost, "lost")
        # What is told twice counts once.
        self.outbox.deliver(lost)
        self.outbox.drop(accepted, "lost")
        if rest:
            self.outbox.put_back(Parcel(parcel.lane, rest, attempt=parcel.attempt + 1))
        gone = {id(record) for record in parcel.records}
        self.travelling = [record for record in self.travelling if id(record) not in gone]
        self.delivered += len(accepted)
        self.dropped += len(lost)
        self.unsettled -= {record.serial for record in [*accepted, *lost]}

    @rule(parcel=consumes(parcels), size=st.integers(0, 3000))
    def change_size(self, parcel: Parcel, size: int) -> None:
        self.outbox.replace(parcel.records[0], b"y" * size)
        for record in parcel.records:
            self.outbox.put_back(Parcel(parcel.lane, [record]))
        gone = {id(record) for record in parcel.records}
        self.travelling = [record for record in self.travelling if id(record) not in gone]
        # Back into one piece: a parcel that is put back is taken as it is, so that size plays no part above.
        self.outbox.replace(parcel.records[0], b"y" * 100)

    @rule()
    def wait(self) -> None:
        self.waiting.append((self.queued, self.outbox.wait_for_all()))

    @precondition(lambda self: self.waiting)
    @rule()
    def lose_patience(self) -> None:
        _, future = self.waiting.pop()
        self.outbox.stop_waiting(future)

    @precondition(lambda self: self.waiting)
    @rule()
    def disappoint(self) -> None:
        pending = [future for _, future in self.waiting if not future.done()]
        self.outbox.disappoint()
        assert all(future.result(0) is False for future in pending)
        self.waiting = []

    @rule()
    def close(self) -> None:
        self.outbox.close()

    @invariant()
    def the_books_balance(self) -> None:
        counters = self.outbox.read_counters()
        assert counters["received"] == self.received
        assert counters["queued"] == self.queued
        assert counters["delivered"] == self.delivered
        assert sum(counters["dropped"].values()) == self.dropped
        assert counters["pending_events"] == len(self.unsettled) <= MAX_EVENTS
        assert counters["pending_bytes"] >= RECORD_OVERHEAD_BYTES * len(self.unsettled)
        assert (counters["pending_bytes"] == 0) == (not self.unsettled)

    @invariant()
    def who_waits_is_told_when_and_only_when_it_is_done(self) -> None:
        for last, future in self.waiting:
            is_done = not any(serial <= last for serial in self.unsettled)
            assert future.done() == is_done
            assert not is_done or future.result(0) is True


TestBooks = Books.TestCase
