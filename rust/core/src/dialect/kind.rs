//! What a span is: a generation, an embedding, a tool run, or another span.

use super::errors::STATUS_ERROR;
use super::scope;
use super::shapes::lower_case;
use super::traits::Traits;
use crate::keys::Key;
use crate::shape;
use crate::span::View;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Generation,
    Embedding,
    Tool,
    Span,
}

impl Kind {
    /// Whether the span is a call to a model, whose tokens and costs count.
    pub fn is_call(self) -> bool {
        matches!(self, Kind::Generation | Kind::Embedding)
    }
}

/// What an operation's name says. An unknown one leaves the decision to what the span carries.
fn by_operation(operation: &str) -> Option<Kind> {
    Some(match lower_case(operation).as_ref() {
        "chat" | "completion" | "acompletion" | "text_completion" | "atext_completion" | "generate_content"
        | "agenerate_content" | "generate" | "generate_text" | "stream_text" | "responses" | "aresponses"
        | "anthropic_messages" | "messages" | "message" | "llm" | "fill_in_the_middle" | "text_completions"
        | "call_llm" => Kind::Generation,
        "embeddings" | "embedding" | "aembedding" | "aembeddings" | "embed" | "embed_content" => Kind::Embedding,
        "execute_tool" | "tool" | "tool_call" => Kind::Tool,
        "invoke_agent"
        | "create_agent"
        | "invoke_workflow"
        | "invoke_node"
        | "agent_step"
        | "execute_task"
        | "execute_event_loop_cycle"
        | "vector_db_retrieve"
        | "retrieval"
        | "retriever"
        | "rerank"
        | "guardrail"
        | "memory"
        | "plan"
        | "chain"
        | "parser"
        | "prompt"
        | "workflow"
        | "task"
        | "agent"
        | "handoff"
        | "step"
        | "run" => Kind::Span,
        _ => return None,
    })
}

const MODEL_KEYS: [Key; 14] = [
    Key::P_AI_MODEL,
    Key::GEN_AI_RESPONSE_MODEL,
    Key::GEN_AI_REQUEST_MODEL,
    Key::LLM_RESPONSE_MODEL_NAME,
    Key::LLM_MODEL_NAME,
    Key::LLM_REQUEST_MODEL,
    Key::LLM_RESPONSE_MODEL,
    Key::AI_MODEL_ID,
    Key::LANGFUSE_OBSERVATION_MODEL_NAME,
    Key::MLFLOW_LLM_MODEL,
    Key::LLM_MODEL,
    Key::GEN_AI_MODEL,
    Key::MODEL_NAME,
    Key::MODEL,
];

const TOKEN_KEYS: [Key; 17] = [
    Key::P_AI_INPUT_TOKENS,
    Key::P_AI_OUTPUT_TOKENS,
    Key::GEN_AI_USAGE_INPUT_TOKENS,
    Key::GEN_AI_USAGE_OUTPUT_TOKENS,
    Key::GEN_AI_USAGE_PROMPT_TOKENS,
    Key::GEN_AI_USAGE_COMPLETION_TOKENS,
    Key::LLM_TOKEN_COUNT_PROMPT,
    Key::LLM_TOKEN_COUNT_COMPLETION,
    Key::LLM_USAGE_PROMPT_TOKENS,
    Key::LLM_USAGE_COMPLETION_TOKENS,
    Key::LLM_USAGE_TOTAL_TOKENS,
    Key::LLM_USAGE_INPUT_TOKENS,
    Key::LLM_USAGE_OUTPUT_TOKENS,
    Key::PROMPT_TOKENS,
    Key::COMPLETION_TOKENS,
    Key::INPUT_TOKENS,
    Key::OUTPUT_TOKENS,
];

const SAID_KEYS: [Key; 5] = [
    Key::GEN_AI_INPUT_MESSAGES,
    Key::GEN_AI_OUTPUT_MESSAGES,
    Key::GEN_AI_PROMPT,
    Key::GEN_AI_COMPLETION,
    Key::GEN_AI_PROMPT_0_CONTENT,
];

/// What the span is. Its traits are those of its attributes that have a value; `has_values` is whether there are any.
pub(super) fn kind_of(view: &View<'_, '_>, traits: Traits, has_values: bool) -> Kind {
    if traits.has(Traits::OPENROUTER) && traits.has(Traits::GEN_AI) {
        return of_openrouter(view);
    }
    by_marker(view, traits).unwrap_or_else(|| inferred(view, traits, has_values))
}

/// What a dialect says that the span is.
fn by_marker(view: &View<'_, '_>, traits: Traits) -> Option<Kind> {
    let text = |key| view.text(key).map(AsRef::as_ref);
    let quoted = |key| view.get(key).and_then(shape::quoted_text);
    if let Some(marker) = quoted(Key::LANGFUSE_OBSERVATION_TYPE) {
        return Some(by_type(&marker, "generation"));
    }
    if let Some(marker) = quoted(Key::MLFLOW_SPAN_TYPE) {
        return Some(match marker.as_ref() {
            "CHAT_MODEL" | "LLM" => Kind::Generation,
            "EMBEDDING" => Kind::Embedding,
            "TOOL" => Kind::Tool,
            _ => Kind::Span,
        });
    }
    if let Some(marker) = text(Key::OPENINFERENCE_SPAN_KIND) {
        return Some(match marker.to_uppercase().as_ref() {
            "LLM" if is_preparation(view, traits) => Kind::Span,
            "LLM" => Kind::Generation,
            "EMBEDDING" => Kind::Embedding,
            "TOOL" => Kind::Tool,
            _ => Kind::Span,
        });
    }
    if let Some(marker) = text(Key::AI_OPERATION_ID) {
        return Some(match marker {
            "ai.toolCall" => Kind::Tool,
            _ if marker.ends_with(".doGenerate") || marker.ends_with(".doStream") => Kind::Generation,
            _ if marker.ends_with(".doEmbed") => Kind::Embedding,
            _ => Kind::Span,
        });
    }
    if let Some(marker) = text(Key::LANGSMITH_SPAN_KIND) {
        return Some(by_type(&lower_case(marker), "llm"));
    }
    if let Some(marker) = text(Key::LANGWATCH_SPAN_TYPE) {
        return Some(match by_type(&lower_case(marker), "llm") {
            Kind::Embedding => Kind::Span,
            kind => kind,
        });
    }
    if let Some(marker) = text(Key::TRACELOOP_SPAN_KIND) {
        return Some(if marker == "tool" { Kind::Tool } else { Kind::Span });
    }
    let operation = text(Key::GEN_AI_OPERATION_NAME).or_else(|| text(Key::LLM_REQUEST_TYPE))?;
    by_operation(operation)
}

/// LlamaIndex gives the kind LLM to steps around a call too: they carry neither messages nor tokens.
fn is_preparation(view: &View<'_, '_>, traits: Traits) -> bool {
    let is_finished =
        view.has(Key::INPUT_VALUE) && view.has(Key::OUTPUT_VALUE) && view.span.status_code != STATUS_ERROR;
    is_finished && !traits.has(Traits::CALL_DATA | Traits::GEN_AI)
}

fn by_type(marker: &str, generation: &str) -> Kind {
    match marker {
        _ if marker == generation => Kind::Generation,
        "embedding" => Kind::Embedding,
        "tool" => Kind::Tool,
        _ => Kind::Span,
    }
}

/// Only the root is the call; its attempts and its streaming phase describe it again.
fn of_openrouter(view: &View<'_, '_>) -> Kind {
    let repeats = view.text(Key::GEN_AI_RESPONSE_ID).is_some_and(|id| {
        id.rsplit_once(':').is_some_and(|(_, phase)| {
            let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            phase == "generation" || phase.strip_prefix("attempt-").is_some_and(is_number)
        })
    });
    let is_part =
        view.span.name.starts_with("provider attempt") || view.text(Key::SPAN_TYPE).is_some_and(|kind| kind == "span");
    if repeats || is_part { Kind::Span } else { Kind::Generation }
}

/// No dialect says what the span is: what it carries does.
fn inferred(view: &View<'_, '_>, traits: Traits, has_values: bool) -> Kind {
    if view.scope.name == "litellm" {
        return if traits.has(Traits::RAW_REQUEST) { Kind::Generation } else { Kind::Span };
    }
    let has_text = |key: &Key| view.text(*key).is_some();
    let counts = |key: &Key| view.get(*key).and_then(shape::count).is_some();
    let is_said = |key: &Key| view.has(*key);
    if MODEL_KEYS.iter().any(has_text) && (TOKEN_KEYS.iter().any(counts) || SAID_KEYS.iter().any(is_said)) {
        return Kind::Generation;
    }
    if has_text(&Key::EMBEDDING_MODEL_NAME) {
        return Kind::Embedding;
    }
    if has_text(&Key::GEN_AI_TOOL_NAME) || has_text(&Key::GEN_AI_TOOL_CALL_ID) {
        return Kind::Tool;
    }
    // A failed span may carry nothing but its name, which the conventions make "{operation} {model}".
    if !has_values
        && let Some((operation, model)) = view.span.name.split_once(' ')
        && !model.is_empty()
        && scope::is_ai_library(&view.scope.name)
    {
        return by_operation(operation).filter(|kind| kind.is_call()).unwrap_or(Kind::Span);
    }
    Kind::Span
}
