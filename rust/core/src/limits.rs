//! Every cap in one place. Each is an option of the mapper; the defaults are what a gateway can live with.

/// The most that [`Limits::max_nesting`] and [`Limits::max_json_nesting`] may be: trees are read, written and freed level by
/// level on the stack, and so many levels fit into the half MiB that small threads have.
pub const DEEPEST_NESTING: usize = 500;

/// The caps that the decoder and the mapper observe. Going over one is a [`Kind::Limit`](crate::error::Kind) error that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body as received, before decompression.
    pub max_body_bytes: usize,
    /// Bytes of the body after decompression.
    pub max_decompressed_bytes: usize,
    /// Decompressed bytes for each compressed byte. Bodies that stay under 1 MiB decompressed are never refused for it.
    pub max_decompression_ratio: usize,
    /// Spans in one request, before filtering.
    pub max_spans: usize,
    /// Attributes of one resource, scope, span, span event or link, counted before duplicates are merged.
    pub max_attributes: usize,
    /// Span events of one span, and links of one span.
    pub max_span_events: usize,
    /// Arrays and key-value lists inside one another in one attribute value; also protobuf groups inside one another.
    pub max_nesting: usize,
    /// Containers inside one another in OTLP/JSON, and in JSON text found inside a string attribute
    /// (deeper text is not an error there: it stays a string).
    pub max_json_nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 32 << 20,
            max_decompressed_bytes: 64 << 20,
            max_decompression_ratio: 200,
            max_spans: 100_000,
            max_attributes: 4_096,
            max_span_events: 8_192,
            max_nesting: 30,
            max_json_nesting: 128,
        }
    }
}
