"""Where events go, and by whose key: the project token and the host, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# What PostHog's capture service accepts at its edge: at most 64 visible ASCII characters.
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_PERSONAL_KEY = "phx_"
_SHOWN_CHARACTERS = 8
# The web application's hosts take no events; PostHog's own libraries know these names too.
_INGESTION_HOSTS = {
    "app.posthog.com": "us.i.posthog.com",
    "us.posthog.com": "us.i.posthog.com",
    "eu.posthog.com": "eu.i.posthog.com",
}


class Token:
    """A project token (`phc_...`) that shows only its first characters when it is printed.

    Raises:
        ValueError: The text is no project token. The message never repeats it.
    """

    __slots__ = ("secret",)

    secret: str

    def __init__(self, text: str) -> None:
        text = text.strip()
        if not text:
            raise ValueError("The project token is empty. Copy it from the settings of your PostHog project (phc_...).")
        if text.startswith(_PERSONAL_KEY):
            raise ValueError(
                "The token is a personal API key (phx_...), which PostHog does not take for events. "
                "Use the project token (phc_...) of the project's settings, and revoke the key if it was exposed."
            )
        if not _TOKEN.fullmatch(text):
            raise ValueError(
                f"The project token has {len(text)} characters, or one that is not visible ASCII. A token is 1 to 64 "
                "visible ASCII characters (phc_...); check for quotes and line breaks around it."
            )
        self.secret = text

    def __repr__(self) -> str:
        return f"{self.secret[:_SHOWN_CHARACTERS]}..."


@dataclass(frozen=True)
class Host:
    """A PostHog host.

    Attributes:
        scheme: `https` or `http`.
        name: Host name or IP address, without brackets.
        port: TCP port.
        prefix: Path in front of PostHog's own paths, without a slash at its end; empty without a proxy that has one.
    """

    scheme: str
    name: str
    port: int
    prefix: str

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return _is_loopback(self.name)

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        port = "" if self.port == (443 if self.scheme == "https" else 80) else f":{self.port}"
        return f"{self.scheme}://{name}{port}{self.prefix}"


def parse_host(text: str, *, allow_plain_http: bool = False) -> Host:
    """Reads the address of a PostHog host, such as `https://eu.i.posthog.com`.

    Raises:
        ValueError: The text is no such address; the message says why, and what to write.
    """
    address = text.strip()
    if not address or re.search(r"[\s\x00-\x1f\x7f]", address):
        raise ValueError(f"The host {text!r} is empty or holds white space. Write https://us.i.posthog.com.")
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
    except ValueError:
        # Without its cause, and without the text, which may hold a password.
        raise ValueError("The host is no https address. Write https://us.i.posthog.com.") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("The host holds a user name or password. Take it out: the project token is sent as a header.")
    if parts.query or parts.fragment:
        raise ValueError(
            f"The host {parts.hostname!r} has a query or fragment. Write https://HOST, or https://HOST/PATH."
        )
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"The host {parts.hostname!r} has a port that is no number up to 65535.") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError(f"The host {text!r} is no https address. Write https://us.i.posthog.com.")
    name = _INGESTION_HOSTS.get(parts.hostname, parts.hostname)
    if not re.fullmatch(r"[0-9A-Za-z._:-]+", name):
        raise ValueError(f"The host name {name!r} holds characters that no host name has.")
    if parts.scheme == "http" and not (allow_plain_http or _is_loopback(name)):
        raise ValueError(
            f"The host {name!r} would be reached by plain http, which shows token and prompts to everybody on the way. "
            "Use https, or pass allow_plain_http=True for a host in a network that you trust."
        )
    return Host(parts.scheme, name, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/"))


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
