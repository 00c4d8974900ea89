"""Google ADK: https://google.github.io/adk-docs/observability/"""

from __future__ import annotations

from .. import shapes
from .rule import rule

RULES = (
    rule(
        "google_adk.tool_input",
        "$ai_input_state",
        shapes.content,
        "gen_ai.tool.call.arguments gcp.vertex.agent.tool_call_args",
    ),
    rule(
        "google_adk.tool_output",
        "$ai_output_state",
        shapes.content,
        "gen_ai.tool.call.result gcp.vertex.agent.tool_response",
    ),
)
