"""Makes a parcel ready for one request: asks the user, mends, shrinks, and takes out what cannot travel together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spanmap.client.alarms import Alarms, logger
from spanmap.client.capture import Lane, Path, lane_of
from spanmap.client.events import Refused, encode_event, mend, parse
from spanmap.client.outbox import Outbox, Parcel, Record
from spanmap.client.shrink import shrink

BeforeSend = Callable[[dict[str, Any]], Mapping[str, Any] | None]

# An event that the service still finds too large at this size is not too large.
_MIN_SHRUNK_BYTES = 16 * 1024


class Packer:
    """Packs parcels.

    Args:
        outbox: Where events come from, and are counted and given up.
        alarms: Where lost events are told.
        before_send: Sees each event once, and may change or refuse it.
    """

    def __init__(self, *, outbox: Outbox, alarms: Alarms, before_send: BeforeSend | None) -> None:
        self._outbox = outbox
        self._alarms = alarms
        self._before_send = before_send
        self._misrouted: set[str] = set()

    def pack(self, parcel: Parcel, path: Path) -> list[Record]:
        """What of the parcel can go now in one request over this path; the rest is put back or given up."""
        oldest = time.monotonic() - self._outbox.max_age_seconds
        going: list[Record] = []
        seen: dict[str, bytes] = {}
        size = 0
        later: dict[Lane, list[Record]] = {"ai": [], "analytics": []}
        for record in parcel.records:
            if record.settled:
                continue
            try:
                if record.since < oldest:
                    raise Refused("too_old")
                self._make_ready(record)
                if len(record.json) > path.max_event_bytes:
                    self._shrink(record, path.max_event_bytes)
            except Refused as refused:
                self.lose([record], refused.reason, f"An event was not sent: {refused.reason}.")
                continue
            except Exception as error:
                # Whatever is wrong with it, those that travel with it must not pay for it.
                message = f"{type(error).__name__} in spanmap.client: an event is dropped. Please report it."
                self.lose([record], "internal_error", message)
                continue
            lane: Lane = "analytics" if record.event in self._misrouted else lane_of(record.event)
            if seen.get(record.uuid) == record.json:
                # The same event twice: PostHog would count it once, and refuse a request that holds both.
                self._outbox.drop([record], "duplicate")
            elif parcel.lane == "ai" and lane != "ai":
                later["analytics"].append(record)
            elif record.uuid in seen or (going and size + len(record.json) > self._outbox.batch_bytes):
                later[parcel.lane].append(record)
            else:
                seen[record.uuid] = record.json
                size += len(record.json)
                going.append(record)
        for lane, records in later.items():
            if records:
                self._outbox.put_back(Parcel(lane, records))
        return going

    def send_elsewhere(self, event: str) -> None:
        """Remembers that the AI lane does not take events of this name."""
        self._misrouted.add(event)

    def halve(self, record: Record) -> bool:
        """Shrinks an event that the service found too large, though we did not. Returns whether that was possible."""
        target = len(record.json) // 2
        if target < _MIN_SHRUNK_BYTES:
            return False
        try:
            self._shrink(record, target)
        except (Refused, RecursionError):
            return False
        return True

    def lose(self, records: Sequence[Record], reason: str, message: str) -> None:
        """Gives events up, for a reason that is counted and told."""
        # First told and then settled, so that whoever waits for delivery has heard of it when the wait is over.
        if reason != "before_send":
            self._alarms.raise_alarm(reason, message, events=len(records), lost=True)
        self._outbox.drop(records, reason)

    def _make_ready(self, record: Record) -> None:
        if record.ready:
            return
        if self._before_send is not None:
            self._ask(record, self._before_send)
        repaired: set[str] = set()
        head, mended = mend(record.json, record.queued_at, repaired)
        record.event, record.uuid = head.event, head.uuid
        if head.distinct_id == head.uuid and "distinct_id" in repaired:
            # Nobody is known by this id, so nobody gets a profile.
            record.wants_person = False
        if mended is not record.json:
            self._outbox.replace(record, mended)
        if repaired:
            self._outbox.count_repaired(repaired)
        record.ready = True

    def _ask(self, record: Record, before_send: BeforeSend) -> None:
        event = parse(record.json)
        try:
            changed = before_send(event)
        except Exception as error:
            # Whoever redacts must not be passed by because of a bug.
            logger.debug("before_send raised %s", type(error).__name__)
            raise Refused("before_send_failed") from error
        if changed is None:
            raise Refused("before_send")
        try:
            if isinstance(changed, Mapping) and not changed.get("uuid"):
                changed = {**changed, "uuid": record.uuid}
            encoded = encode_event(changed)
        except Refused:
            raise
        except Exception as error:
            # Code of the application runs here, too, such as a __str__.
            raise Refused("not_json") from error
        record.event, record.wants_person = encoded.event, encoded.process_person_profile
        self._outbox.replace(record, encoded.json)

    def _shrink(self, record: Record, max_bytes: int) -> None:
        smaller = shrink(record.json, max_bytes)
        if smaller is None:
            raise Refused("too_large")
        logger.debug("event %s was shrunk from %d to %d bytes", record.uuid, len(record.json), len(smaller))
        self._outbox.replace(record, smaller)
        self._outbox.count_shrunk()
