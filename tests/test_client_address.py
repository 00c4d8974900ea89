"""Tokens and hosts: what is refused, with which words, and over which roads the client speaks."""

from __future__ import annotations

import base64
import contextlib
import math
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from client_cases import each_once, make_client, make_events
from posthog_server import PostHogServer
from spanmap.client import Client

US = "https://us.i.posthog.com"


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("phx_personal_key_that_is_secret", "personal API key"),
        ("phc_with space", "visible ASCII"),
        ("phc_with\r\nX-Header: injected", "visible ASCII"),
        ("phc_ünicode", "visible ASCII"),
        ("phc_\x00", "visible ASCII"),
        ("p" * 65, "65 characters"),
    ],
)
def test_a_token_of_the_wrong_form_is_refused_without_repeating_it(token: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Client(token)
    assert not token.strip() or token.strip() not in str(caught.value)


def test_white_space_around_a_token_is_not_part_of_it() -> None:
    assert repr(Client(" phc_0123456789\n")) == f"Client(phc_0123..., {US})"


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("", "empty or holds white space"),
        ("https://us.i.posthog.com/\r\nX: y", "white space"),
        ("https://us.i.posthog.com/a b", "white space"),
        ("https://user:secret@us.i.posthog.com", "user name or password"),
        ("https://us.i.posthog.com?api_key=secret", "query or fragment"),
        ("https://us.i.posthog.com#x", "query or fragment"),
        ("https://us.i.posthog.com:99999", "port"),
        ("https://us.i.posthog.com:port", "port"),
        ("ftp://us.i.posthog.com", "no https address"),
        ("https://", "no https address"),
        ("https://user:secret@[::1", "no https address"),
        ("https://us_i{}.posthog.com", "characters that no host name has"),
        ("http://us.i.posthog.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("http://10.0.0.1:8000", "plain http"),
    ],
)
def test_a_host_that_is_not_safe_is_refused(host: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Client("phc_test", host)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("https://us.i.posthog.com/", US),
        ("us.i.posthog.com", US),
        ("https://US.I.PostHog.com", US),
        ("https://us.posthog.com", US),
        ("https://app.posthog.com", US),
        ("https://eu.posthog.com", "https://eu.i.posthog.com"),
        ("https://posthog.example.com:8443/ingest/", "https://posthog.example.com:8443/ingest"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_host_may_be_written_in_many_ways(host: str, shown: str) -> None:
    assert repr(Client("phc_test", host)) == f"Client(phc_test..., {shown})"


def test_plain_http_in_a_trusted_network_is_the_users_choice() -> None:
    assert "http://posthog:8000" in repr(Client("phc_test", "http://posthog:8000", allow_plain_http=True))


@pytest.mark.parametrize(
    "option",
    [
        "max_queue_bytes",
        "max_queue_events",
        "max_batch_bytes",
        "max_batch_events",
        "timeout_seconds",
        "max_age_seconds",
    ],
)
def test_a_cap_of_nothing_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 0. It must be more than 0"):
        Client("phc_test", **{option: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0])
def test_a_time_that_no_request_can_take_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="timeout_seconds is"):
        Client("phc_test", timeout_seconds=value)


@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_an_interval_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="flush_interval_seconds is"):
        Client("phc_test", flush_interval_seconds=value)


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(ValueError, match="gzip"):
        Client("phc_test", compression="brotli")  # type: ignore[arg-type]


def test_ipv6_loopback() -> None:
    events = make_events(3)
    with PostHogServer(ipv6=True) as server:
        with make_client(server) as client:
            client.send(events)
            assert client.flush(10)
        assert server.copies == each_once(events)


def test_a_path_in_front_of_posthogs_own_is_kept() -> None:
    with PostHogServer() as server:
        with make_client(f"{server.url}/ingest") as client:
            client.send(make_events(1))
            client.flush(10)
        assert server.paths[0] == "/ingest/i/v1/ai/events"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def encrypted(authority: trustme.CA) -> Iterator[PostHogServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with PostHogServer(tls=context) as running:
        yield running


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


def test_https_with_certificates_of_the_users_own(encrypted: PostHogServer, trusted: str) -> None:
    events = make_events(3)
    with make_client(encrypted, ca_file=trusted) as client:
        client.send(events)
        assert client.flush(10)
    assert encrypted.copies == each_once(events)


def test_certificates_that_nobody_trusts_get_no_events(encrypted: PostHogServer) -> None:
    client = make_client(encrypted)
    client.send(make_events(3))
    assert client.flush(0.3) is False
    client.shutdown(0)
    assert encrypted.requests == []
    assert client.counters["pending_events"] == 3


class Proxy:
    """An HTTP proxy that opens tunnels, and remembers where to."""

    def __init__(self, target: int | None) -> None:
        self.asked: list[str] = []
        self.headers = ""
        self._target = target
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            request = client.recv(65536)
            self.headers = request.decode()
            self.asked.append(request.rpartition(b" HTTP/1.")[0].split(b" HTTP/1.")[0].decode())
            if self._target is None:
                client.sendall(b"HTTP/1.1 502 No way\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def deaf_proxy() -> Iterator[Proxy]:
    proxy = Proxy(None)
    yield proxy
    proxy.close()


def test_a_proxy_of_the_users_choice_is_used(encrypted: PostHogServer, trusted: str) -> None:
    proxy = Proxy(encrypted.port)
    events = make_events(3)
    with make_client(encrypted, ca_file=trusted, proxy=proxy.url) as client:
        client.send(events)
        assert client.flush(10)
    assert encrypted.copies == each_once(events)
    assert proxy.asked == [f"CONNECT localhost:{encrypted.port}"]
    proxy.close()


def test_a_proxy_that_wants_a_password_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(None)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "me:p%40ss@"))
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("https_proxy", raising=False)
    client = make_client("https://posthog.invalid")
    report = client.check()
    assert not report.ok
    assert base64.b64encode(b"me:p@ss").decode() in proxy.headers
    assert "p@ss" not in str(report)
    assert "p%40ss" not in str(report)
    proxy.close()


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ValueError, match="holds no certificates"):
            Client("phc_test", ca_file=str(file))


def test_the_environments_proxy_is_used(deaf_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", deaf_proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    client = make_client("https://posthog.invalid")
    client.send(make_events(1))
    assert client.flush(0.5) is False
    client.shutdown(0)
    assert deaf_proxy.asked[0] == "CONNECT posthog.invalid:443"
    report = client.check()
    assert [step.name for step in report.steps] == ["proxy", "/i/v1/ai/events"]


@pytest.mark.parametrize("exception", ["posthog.invalid", ".invalid", "*"])
def test_the_environments_exceptions_hold(deaf_proxy: Proxy, monkeypatch: pytest.MonkeyPatch, exception: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", deaf_proxy.url)
    monkeypatch.setenv("NO_PROXY", exception)
    monkeypatch.setenv("no_proxy", exception)
    client = make_client("https://posthog.invalid")
    client.send(make_events(1))
    assert client.flush(0.2) is False
    client.shutdown(0)
    assert deaf_proxy.asked == []


def test_loopback_is_never_reached_through_a_proxy(deaf_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", deaf_proxy.url)
    monkeypatch.setenv("HTTP_PROXY", deaf_proxy.url)
    with PostHogServer() as server:
        with make_client(server) as client:
            client.send(make_events(1))
            assert client.flush(10)
        assert len(server.accepted) == 1
    assert deaf_proxy.asked == []
