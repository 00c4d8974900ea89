"""Takes one parcel to PostHog, and decides by the answer what becomes of each event in it."""

from __future__ import annotations

import gzip
import importlib
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from spanmap.client.address import Token
from spanmap.client.alarms import Alarms, logger
from spanmap.client.capture import PATHS, Lane, Path, lane_of, make_headers, read_object, read_results, render_body
from spanmap.client.events import CORE_AI_EVENTS, Refused, encode_event, mend, parse
from spanmap.client.exchange import Answer, Exchange, NetworkError
from spanmap.client.outbox import Outbox, Parcel, Record
from spanmap.client.retry import RetryPolicy, parse_retry_after
from spanmap.client.shrink import shrink

Compression = Literal["gzip", "zstd"]
BeforeSend = Callable[[dict[str, Any]], Mapping[str, Any] | None]

# A body of one packet is not worth the time.
_MIN_COMPRESSED_BYTES = 1024
# Prompts compress well at any level; the fastest costs a third of the default.
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 3
# A path that has worked may be away for the time of a deployment. After this many 404s in a row it is gone.
_MAX_MISSES = 5
# A server that knew only an old path is asked again whether it knows a better one.
_ASK_AGAIN_SECONDS = 3600.0
# A body of more bytes that was cut off so often may be too large for something on the way.
_SUSPICIOUS_BYTES = 256 * 1024
_MAX_CUTS = 3
# An event that the service still finds too large at this size is not too large.
_MIN_SHRUNK_BYTES = 16 * 1024
# Errors of a whole request, which no event in it is to blame for.
_REQUEST_ERRORS = {"missing_required_headers", "invalid_header_value", "invalid_batch"}
_TOO_BIG = {"ai_event_too_big", "event_too_big"}
_MISROUTED = {"misrouted_event", "non_ai_event"}
_REASON = re.compile(r"[a-z0-9_]{1,64}")


class _Route:
    """Which of a lane's paths the host knows."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths
        self.index = 0
        self.is_proven = False
        self.misses = 0
        self.chosen_at = time.monotonic()

    @property
    def path(self) -> Path:
        if self.index and time.monotonic() - self.chosen_at > _ASK_AGAIN_SECONDS:
            self.choose(0)
        return self.paths[self.index]

    def choose(self, index: int) -> None:
        self.index = index
        self.is_proven = False
        self.misses = 0
        self.chosen_at = time.monotonic()


class Courier:
    """Delivers parcels, one after the other, on the worker's thread.

    Args:
        token: The project token.
        exchange: The way to the host.
        outbox: Where parcels come from, and go back to.
        alarms: Where trouble is told.
        policy: When to try again.
        before_send: Sees each event once, and may change or refuse it.
        compression: How bodies are compressed.
        historical_migration: Marks a backfill.
    """

    def __init__(
        self,
        *,
        token: Token,
        exchange: Exchange,
        outbox: Outbox,
        alarms: Alarms,
        policy: RetryPolicy,
        before_send: BeforeSend | None,
        compression: Compression | None,
        historical_migration: bool,
    ) -> None:
        self._token = token
        self._exchange = exchange
        self._outbox = outbox
        self._alarms = alarms
        self._policy = policy
        self._before_send = before_send
        self._compress = _find_compressor(compression)
        self._has_compression = compression is not None
        self._historical = historical_migration
        self._routes: dict[Lane, _Route] = {lane: _Route(paths) for lane, paths in PATHS.items()}
        self._misrouted: set[str] = set()
        self._failures = 0

    def deliver(self, parcel: Parcel) -> None:
        """Sends a parcel, and settles or puts back every event in it."""
        route = self._routes[parcel.lane]
        path = route.path
        parcel.records = self._prepare(parcel, path)
        if not parcel.records:
            return
        parcel.attempt += 1
        body = render_body(
            path,
            self._token,
            [(record.json, record.wants_person) for record in parcel.records],
            created_at=parcel.created_at,
            historical_migration=self._historical,
        )
        encoding, body = self._encode(path, body)
        headers = make_headers(
            path, self._token, request_id=parcel.request_id, attempt=parcel.attempt, encoding=encoding
        )
        if parcel.attempt > 1:
            self._outbox.count_retry(parcel)
        try:
            answer = self._exchange.post(path.path, headers, body)
        except NetworkError as error:
            self._outbox.count_request(path.path, "network")
            self._read_silence(parcel, error, len(body))
            return
        self._outbox.count_request(path.path, str(answer.status))
        self._read_answer(parcel, route, path, answer)

    # Before the request.

    def _prepare(self, parcel: Parcel, path: Path) -> list[Record]:
        """What of the parcel can go now in one request; the rest is put back or dropped."""
        oldest = time.monotonic() - self._outbox.max_age_seconds
        going: list[Record] = []
        seen: dict[str, bytes] = {}
        size = 0
        later: dict[Lane, list[Record]] = {"ai": [], "analytics": []}
        for record in parcel.records:
            try:
                if record.since < oldest:
                    raise Refused("too_old")
                self._make_ready(record)
                if len(record.json) > path.max_event_bytes:
                    self._shrink(record, path.max_event_bytes)
            except Refused as refused:
                self._lose([record], refused.reason, f"An event was not sent: {refused.reason}.")
                continue
            lane: Lane = "analytics" if record.event in self._misrouted else lane_of(record.event)
            if seen.get(record.uuid) == record.json:
                # The same event twice: PostHog would count it once, and refuse a request that holds both.
                self._outbox.drop([record], "duplicate")
            elif lane != parcel.lane and parcel.lane == "ai":
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

    def _make_ready(self, record: Record) -> None:
        if record.ready:
            return
        if self._before_send is not None:
            event = parse(record.json)
            try:
                changed = self._before_send(event)
            except Exception as error:
                # Whoever redacts must not be passed by because of a bug.
                logger.debug("before_send raised %s", type(error).__name__)
                raise Refused("before_send_failed") from error
            if changed is None:
                raise Refused("before_send")
            if isinstance(changed, Mapping) and not changed.get("uuid"):
                changed = {**changed, "uuid": record.uuid}
            encoded = encode_event(changed)
            record.event, record.wants_person = encoded.event, encoded.process_person_profile
            self._outbox.replace(record, encoded.json)
        repaired: set[str] = set()
        head, mended = mend(record.json, record.queued_at, repaired)
        record.event, record.uuid = head.event, head.uuid
        if "distinct_id" in repaired and head.distinct_id == head.uuid:
            # Nobody is known by this id, so nobody gets a profile.
            record.wants_person = False
        if mended is not record.json:
            self._outbox.replace(record, mended)
        self._outbox.count_repaired(repaired)
        record.ready = True

    def _shrink(self, record: Record, max_bytes: int) -> None:
        smaller = shrink(record.json, max_bytes)
        if smaller is None:
            raise Refused("too_large")
        logger.debug("event %s was shrunk from %d to %d bytes", record.uuid, len(record.json), len(smaller))
        self._outbox.replace(record, smaller)
        self._outbox.count_shrunk()

    def _encode(self, path: Path, body: bytes) -> tuple[str | None, bytes]:
        if not self._has_compression or len(body) < _MIN_COMPRESSED_BYTES:
            return None, body
        if path.has_verdicts and self._compress is not None:
            return "zstd", self._compress(body)
        return "gzip", gzip.compress(body, _GZIP_LEVEL, mtime=0)

    # After the request.

    def _read_silence(self, parcel: Parcel, error: NetworkError, body_bytes: int) -> None:
        message = f"{self._exchange.host} did not answer: {error}"
        cut_off = error.was_connected and body_bytes > _SUSPICIOUS_BYTES and parcel.attempt >= _MAX_CUTS
        if cut_off and len(parcel.records) > 1:
            # Some proxies do not say 413: they hang up on a body that is too large for them.
            self._failures += 1
            self._outbox.hold(self._policy.wait_seconds(self._failures))
            self._split(parcel)
            self._alarms.raise_alarm("network", message, events=len(parcel.records), lost=False)
        else:
            self._try_later(parcel, message, "network")

    def _read_answer(self, parcel: Parcel, route: _Route, path: Path, answer: Answer) -> None:
        status = answer.status
        if 200 <= status < 300:
            self._read_success(parcel, route, path, answer)
        elif status in {404, 405, 410, 501}:
            self._try_next_path(parcel, route, path, status)
        elif 300 <= status < 400:
            target = _shown(answer.headers.get("location", ""))
            self._freeze(
                parcel,
                "redirect",
                f"{self._exchange.host} answers with a redirect to {target}, which is not "
                "followed because it would hand the token on. Set host to where PostHog really is.",
            )
        elif status == 400:
            self._find_culprit(parcel, route, path, answer)
        elif status == 401:
            self._freeze(
                parcel,
                "unauthorized",
                f"{self._exchange.host} does not take the project token "
                f"{self._token!r} (401). Events are kept until the queue is full. Check the token.",
            )
        elif status == 402:
            self._lose(parcel.records, "billing_limit_exceeded", "The project's billing limit is reached (402).")
        elif status == 413:
            self._halve(parcel, answer)
        elif status == 415 and self._has_compression:
            self._without_compression(parcel, path)
        elif status == 403 and not route.is_proven:
            # What an old web server says to a POST that it does not know.
            self._try_next_path(parcel, route, path, status)
        else:
            after = parse_retry_after(answer.headers.get("retry-after"))
            self._try_later(parcel, f"{self._exchange.host} answered {status}.", f"http_{status}", after)

    def _read_success(self, parcel: Parcel, route: _Route, path: Path, answer: Answer) -> None:
        is_empty = answer.status == 204 and not path.has_verdicts
        results: dict[str, tuple[str, str]] | None = {} if is_empty else read_results(path, answer.body)
        if results is None:
            if not route.is_proven and "html" in answer.headers.get("content-type", ""):
                self._try_next_path(parcel, route, path, answer.status)
            else:
                self._try_later(
                    parcel,
                    f"{self._exchange.host} answered {answer.status} with a body that is no answer of PostHog.",
                    "unreadable_answer",
                )
            return
        route.is_proven = True
        route.misses = 0
        self._failures = 0
        if path.has_verdicts:
            self._read_verdicts(parcel, results, answer)
            return
        limited = (read_object(answer.body) or {}).get("quota_limited")
        self._outbox.deliver(parcel.records, ["quota_limited"] * len(parcel.records) if limited else ())

    def _read_verdicts(self, parcel: Parcel, results: Mapping[str, tuple[str, str]], answer: Answer) -> None:
        delivered: list[Record] = []
        warnings: list[str] = []
        again: list[Record] = []
        elsewhere: list[Record] = []
        dropped: dict[str, list[Record]] = {}
        for record in parcel.records:
            result, details = results.get(record.uuid, ("ok", ""))
            if result == "retry":
                again.append(record)
            elif result != "drop":
                delivered.append(record)
                if result != "ok":
                    warnings.append(details if result == "warning" else f"unknown_result:{result[:32]}")
            elif details in _TOO_BIG and self._can_shrink(record):
                self._outbox.put_back(Parcel(parcel.lane, [record]))
            elif details in _MISROUTED and parcel.lane == "ai":
                self._misrouted.add(record.event)
                elsewhere.append(record)
            else:
                dropped.setdefault(details, []).append(record)
        self._outbox.deliver(delivered, warnings)
        for details, records in dropped.items():
            self._lose(
                records,
                details if _REASON.fullmatch(details) else "dropped_by_posthog",
                f"PostHog dropped {len(records)} events: {details[:100]}.",
            )
        if elsewhere:
            self._outbox.put_back(Parcel("analytics", elsewhere))
        if again:
            parcel.records = again
            after = parse_retry_after(answer.headers.get("retry-after"))
            now = time.monotonic()
            parcel.floor = now + (after or 0.0)
            parcel.not_before = now + self._policy.wait_seconds(parcel.attempt, after)
            self._outbox.put_back(parcel)

    def _can_shrink(self, record: Record) -> bool:
        target = len(record.json) // 2
        if target < _MIN_SHRUNK_BYTES:
            return False
        try:
            self._shrink(record, target)
        except Refused:
            return False
        return True

    def _try_later(self, parcel: Parcel, message: str, kind: str, after: float | None = None) -> None:
        self._failures += 1
        wait = self._policy.wait_seconds(self._failures, after)
        self._outbox.hold(wait, after or 0.0)
        self._outbox.put_back(parcel)
        self._alarms.raise_alarm(
            kind,
            f"{message} {len(parcel.records)} events wait for another try.",
            events=len(parcel.records),
            lost=False,
        )

    def _freeze(self, parcel: Parcel, kind: str, message: str) -> None:
        self._outbox.hold(self._policy.frozen_seconds)
        self._outbox.put_back(parcel)
        self._alarms.raise_alarm(kind, message, events=len(parcel.records), lost=False)
        self._outbox.disappoint()

    def _try_next_path(self, parcel: Parcel, route: _Route, path: Path, status: int) -> None:
        if route.is_proven:
            route.misses += 1
            if route.misses < _MAX_MISSES:
                self._try_later(
                    parcel,
                    f"{self._exchange.host}{path.path} is gone ({status}), and was there before.",
                    f"http_{status}",
                )
                return
        parcel = Parcel(parcel.lane, parcel.records, created_at=parcel.created_at)
        if route.index + 1 < len(route.paths):
            route.choose(route.index + 1)
            self._outbox.put_back(parcel)
            return
        route.choose(0)
        tried = ", ".join(path.path for path in route.paths)
        self._freeze(
            parcel,
            "no_path",
            f"{self._exchange.host} knows none of {tried} (last answer: {status}). Events "
            "are kept until the queue is full. Check the host; PostHog Cloud is https://us.i.posthog.com or "
            "https://eu.i.posthog.com.",
        )

    def _find_culprit(self, parcel: Parcel, route: _Route, path: Path, answer: Answer) -> None:
        error = (read_object(answer.body) or {}).get("error")
        tag = error if isinstance(error, str) and _REASON.fullmatch(error) else "http_400"
        if path.has_verdicts and tag in _REQUEST_ERRORS:
            # Something between us and the service has touched the request.
            self._try_next_path(parcel, _unproven(route), path, answer.status)
        elif len(parcel.records) > 1:
            self._split(parcel)
        elif path.path == "/i/v0/ai/batch/" and parcel.records[0].event not in CORE_AI_EVENTS:
            # The older AI path refuses names that it does not know; the path for all events may take them.
            self._misrouted.add(parcel.records[0].event)
            self._outbox.put_back(Parcel("analytics", parcel.records))
        else:
            self._lose(parcel.records, f"rejected:{tag}", f"PostHog refused an event ({tag}).")

    def _halve(self, parcel: Parcel, answer: Answer) -> None:
        if len(parcel.records) > 1:
            self._split(parcel)
        elif self._can_shrink(parcel.records[0]):
            self._outbox.put_back(Parcel(parcel.lane, parcel.records, created_at=parcel.created_at))
        else:
            self._lose(
                parcel.records,
                "too_large",
                f"An event is too large for {self._exchange.host} ({answer.status}), however small it was made.",
            )

    def _split(self, parcel: Parcel) -> None:
        middle = len(parcel.records) // 2
        for half in (parcel.records[:middle], parcel.records[middle:]):
            self._outbox.put_back(Parcel(parcel.lane, half, created_at=parcel.created_at))

    def _without_compression(self, parcel: Parcel, path: Path) -> None:
        if path.has_verdicts and self._compress is not None:
            self._compress = None
        else:
            self._has_compression = False
        self._outbox.put_back(Parcel(parcel.lane, parcel.records, created_at=parcel.created_at))

    def _lose(self, records: Sequence[Record], reason: str, message: str) -> None:
        # First told and then settled, so that whoever waits for delivery has heard of it when the wait is over.
        if reason != "before_send":
            self._alarms.raise_alarm(reason, message, events=len(records), lost=True)
        self._outbox.drop(records, reason)


def _unproven(route: _Route) -> _Route:
    route.is_proven = False
    return route


def _shown(location: str) -> str:
    """A redirect's target without what may be secret in it."""
    address = location.partition("?")[0].partition("#")[0]
    return repr(re.sub(r"//[^/@]*@", "//", address)[:200])


def _find_compressor(compression: Compression | None) -> Callable[[bytes], bytes] | None:
    """The zstd compressor, if that is what was asked for and it is there."""
    if compression != "zstd":
        return None
    try:
        zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        logger.warning("zstd is not installed, so bodies are compressed with gzip: pip install 'spanmap[client]'")
        return None

    def compress(body: bytes) -> bytes:
        compressed: bytes = zstd.compress(body, _ZSTD_LEVEL)
        return compressed

    return compress
