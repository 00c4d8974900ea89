"""Real instrumentations of a real client, a model on loopback, and the processor, into a PostHog on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLlmetry
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as OpenTelemetry
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from llm_server import ANSWER, MODEL, LlmServer
from posthog_server import Accepted, PostHogServer
from spanmap.otel import PostHogSpanProcessor

# What these libraries use of each other is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NEVER = 3_600_000
QUESTION = "What is two and two?"
LIBRARIES: dict[str, Callable[[], Any]] = {
    "openai-v2": OpenTelemetry,
    "openinference": OpenInference,
    "openllmetry": OpenLlmetry,
}


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    with LlmServer() as running:
        yield running


@pytest.fixture
def provider(server: PostHogServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_only")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(PostHogSpanProcessor("phc_test", server.url, schedule_delay_millis=NEVER))
    yield made
    made.shutdown()


@pytest.fixture(params=LIBRARIES)
def instrumented(request: pytest.FixtureRequest, provider: TracerProvider) -> Iterator[str]:
    instrumentor = LIBRARIES[request.param]()
    # Whichever versions of the client the library names, these are the ones that work together here.
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    yield request.param
    instrumentor.uninstrument()


def ask(client: openai.OpenAI, model: str = "gpt-4o", **options: Any) -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": QUESTION}], **options)


def connect(llm: LlmServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=llm.url, api_key="sk-test", max_retries=0)


def generations(server: PostHogServer) -> list[Accepted]:
    return [event for event in server.accepted if event.event == "$ai_generation"]


def assert_told(event: Accepted) -> None:
    properties = event.properties
    assert properties["$ai_model"] in {MODEL, "gpt-4o"}
    assert (properties["$ai_input_tokens"], properties["$ai_output_tokens"]) == (11, 3)
    assert QUESTION in str(properties["$ai_input"])
    assert ANSWER in str(properties["$ai_output_choices"])


@pytest.mark.usefixtures("instrumented")
def test_a_chat_arrives_with_tokens_and_messages(
    provider: TracerProvider, server: PostHogServer, llm: LlmServer
) -> None:
    ask(connect(llm))
    assert provider.force_flush()
    (event,) = generations(server)
    assert_told(event)
    assert event.properties["$ai_provider"] == "openai"


@pytest.mark.usefixtures("instrumented")
def test_a_streamed_chat_arrives_when_the_stream_is_read(
    provider: TracerProvider, server: PostHogServer, llm: LlmServer
) -> None:
    stream = ask(connect(llm), stream=True, stream_options={"include_usage": True})
    assert provider.force_flush()
    assert generations(server) == []
    assert list(stream)
    assert provider.force_flush()
    (event,) = generations(server)
    assert_told(event)


@pytest.mark.usefixtures("instrumented")
def test_a_call_that_fails_arrives_as_an_error(provider: TracerProvider, server: PostHogServer, llm: LlmServer) -> None:
    with pytest.raises(openai.RateLimitError):
        ask(connect(llm), "broken")
    assert provider.force_flush()
    (event,) = generations(server)
    assert event.properties["$ai_is_error"] is True


@pytest.mark.parametrize("instrumented", ["openai-v2"], indirect=True)
@pytest.mark.usefixtures("instrumented")
def test_512_calls_of_many_threads_arrive_exactly_once(
    provider: TracerProvider, server: PostHogServer, llm: LlmServer
) -> None:
    client = connect(llm)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(client), range(512)))
    assert provider.force_flush()
    assert llm.calls == 512
    assert (len(generations(server)), set(server.copies.values())) == (512, {1})
    assert len({event.properties["$ai_trace_id"] for event in generations(server)}) == 512


def test_calls_of_an_asyncio_application_arrive_below_their_own_parents(
    provider: TracerProvider, server: PostHogServer, llm: LlmServer
) -> None:
    instrumentor = LIBRARIES["openai-v2"]()
    instrumentor.instrument(tracer_provider=provider)
    tracer = provider.get_tracer("app")

    async def work(client: openai.AsyncOpenAI, number: int) -> None:
        with (
            tracer.start_as_current_span(f"GET /{number}", attributes={"http.request.method": "GET"}),
            tracer.start_as_current_span(f"agent {number}", attributes={"gen_ai.operation.name": "invoke_agent"}),
        ):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": str(number)}])

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=llm.url, api_key="sk-test") as client:
            await asyncio.gather(*(work(client, number) for number in range(20)))

    asyncio.run(main())
    instrumentor.uninstrument()
    assert provider.force_flush()
    agents = {event.properties["$ai_span_id"]: event for event in server.accepted if event.event == "$ai_trace"}
    assert (len(agents), len(generations(server))) == (20, 20)
    for event in generations(server):
        agent = agents[event.properties["$ai_parent_id"]]
        assert agent.properties["$ai_trace_id"] == event.properties["$ai_trace_id"]
        number = agent.properties["$ai_span_name"].removeprefix("agent ")
        assert f"'{number}'" in str(event.properties["$ai_input"])


@pytest.mark.parametrize("is_instrumented_twice", [False, True])
def test_an_agent_of_pydantic_ai_arrives_as_a_tree_that_counts_each_call_once(
    provider: TracerProvider, server: PostHogServer, llm: LlmServer, is_instrumented_twice: bool
) -> None:
    instrumentor = LIBRARIES["openai-v2"]()
    if is_instrumented_twice:
        instrumentor.instrument(tracer_provider=provider)
    settings = InstrumentationSettings(tracer_provider=provider)

    async def main() -> str:
        async with openai.AsyncOpenAI(base_url=llm.url, api_key="sk-test") as client:
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            agent = Agent(model, name="adder", capabilities=[Instrumentation(settings)])
            return (await agent.run(QUESTION)).output

    assert asyncio.run(main()) == ANSWER
    if is_instrumented_twice:
        instrumentor.uninstrument()
    assert provider.force_flush()
    (generation,) = generations(server)
    assert_told(generation)
    (root,) = [event for event in server.accepted if event.event == "$ai_trace"]
    assert sum("$ai_input_tokens" in event.properties for event in server.accepted) == 1
    ids = {event.properties["$ai_span_id"] for event in server.accepted}
    for event in server.accepted:
        assert event is root or event.properties["$ai_parent_id"] in ids
