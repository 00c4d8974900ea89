"""The command that tests the connection to PostHog."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console

if TYPE_CHECKING:
    from spanmap.client import CheckReport

_SIGNS = {"ok": ("ok", "green"), "failed": ("FAILED", "red"), "note": ("note", "yellow")}


@click.command("check")
@click.option(
    "--host",
    envvar="POSTHOG_HOST",
    default="https://us.i.posthog.com",
    show_default=True,
    show_envvar=True,
    help="Where PostHog is.",
)
@click.option(
    "--token",
    envvar="POSTHOG_API_KEY",
    show_envvar=True,
    required=True,
    help="The project token (phc_...). Better give it in the environment: others on this machine see a command line.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines to read, or one JSON object.",
)
@click.option("--timeout", default=10.0, show_default=True, help="Seconds for each step.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust.")
@click.option("--proxy", help="Address of an HTTP proxy. Default: what HTTPS_PROXY and NO_PROXY say.")
@click.option("--allow-plain-http", is_flag=True, help="Allow an http:// host that is not this machine.")
def check_connection(
    host: str,
    token: str,
    shape: Literal["text", "json"],
    timeout: float,
    ca_file: str | None,
    proxy: str | None,
    allow_plain_http: bool,
) -> None:
    """Test the connection to PostHog by sending one harmless event.

    Says step by step what works and what does not: the host's name, the connection, its encryption, each path of
    PostHog's that is tried, and what became of the event.

    Exit status: 0 if PostHog took the event, 1 if not, 2 if the command line is wrong.
    """
    try:
        # The other commands should not wait for an HTTP library.
        from spanmap.client import Client  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise click.ClickException(str(missing)) from missing
    try:
        client = Client(
            token,
            host,
            timeout_seconds=timeout,
            ca_file=ca_file,
            proxy=proxy,
            allow_plain_http=allow_plain_http,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    report = client.check()
    if shape == "json":
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _show(report)
    sys.exit(0 if report.ok else 1)


def _show(report: CheckReport) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"Checking {report.host}")
    for step in report.steps:
        sign, style = _SIGNS[step.outcome]
        console.print(f"  {sign:<7}", style=style, end="")
        console.print(f"{step.name}: {step.detail}")
        if step.advice:
            console.print(f"         {step.advice}")
    if report.ok:
        console.print("PostHog took the event.", style="green")
    else:
        console.print("PostHog did not take the event.", style="red")
