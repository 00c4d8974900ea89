//! Instrumentation scopes of AI libraries.

/// A scope belongs to an AI library when its name begins with one of these and the word ends there.
pub(super) const SCOPES: [&str; 44] = [
    "openinference.instrumentation",
    "@arizeai/openinference",
    "langfuse",
    "mlflow",
    "litellm",
    "openlit",
    "strands",
    "langsmith",
    "agent_framework",
    "semantic_kernel",
    "pydantic-ai",
    "logfire.openai",
    "logfire.anthropic",
    "com.anthropic.sdk",
    "traceloop",
    "openrouter",
    "langwatch",
    "gcp.vertex.agent",
    "agno",
    "crewai",
    "opentelemetry.instrumentation.openai",
    "opentelemetry.instrumentation.anthropic",
    "opentelemetry.instrumentation.google_genai",
    "opentelemetry.instrumentation.google_generativeai",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.cohere",
    "opentelemetry.instrumentation.mistralai",
    "opentelemetry.instrumentation.bedrock",
    "opentelemetry.instrumentation.vertexai",
    "opentelemetry.instrumentation.ollama",
    "opentelemetry.instrumentation.groq",
    "opentelemetry.instrumentation.llamaindex",
    "opentelemetry.instrumentation.crewai",
    "opentelemetry.instrumentation.openai_agents",
    "opentelemetry.instrumentation.together",
    "opentelemetry.instrumentation.replicate",
    "opentelemetry.instrumentation.watsonx",
    "opentelemetry.instrumentation.alephalpha",
    "opentelemetry.instrumentation.haystack",
    "opentelemetry.instrumentation.sagemaker",
    "opentelemetry.instrumentation.writer",
    "opentelemetry.instrumentation.transformers",
    "@opentelemetry/instrumentation-openai",
    "@traceloop/",
];

pub(super) fn is_ai_library(scope: &str) -> bool {
    SCOPES.iter().any(|name| {
        scope.strip_prefix(name).is_some_and(|rest| {
            // A word ends before everything but a letter or digit; `@traceloop/` ends with none and wants one to follow.
            let word_follows = rest.chars().next().is_some_and(char::is_alphanumeric);
            if name.ends_with('/') { rest.is_empty() || word_follows || rest.starts_with('_') } else { !word_follows }
        })
    })
}
