"""One HTTP exchange with PostHog, over urllib3: no redirects, no retries, nothing read beyond a cap or a deadline."""

from __future__ import annotations

import ssl
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import urllib3

from spanmap.client.address import Host

# An answer of the newer paths holds about 100 bytes for each event of a request.
MAX_ANSWER_BYTES = 4 << 20
_CHUNK_BYTES = 1 << 16


class NetworkError(Exception):
    """No answer, or none that was whole. What the service did with the request is unknown.

    Attributes:
        was_connected: Whether the connection was cut, and not merely never made or too slow.
    """

    def __init__(self, message: str, *, was_connected: bool = False) -> None:
        super().__init__(message)
        self.was_connected = was_connected


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Speaks with one host, and keeps its connection open between requests.

    Args:
        host: The host.
        timeout_seconds: For connecting, for each wait for bytes, and for the answer as a whole.
        ca_file: Certificates to trust instead of the system's.
        proxy: Address of an HTTP proxy, possibly with name and password; `""` for none, and None for what `HTTPS_PROXY`
            and `NO_PROXY` say. A plain http host is always spoken to directly.
    """

    def __init__(self, host: Host, *, timeout_seconds: float, ca_file: str | None, proxy: str | None) -> None:
        self.host = host
        self.timeout_seconds = timeout_seconds
        self._ca_file = ca_file
        if ca_file is not None:
            # Now, and not with the first event: this is a mistake in the settings.
            try:
                self.make_tls_context()
            except OSError as error:
                raise ValueError(f"ca_file {ca_file!r} holds no certificates: {error}") from error
        self.proxy = _find_proxy(host) if proxy is None else _complete(proxy) if proxy else None
        self._pool: urllib3.PoolManager | None = None

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Sends one request.

        Raises:
            NetworkError: Nobody answered, or the answer broke off.
        """
        deadline = time.monotonic() + self.timeout_seconds
        try:
            with _without_instrumentation():
                response = self._get_pool().request(
                    "POST",
                    f"{self.host}{path}",
                    body=body,
                    headers=dict(headers),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=self.timeout_seconds, read=self.timeout_seconds),
                )
            try:
                content = _read(response, deadline)
            except BaseException:
                # The rest of this answer must not become the beginning of the next.
                response.close()
                raise
            response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            was_connected = isinstance(error, urllib3.exceptions.ProtocolError | ConnectionError)
            raise NetworkError(f"{type(error).__name__}: {error}", was_connected=was_connected) from error
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def clone(self) -> Exchange:
        """Another one of the same settings, for another thread."""
        return Exchange(self.host, timeout_seconds=self.timeout_seconds, ca_file=self._ca_file, proxy=self.proxy or "")

    def make_tls_context(self) -> ssl.SSLContext:
        """What decides which certificates are trusted."""
        return ssl.create_default_context(cafile=self._ca_file)

    def forget_connections(self) -> None:
        """Starts anew, without a word on the connections of before: after a fork they belong to the parent."""
        self._pool = None

    def close(self) -> None:
        """Closes idle connections."""
        if self._pool is not None:
            self._pool.clear()

    def _get_pool(self) -> urllib3.PoolManager:
        if self._pool is None:
            context = self.make_tls_context() if self.host.scheme == "https" else None
            if self.proxy is not None and self.host.scheme == "https":
                self._pool = urllib3.ProxyManager(
                    self.proxy,
                    proxy_headers=_make_proxy_headers(self.proxy),
                    num_pools=1,
                    maxsize=1,
                    ssl_context=context,
                )
            else:
                self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=context)
        return self._pool


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    content = bytearray()
    # What is there is taken, however little: a server that drips must not keep us beyond the deadline.
    while chunk := response.read1(_CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise NetworkError(f"The answer is longer than {MAX_ANSWER_BYTES:,} bytes.")
        if time.monotonic() > deadline:
            raise NetworkError("The answer was not complete in time.")
    return bytes(content)


def _without_instrumentation() -> AbstractContextManager[object]:
    """Keeps OpenTelemetry's instrumentation of urllib3, where there is one, from making spans of our requests."""
    instrumentation = sys.modules.get("opentelemetry.instrumentation.utils")
    if instrumentation is None:
        return nullcontext()
    suppressed: AbstractContextManager[object] = instrumentation.suppress_instrumentation()
    return suppressed


def _find_proxy(host: Host) -> str | None:
    if host.scheme != "https" or host.is_loopback or urllib.request.proxy_bypass(host.name):
        return None
    proxy = urllib.request.getproxies().get("https")
    return _complete(proxy) if proxy else None


def _complete(proxy: str) -> str:
    """The proxy's address with its scheme, which the environment often leaves out."""
    return proxy if "://" in proxy else f"http://{proxy}"


def _make_proxy_headers(proxy: str) -> dict[str, str]:
    """What tells the proxy who we are, where its address holds a name and a password."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    return dict(urllib3.make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"))
