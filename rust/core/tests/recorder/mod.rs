//! A visitor that writes down what it is told.

#![allow(dead_code)]

use spanmap_core::error::{Error, Result};
use spanmap_core::limits::Limits;
use spanmap_core::wire::{OnError, Resource, Scope, Span, Visitor, json, proto};

#[derive(Debug, Clone, PartialEq)]
pub enum Call<'a> {
    Resource(Resource<'a>),
    Scope(Scope<'a>),
    Span(Span<'a>),
    Rejected(String),
}

#[derive(Debug, Default)]
pub struct Recorder<'a> {
    pub calls: Vec<Call<'a>>,
    /// Whether spans are taken out of the decoder's hands or copied.
    pub take: bool,
}

impl<'a> Visitor<'a> for Recorder<'a> {
    fn resource(&mut self, resource: Resource<'a>) {
        self.calls.push(Call::Resource(resource));
    }

    fn scope(&mut self, scope: Scope<'a>) {
        self.calls.push(Call::Scope(scope));
    }

    fn span(&mut self, span: &mut Span<'a>) {
        let span = if self.take { std::mem::take(span) } else { span.clone() };
        self.calls.push(Call::Span(span));
    }

    fn rejected(&mut self, error: Error) {
        self.calls.push(Call::Rejected(error.path()));
    }
}

pub fn from_proto<'a>(body: &'a [u8], limits: &Limits, on_error: OnError) -> Result<Vec<Call<'a>>> {
    let mut recorder = Recorder::default();
    proto::decode(body, limits, on_error, &mut recorder).map(|()| recorder.calls)
}

pub fn from_json<'a>(body: &'a str, limits: &Limits, on_error: OnError) -> Result<Vec<Call<'a>>> {
    let mut recorder = Recorder { take: true, ..Recorder::default() };
    json::decode(body.as_bytes(), limits, on_error, &mut recorder).map(|()| recorder.calls)
}

pub fn spans<'c, 'a>(calls: &'c [Call<'a>]) -> Vec<&'c Span<'a>> {
    calls.iter().filter_map(|call| if let Call::Span(span) = call { Some(span) } else { None }).collect()
}

pub fn rejected<'c>(calls: &'c [Call<'_>]) -> Vec<&'c str> {
    calls.iter().filter_map(|call| if let Call::Rejected(path) = call { Some(path.as_str()) } else { None }).collect()
}
