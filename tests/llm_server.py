"""A language model on loopback: answers as OpenAI's chat completions do, at once or in pieces."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ANSWER = "Four."
MODEL = "gpt-4o-2024-08-06"
USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = self.server.next_number()
        if asked["model"] == "broken":
            error = {"message": "You have run out of luck.", "type": "rate_limit_error", "code": "rate_limit"}
            self._send(429, json.dumps({"error": error}), "application/json")
        elif asked.get("stream"):
            pieces = [_choice(number, {"role": "assistant", "content": ANSWER}), _choice(number, {}, "stop")]
            pieces.append({**_completion(number, "chat.completion.chunk"), "choices": [], "usage": USAGE})
            text = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces)
            self._send(200, text + "data: [DONE]\n\n", "text/event-stream")
        else:
            message = {"role": "assistant", "content": ANSWER}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            completion = {**_completion(number, "chat.completion"), "choices": choices, "usage": USAGE}
            self._send(200, json.dumps(completion), "application/json")

    def _send(self, status: int, text: str, content_type: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's.
        pass


def _completion(number: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1_700_000_000, "model": MODEL}


def _choice(number: int, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {**_completion(number, "chat.completion.chunk"), "choices": [choice]}


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._lock = threading.Lock()
        self.calls = 0

    def next_number(self) -> int:
        with self._lock:
            self.calls += 1
            return self.calls


class LlmServer:
    """Runs while it is entered. A call of the model `broken` fails with 429."""

    def __init__(self) -> None:
        self._listener = _Listener()
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}/v1"

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return self._listener.calls

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
