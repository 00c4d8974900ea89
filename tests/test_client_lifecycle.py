"""Threads, forks, exits and event loops: whatever the process does, the client neither loses nor repeats nor blocks."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator

import pytest

from client_cases import assert_nothing_unaccounted, each_once, encode, make_client, make_event, make_events
from posthog_server import PostHogServer, answer, hang, slowly
from posthog_server.capture import Reply
from posthog_server.server import Handler
from spanmap.client import Client


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def run_script(script: str, server: PostHogServer, *, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script), server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def client_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "spanmap-client"]


# Threads.


def test_no_thread_is_started_before_there_is_something_to_send(server: PostHogServer) -> None:
    before = len(client_threads())
    with make_client(server) as client:
        client.flush(1)
        assert len(client_threads()) == before
        client.send(make_events(1))
        assert len(client_threads()) == before + 1
        assert client_threads()[-1].daemon


def test_the_thread_ends_with_the_client(server: PostHogServer) -> None:
    client = make_client(server)
    client.send(make_events(1))
    thread = client_threads()[-1]
    assert client.shutdown(10)
    thread.join(10)
    assert not thread.is_alive()


def test_after_shutdown_events_are_dropped_and_counted(server: PostHogServer) -> None:
    client = make_client(server)
    assert client.shutdown(5)
    assert client.send(make_events(2)) == 0
    assert client.counters["dropped"] == {"closed": 2}
    assert client.flush(60)
    assert client.shutdown(60)
    assert_nothing_unaccounted(client)


def test_shutdown_says_what_was_left(server: PostHogServer, caplog: pytest.LogCaptureFixture) -> None:
    server.always = hang()
    client = make_client(server, timeout_seconds=60)
    client.send(make_events(7))
    assert client.shutdown(0.05) is False
    assert client.counters["pending_events"] == 7
    assert "7 events could not be delivered" in caplog.text
    # A second call neither waits nor raises.
    assert client.shutdown(60) is False


def test_the_end_of_a_with_block_delivers(server: PostHogServer) -> None:
    events = make_events(3)
    with make_client(server, flush_interval_seconds=3600) as client:
        client.send(events)
    assert server.copies == each_once(events)


def test_an_event_waits_for_company_but_not_for_ever(server: PostHogServer) -> None:
    events = make_events(2)
    with make_client(server, flush_interval_seconds=0.05) as client:
        client.send(events)
        while client.counters["pending_events"]:
            threading.Event().wait(0.005)
    assert server.copies == each_once(events)


def test_there_may_be_no_end_to_waiting(server: PostHogServer) -> None:
    events = make_events(2)
    with make_client(server, flush_interval_seconds=math.inf) as client:
        client.send(events)
        threading.Event().wait(0.05)
        assert client_threads()
        assert not server.accepted
        assert client.flush(math.inf)
    assert server.copies == each_once(events)


def test_events_that_come_to_an_idle_client_go_without_being_asked(server: PostHogServer) -> None:
    with make_client(server) as client:
        for number in range(1, 4):
            client.send(make_events(1))
            while client.counters["delivered"] < number:
                threading.Event().wait(0.005)
            # Long enough for the thread to find nothing to do, and to sleep.
            threading.Event().wait(0.05)


def test_a_batch_that_fills_up_while_the_thread_sleeps_goes_at_once(server: PostHogServer) -> None:
    with make_client(server, flush_interval_seconds=3600, max_batch_events=5) as client:
        for _ in range(5):
            client.send(make_events(1))
            threading.Event().wait(0.02)
        while client.counters["pending_events"]:
            threading.Event().wait(0.005)
    assert len(server.requests) == 1


def test_a_full_batch_does_not_wait(server: PostHogServer) -> None:
    with make_client(server, flush_interval_seconds=3600, max_batch_events=5) as client:
        client.send(make_events(10))
        while client.counters["pending_events"]:
            threading.Event().wait(0.005)
    assert len(server.requests) == 2


def test_flush_does_not_wait_for_what_comes_after_it(server: PostHogServer) -> None:
    server.script.append(slowly(0.3))
    client = make_client(server, max_batch_events=1, flush_interval_seconds=0.0)
    client.send(make_events(1))
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            client.send(make_events(2))
            stop.wait(0.001)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        assert client.flush(10)
    finally:
        stop.set()
        sender.join()
        client.shutdown(0)


def test_code_that_runs_in_the_middle_of_a_send_may_send_too(server: PostHogServer) -> None:
    """The garbage collector and signals run code of the application at any line, with the queue's lock held."""
    client = make_client(server)
    first, second = make_events(2)

    class Treacherous(bytes):
        def __len__(self) -> int:
            nonlocal second
            if second:
                late, second = second, {}
                client.send([late])
            return super().__len__()

    encoded = encode(first)
    assert client.send_encoded([encoded._replace(json=Treacherous(encoded.json))]) == 1
    assert client.flush(10)
    assert len(server.copies) == 2
    assert client.shutdown(5)


def test_a_signal_may_flush_while_the_thread_is_being_started(
    server: PostHogServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    client = make_client(server)
    events = make_events(2)

    def interrupted(thread: threading.Thread) -> None:
        if thread.name == "spanmap-client" and not client.counters["queued"] > 1:
            client.send(events[1:])
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    sender = threading.Thread(target=client.send, args=(events[:1],), daemon=True)
    sender.start()
    sender.join(10)
    assert not sender.is_alive()
    assert client.shutdown(10)
    assert server.copies == each_once(events)


def test_a_signal_in_the_middle_of_a_send_may_wait_for_all(server: PostHogServer) -> None:
    events = make_events(3)
    client = make_client(server)
    client.send(events)
    # As the frame holds it that the signal has interrupted.
    with client._outbox.changed:
        assert client.shutdown(10)
    assert server.copies == each_once(events)


# Event loops.


def test_aflush_leaves_the_loop_free(server: PostHogServer) -> None:
    """The server answers only after the loop has run other work, so a loop that is blocked would never get there."""
    events = make_events(5)
    proceed = threading.Event()

    def wait_for_the_loop(handler: Handler, good: Callable[[], Reply]) -> None:
        proceed.wait(30)
        handler.send_reply(good())

    server.script.append(wait_for_the_loop)

    async def application() -> bool:
        async with make_client(server) as client:
            client.send(events)
            flushing = asyncio.create_task(client.aflush(30))
            await asyncio.sleep(0)
            assert not flushing.done()
            proceed.set()
            return await flushing

    assert asyncio.run(application())
    assert server.copies == each_once(events)


def test_aflush_honours_its_deadline(server: PostHogServer) -> None:
    server.always = hang()

    async def application() -> tuple[bool, bool]:
        client = make_client(server, timeout_seconds=60)
        client.send(make_events(1))
        return await client.aflush(0.05), await client.ashutdown(0.05)

    assert asyncio.run(application()) == (False, False)


def test_a_cancelled_aflush_harms_nobody(server: PostHogServer) -> None:
    events = make_events(3)
    server.script.append(slowly(0.2))

    async def application() -> bool:
        client = make_client(server)
        client.send(events)
        task = asyncio.create_task(client.aflush())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await client.aflush(10) and await client.ashutdown(10)

    assert asyncio.run(application())
    assert server.copies == each_once(events)


def test_sending_does_no_input_or_output_on_the_callers_thread(server: PostHogServer) -> None:
    """Whatever the server does, `send` has only the queue to do with."""
    server.always = hang()
    client = make_client(server, timeout_seconds=60, max_queue_events=10_000)
    for _ in range(100):
        assert client.send_encoded(encode(event) for event in make_events(10)) == 10
    assert client.counters["pending_events"] == 1000
    client.shutdown(0)


# Forks.


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_sends_nothing_twice_and_the_child_can_send(server: PostHogServer) -> None:
    before, in_parent, in_child = make_events(40), make_events(3), make_events(3)
    server.script.append(slowly(0.2))
    client = make_client(server, max_batch_events=10)
    client.send(before)
    child = os.fork()
    if child == 0:
        counters = client.counters
        client.send(in_child)
        fine = counters["pending_events"] == 0 and counters["received"] == 0 and client.flush(20)
        os._exit(0 if fine and client.counters["delivered"] == 3 else 1)
    client.send(in_parent)
    assert client.flush(20)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server.copies == each_once([*before, *in_parent, *in_child])
    client.shutdown()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_everything_never_deadlocks(server: PostHogServer) -> None:
    """Other threads hold the client's locks at any moment of a fork."""
    client = make_client(server, flush_interval_seconds=0.0)
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            client.send(make_events(2))
            _ = client.counters

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                client.send(make_events(1))
                os._exit(0 if client.flush(20) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        busy.join()
        client.shutdown(20)
    assert set(server.copies.values()) == {1}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_child_of_a_closed_client_has_a_closed_client(server: PostHogServer) -> None:
    client = make_client(server)
    client.shutdown()
    child = os.fork()
    if child == 0:
        os._exit(0 if client.send(make_events(1)) == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Exits.


def test_the_interpreters_exit_delivers_what_is_left(server: PostHogServer) -> None:
    ended = run_script(
        """
        import sys
        from spanmap.client import Client
        client = Client("phc_test", sys.argv[1], flush_interval_seconds=3600)
        client.send([{"event": "$ai_span", "distinct_id": "u", "properties": {"n": n}} for n in range(20)])
        """,
        server,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(event.properties["n"] for event in server.accepted) == list(range(20))


def test_events_of_exit_handlers_are_delivered_too(server: PostHogServer) -> None:
    """An exit handler that was registered later runs earlier; from Python 3.12 on it can start no thread."""
    ended = run_script(
        """
        import atexit, sys
        from spanmap.client import Client
        client = Client("phc_test", sys.argv[1])
        atexit.register(lambda: client.send([{"event": "$ai_span", "distinct_id": "u", "properties": {}}]))
        """,
        server,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(server.accepted) == 1


def test_events_of_exit_handlers_that_run_last_are_delivered_too(server: PostHogServer) -> None:
    """What was registered before the client's own exit handler runs after it: a tracer provider's, for instance."""
    ended = run_script(
        """
        import atexit, sys
        clients = []
        atexit.register(lambda: clients[0].send([{"event": "$ai_span", "distinct_id": "u", "properties": {}}] * 3))
        from spanmap.client import Client
        clients.append(Client("phc_test", sys.argv[1]))
        """,
        server,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(server.accepted) == 3


def test_a_server_that_hangs_does_not_hold_up_the_exit(server: PostHogServer) -> None:
    server.always = hang()
    ended = run_script(
        """
        import sys
        from spanmap.client import Client
        client = Client("phc_test", sys.argv[1], exit_seconds=0.2)
        client.send([{"event": "$ai_span", "distinct_id": "u", "properties": {}}])
        """,
        server,
    )
    assert ended.returncode == 0
    assert ended.stderr == "1 events could not be delivered before the end and are lost\n"


def test_a_client_that_has_nothing_to_send_costs_the_exit_nothing(server: PostHogServer) -> None:
    ended = run_script(
        """
        import sys
        from spanmap.client import Client
        Client("phc_test", sys.argv[1])
        """,
        server,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert server.requests == []


def test_an_unused_client_is_collected(server: PostHogServer) -> None:
    seen: list[str] = []

    class Watched(Client):
        def __del__(self) -> None:
            seen.append("gone")

    Watched("phc_test", server.url)
    gc.collect()
    assert seen == ["gone"]


def test_json_that_is_none_costs_only_itself(server: PostHogServer) -> None:
    server.script.append(answer(503))
    bad = encode(make_event())._replace(json=b"\xff not JSON")
    good = make_events(2)
    with make_client(server) as client:
        client.send_encoded([bad])
        client.send(good)
        assert client.flush(10)
        assert client.counters["dropped"] == {"not_json": 1}
    assert server.copies == each_once(good)
