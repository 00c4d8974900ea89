//! spanmap-core: bytes -> wire -> span -> dialect -> event -> sink. Knows no Python.

pub mod error;
pub mod event;
pub mod keys;
pub mod limits;
pub mod span;
pub mod wire;
