//! Where events go. A sink knows events and nothing of spans.

pub mod json;
