"""`spanmap check` and `Client.check`: they say what works, what does not, and what cannot be known."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from posthog_server import PostHogServer, answer, hang, reset
from spanmap.cli.commands import spanmap
from spanmap.client import CheckReport, CheckStep, Client

TOKEN = "phc_0123456789abcdef"  # noqa: S105 - nobody's.
V1 = "/i/v1/ai/events"


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def encrypted(authority: trustme.CA) -> Iterator[PostHogServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with PostHogServer(tls=context) as running:
        yield running


def find(report: CheckReport, name: str) -> CheckStep:
    return next(step for step in report.steps if step.name == name)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(spanmap, ["check", *arguments], env={"POSTHOG_API_KEY": TOKEN, **environment})


def test_a_good_host_takes_the_event(server: PostHogServer) -> None:
    report = Client(TOKEN, server.url).check()
    assert report.ok
    assert [(step.name, step.outcome) for step in report.steps] == [
        ("host", "note"),
        ("dns", "ok"),
        ("tcp", "ok"),
        (V1, "ok"),
        ("verdict", "ok"),
        ("project", "note"),
    ]
    (accepted,) = server.accepted
    assert accepted.uuid == report.event_uuid
    assert accepted.event == report.event
    assert accepted.properties["$process_person_profile"] is False
    assert not [name for name in accepted.properties if "tokens" in name or "cost" in name]


def test_an_unknown_token_cannot_be_told_and_the_report_says_where_to_look(server: PostHogServer) -> None:
    report = Client(TOKEN, server.url).check()
    step = find(report, "project")
    assert "cannot be known" in step.detail
    assert report.event_uuid in step.advice
    assert TOKEN not in json.dumps(report.to_dict())


def test_encryption_is_checked_with_the_certificates_of_the_user(
    encrypted: PostHogServer, authority: trustme.CA, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    report = Client(TOKEN, encrypted.url, ca_file=str(trusted)).check()
    assert report.ok
    assert find(report, "tls").detail.startswith("TLSv1.3")


def test_a_certificate_that_nobody_trusts_is_refused(encrypted: PostHogServer) -> None:
    report = Client(TOKEN, encrypted.url).check()
    assert not report.ok
    assert report.steps[-1].name == "tls"
    assert "not trusted" in report.steps[-1].detail
    assert encrypted.requests == []


def test_plain_http_on_the_port_is_told_from_a_bad_certificate(server: PostHogServer) -> None:
    report = Client(TOKEN, server.url.replace("http:", "https:")).check()
    assert not report.ok
    assert report.steps[-1] == CheckStep("tls", "failed", report.steps[-1].detail, "Check that the port speaks https.")


@pytest.mark.parametrize("name", ["posthog.invalid", "a..b", "a" * 64 + ".com"])
def test_a_name_that_nobody_knows(name: str) -> None:
    report = Client(TOKEN, f"https://{name}").check()
    assert [(step.name, step.outcome) for step in report.steps] == [("dns", "failed")]


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        report = Client(TOKEN, f"http://127.0.0.1:{free.getsockname()[1]}").check()
    assert report.steps[-1].name == "tcp"
    assert not report.ok


def test_each_path_that_is_tried_is_told(server: PostHogServer) -> None:
    server.missing |= {V1, "/i/v0/ai/batch"}
    report = Client(TOKEN, server.url).check()
    assert report.ok
    assert [(step.name, step.outcome, step.detail[:3]) for step in report.steps[3:6]] == [
        (V1, "note", "404"),
        ("/i/v0/ai/batch/", "note", "404"),
        ("/batch/", "ok", "200"),
    ]
    assert "cannot be known" in find(report, "verdict").detail


def test_a_host_that_is_no_posthog(server: PostHogServer) -> None:
    server.missing |= {V1, "/i/v0/ai/batch", "/batch"}
    report = Client(TOKEN, server.url).check()
    assert not report.ok
    assert "https://eu.i.posthog.com" in report.steps[-1].advice


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "project token"), (402, "billing"), (403, "firewall"), (429, "patience"), (503, "in trouble")],
)
def test_a_refusal_comes_with_advice(server: PostHogServer, status: int, advice: str) -> None:
    server.always = answer(status)
    report = Client(TOKEN, server.url).check()
    assert not report.ok
    assert report.steps[-1].detail == str(status)
    assert advice in report.steps[-1].advice


@pytest.mark.parametrize("status", [200, 403])
def test_a_web_application_in_front_of_an_older_path_is_passed_as_the_client_passes_it(
    server: PostHogServer, status: int
) -> None:
    page = answer(status, b"<html>", {"Content-Type": "text/html"})
    server.script.append(page)
    report = Client(TOKEN, server.url).check()
    assert report.ok
    assert [step.outcome for step in report.steps if step.name.startswith("/")] == ["note", "ok"]
    server.always = page
    report = Client(TOKEN, server.url).check()
    assert not report.ok
    assert report.steps[-1].outcome == "failed"
    assert "Check that the host" in report.steps[-1].advice or "firewall" in report.steps[-1].advice


def test_a_redirect_is_told_and_not_followed(server: PostHogServer) -> None:
    server.script.append(answer(302, b"", {"Location": "https://elsewhere.invalid/login?next=secret"}))
    report = Client(TOKEN, server.url).check()
    assert not report.ok
    assert "https://elsewhere.invalid/login" in report.steps[-1].detail
    assert "secret" not in report.steps[-1].detail


def test_a_web_page_is_no_answer_of_posthog(server: PostHogServer) -> None:
    server.script.append(answer(200, b"<html>"))
    report = Client(TOKEN, server.url).check()
    assert not report.ok
    assert "not PostHog's" in report.steps[-1].detail


@pytest.mark.parametrize("trouble", [reset, hang])
def test_a_server_that_does_not_answer(server: PostHogServer, trouble: object) -> None:
    server.always = trouble()  # type: ignore[operator]
    report = Client(TOKEN, server.url, timeout_seconds=0.2).check()
    assert not report.ok
    assert report.steps[-1].detail.startswith("no answer")


def test_a_project_over_its_quota(server: PostHogServer) -> None:
    class Limited(PostHogServer):
        def _judge(self, event: object) -> tuple[str, str]:
            return "drop", "billing_limit_exceeded"

    with Limited() as limited:
        report = Client(TOKEN, limited.url).check()
    assert not report.ok
    assert find(report, "verdict").advice == "The project is over its quota."


def test_a_check_does_not_touch_the_queue(server: PostHogServer) -> None:
    client = Client(TOKEN, server.url)
    client.check()
    assert client.counters["received"] == 0


def test_the_command_exits_with_0_when_all_is_well(server: PostHogServer) -> None:
    result = run("--host", server.url)
    assert result.exit_code == 0
    assert "PostHog took the event." in result.output
    assert TOKEN not in result.output


def test_the_command_takes_the_host_from_the_environment(server: PostHogServer) -> None:
    assert run(POSTHOG_HOST=server.url).exit_code == 0
    assert len(server.accepted) == 1


def test_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("spanmap.client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "urllib3", None)
    result = run()
    assert result.exit_code == 1
    assert "pip install 'spanmap[client]'" in result.output


def test_the_command_exits_with_1_when_posthog_does_not_take_the_event(server: PostHogServer) -> None:
    server.script.append(answer(401))
    result = run("--host", server.url)
    assert result.exit_code == 1
    assert "FAILED /i/v1/ai/events: 401" in result.output


def test_the_command_gives_json(server: PostHogServer) -> None:
    result = run("--host", server.url, "--format", "json")
    report = json.loads(result.output)
    assert report["ok"] is True
    assert report["host"] == server.url
    assert report["steps"][-1]["name"] == "project"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--token", "phx_secret"), "personal API key"),
        (("--host", "http://posthog.example.com"), "plain http"),
        (("--host", "https://user:pass@posthog.example.com"), "user name or password"),
    ],
)
def test_the_command_refuses_what_is_not_safe(arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert "phx_secret" not in result.output
