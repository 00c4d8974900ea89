"""Takes one parcel to PostHog, and decides by the answer what becomes of each event in it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from spanmap.client.address import Token
from spanmap.client.alarms import Alarms
from spanmap.client.capture import PATHS, Lane, Path, make_headers, read_object, read_results, render_body
from spanmap.client.compress import Compressor
from spanmap.client.events import CORE_AI_EVENTS
from spanmap.client.exchange import Answer, Exchange, NetworkError
from spanmap.client.outbox import Outbox, Parcel, Record
from spanmap.client.packing import Packer
from spanmap.client.retry import RetryPolicy, parse_retry_after
from spanmap.client.routes import Route

# After so many tries a request is halved if something in it may be what breaks the server, or if its body is of more
# bytes than this and may be too large for something on the way.
_TRIES_IN_ONE_PIECE = 3
_SUSPICIOUS_BYTES = 256 * 1024
# Errors of a whole request, which no event in it is to blame for.
_REQUEST_ERRORS = {"missing_required_headers", "invalid_header_value", "invalid_batch"}
_TOO_BIG = {"ai_event_too_big", "event_too_big"}
_MISROUTED = {"misrouted_event", "non_ai_event"}
_REASON = re.compile(r"[a-z0-9_]{1,64}")


class Courier:
    """Delivers parcels, one after the other, on the worker's thread.

    Args:
        token: The project token.
        exchange: The way to the host.
        outbox: Where parcels come from, and go back to.
        alarms: Where trouble is told.
        policy: When to try again.
        packer: Makes parcels ready.
        compressor: Compresses bodies.
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
        packer: Packer,
        compressor: Compressor,
        historical_migration: bool,
    ) -> None:
        self._token = token
        self._exchange = exchange
        self._outbox = outbox
        self._alarms = alarms
        self._policy = policy
        self._packer = packer
        self._compressor = compressor
        self._historical = historical_migration
        self._routes: dict[Lane, Route] = {lane: Route(paths) for lane, paths in PATHS.items()}
        self._failures = 0
        self._last_success = 0.0

    def deliver(self, parcel: Parcel) -> None:
        """Sends a parcel, and settles or puts back every event in it."""
        route = self._routes[parcel.lane]
        path = route.choose(time.monotonic())
        parcel.records = self._packer.pack(parcel, path)
        if not parcel.records:
            return
        parcel.attempt += 1
        parcel.first_sent = parcel.first_sent or time.monotonic()
        body = render_body(
            path,
            self._token,
            [(record.json, record.wants_person) for record in parcel.records],
            created_at=parcel.created_at,
            historical_migration=self._historical,
        )
        encoding, body = self._compressor.compress(body, allow_zstd=path.has_verdicts)
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
        self._read_answer(parcel, route, path, answer, encoding)

    def _read_silence(self, parcel: Parcel, error: NetworkError, body_bytes: int) -> None:
        message = f"{self._exchange.host} did not answer: {error}"
        if error.was_connected and body_bytes > _SUSPICIOUS_BYTES and parcel.attempt >= _TRIES_IN_ONE_PIECE:
            # Some proxies do not say 413: they hang up on a body that is too large for them.
            parcel = self._split(parcel)
        self._try_later(parcel, message, "network")

    def _read_answer(self, parcel: Parcel, route: Route, path: Path, answer: Answer, encoding: str | None) -> None:
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
            self._find_culprit(parcel, route, path, answer, encoding)
        elif status == 401:
            self._freeze(
                parcel,
                "unauthorized",
                f"{self._exchange.host} does not take the project token "
                f"{self._token!r} (401). Events are kept until the queue is full. Check the token.",
            )
        elif status == 402:
            self._packer.lose(parcel.records, "billing_limit_exceeded", "The project's billing limit is reached (402).")
        elif status == 413:
            self._halve(parcel, answer)
        elif status == 415 and self._compressor.step_down(encoding):
            self._outbox.put_back(Parcel(parcel.lane, parcel.records, created_at=parcel.created_at))
        elif status == 403 and not route.is_proven:
            # What an old web server says to a POST that it does not know.
            self._try_next_path(parcel, route, path, status)
        else:
            if status == 500 and parcel.attempt >= _TRIES_IN_ONE_PIECE and parcel.first_sent < self._last_success:
                # Others get through meanwhile, so something in this request is what breaks the server.
                # The halves inherit the suspicion, which nothing may confirm again in a quiet application.
                parcel = self._split(parcel, parcel.first_sent)
            after = parse_retry_after(answer.headers.get("retry-after"))
            self._try_later(parcel, f"{self._exchange.host} answered {status}.", f"http_{status}", after)

    def _read_success(self, parcel: Parcel, route: Route, path: Path, answer: Answer) -> None:
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
        route.prove()
        self._last_success = time.monotonic()
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
            elif details in _TOO_BIG and self._packer.halve(record):
                self._outbox.put_back(Parcel(parcel.lane, [record]))
            elif details in _MISROUTED and parcel.lane == "ai":
                self._packer.send_elsewhere(record.event)
                elsewhere.append(record)
            else:
                dropped.setdefault(details, []).append(record)
        self._outbox.deliver(delivered, warnings)
        for details, records in dropped.items():
            self._packer.lose(
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

    def _try_later(self, parcel: Parcel, message: str, kind: str, after: float | None = None) -> None:
        self._failures += 1
        wait = self._policy.wait_seconds(self._failures, after)
        self._outbox.hold(wait, after or 0.0)
        # What fails again and again is tried ever more seldom, while the others go on.
        parcel.not_before = time.monotonic() + self._policy.wait_seconds(max(parcel.attempt, 1))
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

    def _try_next_path(self, parcel: Parcel, route: Route, path: Path, status: int) -> None:
        if route.forgives():
            message = f"{self._exchange.host}{path.path} is gone ({status}), and was there before."
            self._try_later(parcel, message, f"http_{status}")
        else:
            self._leave_path(parcel, route, status)

    def _leave_path(self, parcel: Parcel, route: Route, status: int) -> None:
        # Another path is another request, which begins with its first try.
        parcel = Parcel(parcel.lane, parcel.records, created_at=parcel.created_at)
        if route.go_on(time.monotonic()):
            self._outbox.put_back(parcel)
            return
        tried = ", ".join(path.path for path in route.paths)
        self._freeze(
            parcel,
            "no_path",
            f"{self._exchange.host} knows none of {tried} (last answer: {status}). Events are kept until the queue is "
            "full. Check the host; PostHog Cloud is https://us.i.posthog.com or https://eu.i.posthog.com.",
        )

    def _find_culprit(self, parcel: Parcel, route: Route, path: Path, answer: Answer, encoding: str | None) -> None:
        error = (read_object(answer.body) or {}).get("error")
        tag = error if isinstance(error, str) and _REASON.fullmatch(error) else "http_400"
        if path.has_verdicts and tag in _REQUEST_ERRORS:
            # Something between us and the service has touched the request.
            self._leave_path(parcel, route, answer.status)
        elif tag == "request_decoding_error" and self._compressor.step_down(encoding):
            self._outbox.put_back(Parcel(parcel.lane, parcel.records, created_at=parcel.created_at))
        elif len(parcel.records) > 1:
            self._outbox.put_back(self._split(parcel))
        elif path.path == "/i/v0/ai/batch/" and parcel.records[0].event not in CORE_AI_EVENTS:
            # The older AI path refuses names that it does not know; the path for all events may take them.
            self._packer.send_elsewhere(parcel.records[0].event)
            self._outbox.put_back(Parcel("analytics", parcel.records))
        else:
            self._packer.lose(parcel.records, f"rejected:{tag}", f"PostHog refused an event ({tag}).")

    def _halve(self, parcel: Parcel, answer: Answer) -> None:
        if len(parcel.records) > 1:
            self._outbox.put_back(self._split(parcel))
        elif self._packer.halve(parcel.records[0]):
            self._outbox.put_back(Parcel(parcel.lane, parcel.records, created_at=parcel.created_at))
        else:
            self._packer.lose(
                parcel.records,
                "too_large",
                f"An event is too large for {self._exchange.host} ({answer.status}), however small it was made.",
            )

    def _split(self, parcel: Parcel, first_sent: float = 0.0) -> Parcel:
        """Puts back the second half of a parcel, if it has one, and gives the first."""
        if len(parcel.records) == 1:
            return parcel
        middle = len(parcel.records) // 2
        first, second = (
            Parcel(parcel.lane, half, created_at=parcel.created_at, first_sent=first_sent)
            for half in (parcel.records[:middle], parcel.records[middle:])
        )
        self._outbox.put_back(second)
        return first


def _shown(location: str) -> str:
    """A redirect's target without what may be secret in it."""
    address = location.partition("?")[0].partition("#")[0]
    return repr(re.sub(r"//[^/@]*@", "//", address)[:200])
