"""`posthog.new_context()` of PostHog's own library says whose spans are, as it does with PostHog's own processor."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Iterator
from typing import Any

import posthog
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from posthog_server import Accepted, PostHogServer
from spanmap.otel.context import with_attributes
from test_otel import App

NEVER = 3_600_000


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


@pytest.fixture(params=["best", "posthog"])
def app(server: PostHogServer, request: pytest.FixtureRequest) -> Iterator[App]:
    made = App(server, schedule_delay_millis=NEVER, compat=request.param)
    yield made
    made.provider.shutdown()


def sent(app: App, server: PostHogServer) -> Accepted:
    assert app.processor.force_flush()
    (event,) = server.accepted
    return event


def test_the_context_names_the_user_and_its_tags_become_properties(app: App, server: PostHogServer) -> None:
    with posthog.new_context():
        posthog.identify_context("user-1")
        posthog.tag("plan", "pro")
        posthog.tag("seats", 3)
        app.chat()
    event = sent(app, server)
    assert event.distinct_id == "user-1"
    assert (event.properties["plan"], event.properties["seats"]) == ("pro", 3)


def test_a_tag_costs_at_most_itself(app: App, server: PostHogServer) -> None:
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    with posthog.new_context():
        for name, value in {
            "circle": circle,
            "object": object(),
            "nothing": None,
            "empty": "",
            "no number": math.nan,
            "day": datetime.date(2026, 11, 21),
            "price": decimal.Decimal("1.20"),
            "nested": {"list": [1, "a"], "when": datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)},
        }.items():
            posthog.tag(name, value)
        app.chat()
    properties = sent(app, server).properties
    assert not properties.keys() & {"circle", "object", "nothing", "empty", "no number"}
    assert (properties["day"], properties["price"]) == ("2026-11-21", "1.20")
    nested = properties["nested"]
    assert (json.loads(nested) if isinstance(nested, str) else nested) == {
        "list": [1, "a"],
        "when": "2026-11-21T00:00:00+00:00",
    }


def test_what_a_span_says_itself_wins(app: App, server: PostHogServer) -> None:
    with posthog.new_context():
        posthog.identify_context("of the context")
        posthog.tag("plan", "pro")
        own: dict[str, Any] = {"user.id": "of the span", "plan": "free"}
        app.chat(**own)
    event = sent(app, server)
    assert (event.distinct_id, event.properties["plan"]) == ("of the span", "free")


def test_the_context_is_that_in_which_the_span_began(app: App, server: PostHogServer) -> None:
    with posthog.new_context():
        posthog.identify_context("user-1")
        span = app.tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"})
    with posthog.new_context():
        posthog.identify_context("user-2")
        span.end()
    assert sent(app, server).distinct_id == "user-1"


def test_spans_outside_of_a_context_are_nobodys(app: App, server: PostHogServer) -> None:
    app.chat()
    assert not sent(app, server).distinct_id.startswith("user")


def test_the_span_itself_is_left_as_it_is() -> None:
    span = ReadableSpan("chat", attributes={"a": 1})
    copy = with_attributes(span, {"a": 2, "b": 3, "none": None})
    assert (dict(span.attributes or {}), dict(copy.attributes or {})) == ({"a": 1}, {"a": 1, "b": 3})
    assert with_attributes(span, {"a": 2}) is span


def test_contexts_of_spans_that_never_end_are_forgotten(app: App) -> None:
    with posthog.new_context():
        posthog.identify_context("user-1")
        span = app.tracer.start_span("abandoned")
    assert len(app.processor._said) == 1
    del span
    assert app.processor._said == {}


def test_the_librarys_own_privacy_mode_holds(server: PostHogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posthog, "privacy_mode", True)
    app = App(server, schedule_delay_millis=NEVER)
    content: dict[str, Any] = {
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"my secret"}]}]'
    }
    app.chat(**content)
    app.provider.shutdown()
    assert len(server.accepted) == 1
    assert "my secret" not in str(server.accepted)
