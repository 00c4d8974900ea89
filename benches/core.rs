//! The core alone, step by step, named after the nouns of the pipeline; and the usual Rust pipeline beside it.
//!
//! `cargo bench -p spanmap-core --bench core`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spanmap_core::wire::{self, Resource, Scope, Span};
use spanmap_core::{Compat, Encoding, Error, sink};

mod exports;
#[path = "rivals/plain.rs"]
mod plain;

/// Looks at every span and keeps none.
#[derive(Default)]
struct Count(usize);

impl<'a> wire::Visitor<'a> for Count {
    fn resource(&mut self, resource: Resource<'a>) {
        black_box(resource);
    }

    fn scope(&mut self, scope: Scope<'a>) {
        black_box(scope);
    }

    fn span(&mut self, span: &mut Span<'a>) {
        self.0 += black_box(&span.attributes).len();
    }

    fn rejected(&mut self, error: Error) {
        black_box(error);
    }
}

fn core(criterion: &mut Criterion) {
    for export in exports::load() {
        let options = exports::options(Compat::Posthog);
        let encodings = [("protobuf", Encoding::Protobuf, &export.protobuf), ("json", Encoding::Json, &export.json)];

        let mut group = criterion.benchmark_group("wire");
        for (name, encoding, body) in encodings {
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(BenchmarkId::new(name, export.name), |bencher| {
                bencher.iter(|| {
                    let mut count = Count::default();
                    match encoding {
                        Encoding::Protobuf => wire::proto::decode(body, &options.limits, options.on_error, &mut count),
                        Encoding::Json => wire::json::decode(body, &options.limits, options.on_error, &mut count),
                    }
                    .expect("the export is sound");
                    count.0
                });
            });
        }
        group.finish();

        let mut group = criterion.benchmark_group("event");
        group.throughput(Throughput::Bytes(export.protobuf.len() as u64));
        for (name, compat) in [("posthog", Compat::Posthog), ("best", Compat::Best)] {
            let options = exports::options(compat);
            group.bench_function(BenchmarkId::new(name, export.name), |bencher| {
                bencher.iter(|| spanmap_core::map(black_box(&export.protobuf), Encoding::Protobuf, &options));
            });
        }
        group.finish();

        let batch = spanmap_core::map(&export.protobuf, Encoding::Protobuf, &options).expect("the export is sound");
        let mut group = criterion.benchmark_group("sink");
        group.throughput(Throughput::Bytes(export.protobuf.len() as u64));
        group.bench_function(BenchmarkId::new("json", export.name), |bencher| {
            bencher.iter(|| {
                let mut json = Vec::with_capacity(export.protobuf.len());
                sink::json::write_events(&batch.events, &mut json);
                json
            });
        });
        group.finish();

        let mut group = criterion.benchmark_group("whole");
        group.throughput(Throughput::Bytes(export.protobuf.len() as u64));
        group.bench_function(BenchmarkId::new("core", export.name), |bencher| {
            bencher.iter(|| exports::map_json(black_box(&export.protobuf), Encoding::Protobuf, Compat::Posthog));
        });
        group.bench_function(BenchmarkId::new("plain", export.name), |bencher| {
            bencher.iter(|| plain::map_json(black_box(&export.protobuf)));
        });
        group.finish();
    }
}

criterion_group!(benches, core);
criterion_main!(benches);
