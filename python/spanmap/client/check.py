"""A test of the connection, step by step: name, connection, encryption, each path, and what became of one event."""

from __future__ import annotations

import socket
import ssl
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from spanmap.client.address import Host, Token
from spanmap.client.capture import PATHS, Path, make_headers, read_object, read_results, render_body
from spanmap.client.events import encode_event, to_rfc3339
from spanmap.client.exchange import Answer, Exchange, NetworkError

Outcome = Literal["ok", "failed", "note"]

# It has no tokens and no cost, and its person gets no profile, so that it changes no figure but its own count.
EVENT_NAME = "$ai_metric"
_DISTINCT_ID = "spanmap-check"
_OTHER_REGION = {"us.i.posthog.com": "https://eu.i.posthog.com", "eu.i.posthog.com": "https://us.i.posthog.com"}


@dataclass(frozen=True)
class CheckStep:
    """One step of a check.

    Attributes:
        name: `host`, `proxy`, `dns`, `tcp`, `tls`, the path of a request, `verdict` or `project`.
        outcome: `ok`; `failed`, after which the check ends or tries the next path; or `note`, for what cannot be known.
        detail: What was seen.
        advice: What to do; empty where there is nothing to do.
    """

    name: str
    outcome: Outcome
    detail: str
    advice: str = ""


@dataclass
class CheckReport:
    """What a check has found.

    Attributes:
        ok: Whether PostHog took the event.
        host: Where it was sent.
        event: Name of the event.
        event_uuid: Its uuid, to look for in PostHog's activity view.
        steps: The steps, in order.
    """

    host: str
    event_uuid: str
    event: str = EVENT_NAME
    ok: bool = False
    steps: list[CheckStep] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return asdict(self)


def check(token: Token, host: Host, exchange: Exchange) -> CheckReport:
    """Sends one harmless event, and reports each step on the way. It raises nothing."""
    report = CheckReport(host=str(host), event_uuid=str(uuid.uuid4()))
    if host.scheme == "http":
        report.steps.append(CheckStep("host", "note", f"{host} is spoken to without encryption."))
    if exchange.proxy is not None:
        report.steps.append(
            CheckStep("proxy", "note", "The way leads through a proxy, which looks the host's name up.")
        )
        reached = True
    else:
        reached = _reach(host, exchange, report.steps)
    if reached:
        report.ok = _send(token, host, exchange, report)
    return report


def _reach(host: Host, exchange: Exchange, steps: list[CheckStep]) -> bool:
    """Looks the name up, connects, and shakes hands."""
    try:
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # The latter for a name with an empty part, or one of over 63 characters.
        advice = "Check the spelling of the host, and that this machine can look names up."
        steps.append(CheckStep("dns", "failed", f"{host.name} is not known: {error}", advice))
        return False
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    steps.append(CheckStep("dns", "ok", f"{host.name} is {', '.join(addresses)}"))
    started = time.monotonic()
    try:
        connection = socket.create_connection((host.name, host.port), exchange.timeout_seconds)
    except OSError as error:
        advice = "Check the port, and that no firewall stands between. Behind a proxy, set HTTPS_PROXY."
        steps.append(CheckStep("tcp", "failed", f"No connection to port {host.port}: {error}", advice))
        return False
    with connection:
        took = (time.monotonic() - started) * 1000
        steps.append(CheckStep("tcp", "ok", f"connected to {connection.getpeername()[0]} in {took:.0f} ms"))
        return host.scheme == "http" or _shake_hands(connection, host, exchange, steps)


def _shake_hands(connection: socket.socket, host: Host, exchange: Exchange, steps: list[CheckStep]) -> bool:
    try:
        with exchange.make_tls_context().wrap_socket(connection, server_hostname=host.name) as encrypted:
            certificate = encrypted.getpeercert() or {}
            detail = f"{encrypted.version()}, certificate until {certificate.get('notAfter', 'an unknown day')}"
            steps.append(CheckStep("tls", "ok", detail))
            return True
    except ssl.SSLCertVerificationError as error:
        advice = (
            "Something on the way may open encrypted connections: then give its certificates as ca_file, or in "
            "SSL_CERT_FILE. "
            "A self-hosted PostHog needs a certificate for this name."
        )
        steps.append(CheckStep("tls", "failed", f"The certificate is not trusted: {error.verify_message}", advice))
    except OSError as error:
        advice = "Check that the port speaks https."
        steps.append(CheckStep("tls", "failed", f"No encrypted connection: {error}", advice))
    return False


def _send(token: Token, host: Host, exchange: Exchange, report: CheckReport) -> bool:
    now = to_rfc3339(time.time())
    event = encode_event(
        {
            "event": EVENT_NAME,
            "distinct_id": _DISTINCT_ID,
            "timestamp": now,
            "uuid": report.event_uuid,
            "properties": {
                "$ai_metric_name": "spanmap_check",
                "$ai_metric_value": "ok",
                "$ai_trace_id": f"spanmap-check-{report.event_uuid}",
                "$process_person_profile": False,
            },
        }
    )
    refusal: CheckStep | None = None
    for path in PATHS["ai"]:
        body = render_body(path, token, [(event.json, False)], created_at=now, historical_migration=False)
        headers = make_headers(path, token, request_id=str(uuid.uuid4()), attempt=1, encoding=None)
        try:
            answer = exchange.post(path.path, headers, body)
        except NetworkError as error:
            advice = "The connection was made, but no HTTP answer came. Try again, and look at what stands in between."
            report.steps.append(CheckStep(path.path, "failed", f"no answer: {error}", advice))
            return False
        if answer.status in {404, 405, 410, 501}:
            detail = f"{answer.status}: this server does not know the path"
            report.steps.append(CheckStep(path.path, "note", detail))
            continue
        step = _judge(path, host, answer)
        if answer.status == 403 or (answer.status == 200 and "html" in answer.headers.get("content-type", "")):
            # What a web application says of paths that it does not know; the client goes on to the next one, too.
            refusal = step
            report.steps.append(CheckStep(path.path, "note", f"{step.detail}: this server may not know the path"))
            continue
        report.steps.append(step)
        return step.outcome == "ok" and _read_verdict(token, host, path, answer, report)
    report.steps.append(
        refusal
        or CheckStep(
            "path",
            "failed",
            "The host knows none of PostHog's paths.",
            "It is no PostHog, or a proxy that wants a path in front: https://HOST/PATH. PostHog Cloud takes events at "
            "https://us.i.posthog.com and https://eu.i.posthog.com.",
        )
    )
    return False


def _judge(path: Path, host: Host, answer: Answer) -> CheckStep:
    """What one answer to the event says about the path."""
    status = answer.status
    if 200 <= status < 300:
        if read_results(path, answer.body) is not None:
            return CheckStep(path.path, "ok", f"{status}")
        return CheckStep(
            path.path, "failed", f"{status}, but the answer is not PostHog's", "Check that the host is PostHog."
        )
    error = (read_object(answer.body) or {}).get("error")
    detail = f"{status}{f' ({error[:100]})' if isinstance(error, str) else ''}"
    if 300 <= status < 400:
        target = answer.headers.get("location", "").partition("?")[0][:200]
        return CheckStep(
            path.path, "failed", f"{detail}: redirect to {target!r}", "Set host to where PostHog really is."
        )
    advice = {
        400: "Something on the way changes requests: the event is one that PostHog takes.",
        401: "The token has the wrong form. Copy the project token (phc_...) from the settings of your project.",
        402: "The project's billing limit is reached; raise it, or wait for the next period.",
        403: f"{host} refuses requests; a firewall or proxy may want something first.",
        413: "Something on the way refuses even a small body.",
        429: "PostHog asks for patience: try again in a minute.",
    }
    fallback = "The server is in trouble: try again in a minute." if status >= 500 else "No capture service says this."
    return CheckStep(path.path, "failed", detail, advice.get(status, fallback))


def _read_verdict(token: Token, host: Host, path: Path, answer: Answer, report: CheckReport) -> bool:
    if path.has_verdicts:
        results = read_results(path, answer.body) or {}
        result, details = results.get(report.event_uuid, ("ok", ""))
        if result in {"drop", "retry"}:
            advice = (
                "The project is over its quota." if details == "billing_limit_exceeded" else "Try again in a minute."
            )
            report.steps.append(CheckStep("verdict", "failed", f"{result}: {details}", advice))
            return False
        report.steps.append(CheckStep("verdict", "ok", "the event was accepted"))
    else:
        detail = "this path answers 200 also for events that are discarded, so acceptance cannot be known"
        report.steps.append(CheckStep("verdict", "note", detail))
    other = _OTHER_REGION.get(host.name)
    wrong_region = f", or it is in the other region: try host {other}" if other else ""
    report.steps.append(
        CheckStep(
            "project",
            "note",
            f"Whether {token!r} belongs to a project cannot be known from the answer: PostHog takes any token of the "
            "right form.",
            f"Look for the event {EVENT_NAME} with uuid {report.event_uuid} in PostHog's activity view. If it is not "
            f"there after some minutes, the token is not this project's{wrong_region}.",
        )
    )
    return True
