//! The core and the usual Rust pipeline in alternating rounds, so that whatever the machine does meets both alike.
//! Prints JSON for the report: nanoseconds of every round, by export and contestant.
//!
//! `cargo bench -p spanmap-core --bench rounds -- ROUNDS`

use std::hint::black_box;
use std::time::Instant;

use serde_json::{Map, Value, json};
use spanmap_core::{Compat, Encoding};

mod exports;
#[path = "rivals/plain.rs"]
mod plain;

const DEFAULT_ROUNDS: usize = 60;

type Contestant<'a> = (&'static str, Box<dyn Fn() -> Vec<u8> + 'a>);

fn main() {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(DEFAULT_ROUNDS);
    let mut report = Map::new();
    for export in exports::load() {
        let protobuf = &export.protobuf;
        let contestants: [Contestant; 4] = [
            ("core_posthog_json", Box::new(|| exports::map_json(protobuf, Encoding::Protobuf, Compat::Posthog))),
            ("core_best_json", Box::new(|| exports::map_json(protobuf, Encoding::Protobuf, Compat::Best))),
            (
                "core_posthog_json_from_json",
                Box::new(|| exports::map_json(&export.json, Encoding::Json, Compat::Posthog)),
            ),
            ("plain_rust_json", Box::new(|| plain::map_json(protobuf))),
        ];
        let mut nanos: Vec<Vec<u64>> = vec![Vec::with_capacity(rounds); contestants.len()];
        for round in 0..rounds {
            // Another one begins each time: nobody always runs with the caches of the same predecessor.
            for turn in 0..contestants.len() {
                let index = (round + turn) % contestants.len();
                let started = Instant::now();
                black_box(contestants[index].1());
                nanos[index].push(started.elapsed().as_nanos() as u64);
            }
        }
        let rows = contestants.iter().zip(nanos).map(|((name, _), nanos)| ((*name).to_owned(), json!(nanos)));
        report.insert(export.name.to_owned(), Value::Object(rows.collect()));
    }
    println!("{}", Value::Object(report));
}
