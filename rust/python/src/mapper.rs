//! The mapper: options that were checked once, a pipeline that runs detached from Python, and counters.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use spanmap_core::{Compat, Options, UserRules, wire};

use crate::batch::{Batch, EventChunks};
use crate::body::{Body, HeldBatch, read_bytes};
use crate::errors::to_py_err;
use crate::explain::explanation;
use crate::json::{self, detach_if};
use crate::objects;
use crate::options::{read_options, read_rules};
use crate::spans;

/// Bodies below this size are mapped without detaching from the interpreter: the work takes some microseconds, and other
/// threads gain less from them than the switch costs.
const DETACH_FROM_BYTES: usize = 4 << 10;

/// What a mapper has seen since it was made.
#[derive(Default)]
struct Counters {
    spans: u64,
    events: u64,
    dropped: BTreeMap<&'static str, u64>,
}

/// Maps OTLP trace export requests to PostHog AI events.
///
/// The options are checked once; after that a mapper never changes, and any number of threads may use it at once.
///
/// Args:
///     compat: ``"best"`` tells what happened; ``"posthog"`` does what PostHog's own OTLP endpoint does with the same
///         request, surprises included.
///     prefixes: A span is kept when an attribute key starts with one of these; ``None`` means the mode's own list.
///     drop_resource_prefixes: Resource attributes whose keys start with one of these do not become properties; ``None``
///         means ``["host.", "process.", "os.", "telemetry."]``.
///     limits: Caps, as a ``spanmap.Limits`` or a dict of those to change.
///     on_error: ``"raise"`` fails the request at the first span that cannot be read; ``"skip"`` leaves that span out,
///         reports it in ``Batch.errors``, and goes on. Damage outside a span always raises.
///     privacy_mode: Events leave without the content of messages and states; tokens, models and times stay.
///     rules: Edits of attributes, made before any mapping, in both modes: ``{"drop": key}`` (a trailing ``*`` makes a
///         prefix), ``{"rename": key, "to": key}``, ``{"set": key, "value": value}`` where a span lacks the key, and
///         ``{"prefix": prefix}`` for keys and span names that make a span worth keeping; or the path of a TOML file
///         that holds such rules as ``[[rule]]`` tables.
///
/// Raises:
///     ValueError: An option has a value that is not one of its choices, ``limits`` names an unknown cap, or a rule has
///         none of the forms.
///     OSError: The file of rules cannot be read.
///
/// Example:
///     >>> import spanmap
///     >>> mapper = spanmap.Mapper(privacy_mode=True)
///     >>> events = mapper.map_traces(spanmap.samples.read("fastapi-openai.pb"))
///     >>> any("$ai_input" in event["properties"] for event in events)
///     False
#[pyclass(frozen, module = "spanmap")]
pub struct Mapper {
    options: Options,
    counters: Mutex<Counters>,
}

#[pymethods]
impl Mapper {
    #[new]
    #[pyo3(signature = (*, compat = "best", prefixes = None, drop_resource_prefixes = None, limits = None, on_error = "raise", privacy_mode = false, rules = None))]
    fn new(
        compat: &str,
        prefixes: Option<Vec<String>>,
        drop_resource_prefixes: Option<Vec<String>>,
        limits: Option<&Bound<'_, PyAny>>,
        on_error: &str,
        privacy_mode: bool,
        rules: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut options = read_options(compat, prefixes, drop_resource_prefixes, limits, on_error, privacy_mode)?;
        options.rules = rules.map_or(Ok(UserRules::default()), read_rules)?;
        Ok(Self { options, counters: Mutex::default() })
    }

    /// Maps one request to events.
    ///
    /// Args:
    ///     body: An OTLP ``ExportTraceServiceRequest``, as protobuf or JSON. ``bytes`` are read in place.
    ///     content_type: ``application/x-protobuf`` or ``application/json``; ``None`` looks at the body.
    ///     content_encoding: ``gzip``, ``deflate``, ``zstd``, or ``None`` for a body that is not compressed.
    ///
    /// Returns:
    ///     A dict for each event: ``event`` (such as ``"$ai_generation"``), ``distinct_id``, ``timestamp`` (RFC 3339 in
    ///     UTC, or ``None`` when the span has no start time), ``uuid`` (the same for the same span, so that a retry
    ///     counts once) and ``properties``. Latencies are in seconds, costs in US dollars.
    ///
    /// Raises:
    ///     DecodeError: The body is damaged, or its type or encoding is not one of the above.
    ///     LimitError: The body goes over one of the caps.
    ///     InputTypeError: ``body`` is not ``bytes``, ``bytearray`` or ``memoryview``.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_traces(b'{"resourceSpans": []}')
    ///     []
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_traces<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let batch = self.map(Signal::Traces, body, content_type, content_encoding)?;
        objects::events(body.py(), &batch.borrow_dependent().events, self.max_json_nesting())
    }

    /// Maps one request to a JSON array of events, in UTF-8.
    ///
    /// Faster than ``map_traces`` where the events only travel on: no Python objects are made, and message content that
    /// is JSON already is copied as it stands. Arguments and errors are those of ``map_traces``.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_traces_json(b'{"resourceSpans": []}')
    ///     b'[]'
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_traces_json<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = body.py();
        let batch = self.map(Signal::Traces, body, content_type, content_encoding)?;
        json_array(py, batch)
    }

    /// Maps one request to events, a list of at most ``chunk_size`` at a time.
    ///
    /// The request is mapped whole at the call, which is where errors are raised; the dicts are made chunk by chunk, so
    /// that the cyclic garbage collector never has to walk them all. Other arguments and errors are those of
    /// ``map_traces``.
    ///
    /// Raises:
    ///     ValueError: ``chunk_size`` is 0.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> body = spanmap.samples.read("fastapi-openai.pb")
    ///     >>> max(len(chunk) for chunk in spanmap.Mapper().iter_traces(body, chunk_size=3))
    ///     3
    #[pyo3(signature = (body, *, chunk_size = 1000, content_type = None, content_encoding = None))]
    fn iter_traces(
        &self,
        body: &Bound<'_, PyAny>,
        chunk_size: usize,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<EventChunks> {
        if chunk_size == 0 {
            return Err(PyValueError::new_err("chunk_size is 0. Pass how many events to make at a time, at least 1."));
        }
        let batch = self.map(Signal::Traces, body, content_type, content_encoding)?;
        Ok(EventChunks::new(batch, self.max_json_nesting(), chunk_size))
    }

    /// Maps one request, and accounts for every span of it.
    ///
    /// Arguments and errors are those of ``map_traces``.
    ///
    /// Returns:
    ///     A ``Batch``: ``events``, ``span_count``, ``drops`` and ``errors``.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> batch = spanmap.Mapper().map_batch(spanmap.samples.read("fastapi-openai.pb"))
    ///     >>> batch.drops[0].reason
    ///     'no_ai_prefix'
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_batch(
        &self,
        body: &Bound<'_, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Batch> {
        let batch = self.map(Signal::Traces, body, content_type, content_encoding)?;
        Ok(Batch::new(batch, self.max_json_nesting()))
    }

    /// Maps finished spans of the OpenTelemetry SDK to events, as if they had been exported.
    ///
    /// The spans are read where they are: nothing is encoded. The events are those that ``map_traces`` makes of the
    /// request that ``opentelemetry-exporter-otlp-proto-common`` would encode of the same spans. Values that it would give
    /// up are kept: lone surrogates as U+FFFD, integers beyond 64 bits as text.
    ///
    /// Args:
    ///     spans: ``opentelemetry.sdk.trace.ReadableSpan`` objects: what a span processor's ``on_end`` and an exporter's
    ///         ``export`` are given.
    ///
    /// Returns:
    ///     A dict for each event, as ``map_traces`` gives them.
    ///
    /// Raises:
    ///     DecodeError: An object cannot be read as a span.
    ///     LimitError: The spans go over one of the caps.
    ///     InputTypeError: ``spans`` cannot be iterated over.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_spans([])
    ///     []
    fn map_spans<'py>(&self, spans: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let batch = self.map_objects(spans, &[])?;
        objects::events(spans.py(), &batch.borrow_dependent().events, self.max_json_nesting())
    }

    /// Maps finished spans of the OpenTelemetry SDK to a JSON array of events, in UTF-8.
    ///
    /// Arguments and errors are those of ``map_spans``. The spans are read with the interpreter held; mapping and writing
    /// let other threads run.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_spans_json([])
    ///     b'[]'
    fn map_spans_json<'py>(&self, spans: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let batch = self.map_objects(spans, &[])?;
        json_array(spans.py(), batch)
    }

    /// Maps finished spans of the OpenTelemetry SDK, and accounts for every one of them.
    ///
    /// Whoever maps a trace in pieces says with ``elsewhere`` what lies outside of the piece, so that events point at the
    /// right parents and know whose they are. ``compat="posthog"`` has no use for it.
    ///
    /// Args:
    ///     spans: As for ``map_spans``.
    ///     elsewhere: Spans of the same traces, open or finished, each with whether it has become or will become an event.
    ///
    /// Returns:
    ///     A ``Batch``: ``events``, ``span_count``, ``drops`` and ``errors``.
    ///
    /// Raises:
    ///     DecodeError: An object of ``spans`` cannot be read as a span.
    ///     LimitError: The spans go over one of the caps.
    ///     InputTypeError: ``spans`` cannot be iterated over.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_spans_batch([]).span_count
    ///     0
    #[pyo3(signature = (spans, *, elsewhere = None))]
    fn map_spans_batch(
        &self,
        spans: &Bound<'_, PyAny>,
        elsewhere: Option<Vec<(Bound<'_, PyAny>, bool)>>,
    ) -> PyResult<Batch> {
        let batch = self.map_objects(spans, elsewhere.as_deref().unwrap_or_default())?;
        Ok(Batch::new(batch, self.max_json_nesting()))
    }

    /// Whether the filter keeps a span of the OpenTelemetry SDK: by its name, its attribute keys, its scope, or an
    /// evaluation among its events, as the mode and ``prefixes`` say.
    ///
    /// It takes about a microsecond, whatever the span holds. ``rules`` that edit attributes are not applied.
    ///
    /// Args:
    ///     span: A ``opentelemetry.sdk.trace.ReadableSpan``.
    ///
    /// Returns:
    ///     What the mapper will decide about the span.
    fn keeps(&self, span: &Bound<'_, PyAny>) -> PyResult<bool> {
        spans::is_kept(span, &self.options)
    }

    /// Maps the evaluations of one log request to events.
    ///
    /// Log records named ``gen_ai.evaluation.result`` say what a judge made of a span; each becomes one
    /// ``$ai_evaluation``. Other records become nothing. ``prefixes`` does not apply to log records; ``limits.max_spans``
    /// does.
    ///
    /// Args:
    ///     body: An OTLP ``ExportLogsServiceRequest``, as protobuf or JSON. ``bytes`` are read in place.
    ///     content_type: ``application/x-protobuf`` or ``application/json``; ``None`` looks at the body.
    ///     content_encoding: ``gzip``, ``deflate``, ``zstd``, or ``None`` for a body that is not compressed.
    ///
    /// Returns:
    ///     A dict for each event, as ``map_traces`` gives them. ``uuid`` is the same for the same record.
    ///
    /// Raises:
    ///     DecodeError: The body is damaged, or its type or encoding is not one of the above.
    ///     LimitError: The body goes over one of the caps.
    ///     InputTypeError: ``body`` is not ``bytes``, ``bytearray`` or ``memoryview``.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> record = b'{"eventName": "gen_ai.evaluation.result", "attributes": {"gen_ai.evaluation.name": "tone", ' \
    ///     ...     b'"gen_ai.evaluation.score.value": 0.5}}'
    ///     >>> body = b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [%s]}]}]}' % record
    ///     >>> [event["properties"]["$ai_evaluation_result"] for event in spanmap.Mapper().map_logs(body)]
    ///     [0.5]
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_logs<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let batch = self.map(Signal::Logs, body, content_type, content_encoding)?;
        objects::events(body.py(), &batch.borrow_dependent().events, self.max_json_nesting())
    }

    /// Maps the evaluations of one log request to a JSON array of events, in UTF-8.
    ///
    /// Arguments and errors are those of ``map_logs``.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.Mapper().map_logs_json(b'{"resourceLogs": []}')
    ///     b'[]'
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_logs_json<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let batch = self.map(Signal::Logs, body, content_type, content_encoding)?;
        json_array(body.py(), batch)
    }

    /// Maps the evaluations of one log request, and accounts for every record of it.
    ///
    /// Arguments and errors are those of ``map_logs``.
    ///
    /// Returns:
    ///     A ``Batch``, in which log records stand in the place of spans.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> body = b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": "hello"}]}]}]}'
    ///     >>> spanmap.Mapper().map_logs_batch(body).drops[0].reason
    ///     'no_evaluation'
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn map_logs_batch(
        &self,
        body: &Bound<'_, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Batch> {
        let batch = self.map(Signal::Logs, body, content_type, content_encoding)?;
        Ok(Batch::new(batch, self.max_json_nesting()))
    }

    /// Maps one request, and says of each property which rule set it and from which attribute.
    ///
    /// Arguments and errors are those of ``map_traces``.
    ///
    /// Returns:
    ///     An ``Explanation``. Mapping takes longer this way: it is made for looking into one request.
    ///
    /// Raises:
    ///     ValueError: The mapper was made with ``compat="posthog"``, which has no rules that can be told apart.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> explained = spanmap.Mapper().explain(spanmap.samples.read("fastapi-openai.pb"))
    ///     >>> notes = {note["property"]: note for note in explained.events[0]["properties"]}
    ///     >>> notes["$ai_input_tokens"]["rule"], notes["$ai_input_tokens"]["source"]
    ///     ('genai.input_tokens', 'gen_ai.usage.input_tokens')
    #[pyo3(signature = (body, *, content_type = None, content_encoding = None))]
    fn explain<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.options.compat == Compat::Posthog {
            let message =
                "compat=\"posthog\" cannot explain its events. Make a Mapper with compat=\"best\" to explain.";
            return Err(PyValueError::new_err(message));
        }
        let options = Options { explain: true, ..self.options.clone() };
        let batch = self.map_with(&options, Signal::Traces, body, content_type, content_encoding)?;
        explanation(body.py(), &Batch::new(batch, self.max_json_nesting()))
    }

    /// Totals since the mapper was made: ``spans`` and ``events``, and ``dropped``, a dict of spans by reason.
    ///
    /// Log records are counted among the events and the dropped. Requests that raised count nothing. The dict is a copy, taken at one instant.
    #[getter]
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (spans, events, dropped) = {
            let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            (counters.spans, counters.events, counters.dropped.clone())
        };
        let dict = PyDict::new(py);
        dict.set_item("spans", spans)?;
        dict.set_item("events", events)?;
        dict.set_item("dropped", dropped)?;
        Ok(dict)
    }
}

impl Mapper {
    /// The pipeline up to the events.
    fn map(
        &self,
        signal: Signal,
        body: &Bound<'_, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<HeldBatch> {
        self.map_with(&self.options, signal, body, content_type, content_encoding)
    }

    fn map_with(
        &self,
        options: &Options,
        signal: Signal,
        body: &Bound<'_, PyAny>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> PyResult<HeldBatch> {
        let py = body.py();
        let given = read_bytes(body)?;
        let mapped = detach_if(py, is_large(given.len()), || {
            let body = Body::inflate(given, content_encoding, &options.limits)?;
            let batch = HeldBatch::try_new(body, |body| {
                let bytes = body.as_bytes();
                let map = match signal {
                    Signal::Traces => spanmap_core::map,
                    Signal::Logs => spanmap_core::map_logs,
                };
                map(bytes, wire::detect(content_type, bytes)?, options)
            })?;
            self.count(signal, batch.borrow_dependent());
            Ok(batch)
        });
        mapped.map_err(|error| to_py_err(py, &error))
    }

    fn map_objects(&self, spans: &Bound<'_, PyAny>, elsewhere: &[(Bound<'_, PyAny>, bool)]) -> PyResult<HeldBatch> {
        let py = spans.py();
        let held = Body::Spans(spans::read(spans, elsewhere, &self.options.limits, self.options.on_error)?);
        let mapped = detach_if(py, is_large(held.weight()), || {
            let batch = HeldBatch::try_new(held, |body| match body {
                Body::Spans(spans) => spanmap_core::map_source(spans, &self.options),
                _ => Ok(spanmap_core::Batch::default()),
            })?;
            self.count(Signal::Traces, batch.borrow_dependent());
            Ok(batch)
        });
        mapped.map_err(|error| to_py_err(py, &error))
    }

    fn count(&self, signal: Signal, batch: &spanmap_core::Batch<'_>) {
        // The lock is never held while Python code runs, and nothing in here can panic.
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if signal == Signal::Traces {
            counters.spans += batch.span_count as u64;
        }
        counters.events += batch.events.len() as u64;
        for drop in &batch.drops {
            *counters.dropped.entry(drop.reason.name()).or_default() += 1;
        }
    }

    fn max_json_nesting(&self) -> usize {
        self.options.limits.max_json_nesting
    }
}

/// What a request holds.
#[derive(Clone, Copy, PartialEq)]
enum Signal {
    Traces,
    Logs,
}

fn json_array<'py>(py: Python<'py>, batch: HeldBatch) -> PyResult<Bound<'py, PyBytes>> {
    let detach = is_large(batch.borrow_owner().weight());
    json::array_of(py, batch, detach)
}

fn is_large(bytes: usize) -> bool {
    bytes >= DETACH_FROM_BYTES
}
