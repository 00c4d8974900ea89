//! The mapper's options as Python says them.

use std::borrow::Cow;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use spanmap_core::limits::{DEEPEST_NESTING, Limits};
use spanmap_core::wire::{OnError, Value};
use spanmap_core::{Compat, Options, UserRules};

type Cap = fn(&mut Limits) -> &mut usize;

/// Every cap by its name, which is the same in Rust and in `spanmap.Limits`.
const CAPS: [(&str, Cap); 8] = [
    ("max_body_bytes", |limits| &mut limits.max_body_bytes),
    ("max_decompressed_bytes", |limits| &mut limits.max_decompressed_bytes),
    ("max_decompression_ratio", |limits| &mut limits.max_decompression_ratio),
    ("max_spans", |limits| &mut limits.max_spans),
    ("max_attributes", |limits| &mut limits.max_attributes),
    ("max_span_events", |limits| &mut limits.max_span_events),
    ("max_nesting", |limits| &mut limits.max_nesting),
    ("max_json_nesting", |limits| &mut limits.max_json_nesting),
];

/// The core's options, from the keyword arguments of `spanmap.Mapper`.
pub fn read_options(
    compat: &str,
    prefixes: Option<Vec<String>>,
    drop_resource_prefixes: Option<Vec<String>>,
    limits: Option<&Bound<'_, PyAny>>,
    on_error: &str,
    privacy_mode: bool,
) -> PyResult<Options> {
    let defaults = Options::default();
    Ok(Options {
        compat: match compat {
            "best" => Compat::Best,
            "posthog" => Compat::Posthog,
            _ => return Err(unknown_choice("compat", compat, "\"best\" or \"posthog\"")),
        },
        prefixes,
        drop_resource_prefixes: drop_resource_prefixes.unwrap_or(defaults.drop_resource_prefixes),
        limits: limits.map_or(Ok(defaults.limits), read_limits)?,
        on_error: match on_error {
            "raise" => OnError::Raise,
            "skip" => OnError::Skip,
            _ => return Err(unknown_choice("on_error", on_error, "\"raise\" or \"skip\"")),
        },
        privacy_mode,
        ..defaults
    })
}

/// The constant of a rule. The order matters: Python takes a bool for an integer, and an integer for a float.
#[derive(FromPyObject)]
enum Constant {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
}

type Edits = (Vec<String>, Vec<(String, String)>, Vec<(String, Constant)>, Vec<String>);

/// The caller's rules, which `spanmap.user_rules` checks and sorts by what they do.
pub fn read_rules(given: &Bound<'_, PyAny>) -> PyResult<UserRules> {
    let module = given.py().import("spanmap.user_rules")?;
    let (drop, rename, constants, prefixes): Edits = module.call_method1("read_rules", (given,))?.extract()?;
    let set = constants.into_iter().map(|(key, constant)| (key, constant.into_value())).collect();
    Ok(UserRules { drop, rename, set, prefixes })
}

impl Constant {
    fn into_value(self) -> Value<'static> {
        match self {
            Constant::Bool(value) => Value::Bool(value),
            Constant::Int(value) => Value::Int(value),
            Constant::Double(value) => Value::Double(value),
            Constant::Text(value) => Value::Str(Cow::Owned(value)),
        }
    }
}

/// A dict of some caps, or a `spanmap.Limits`, which has all of them as attributes.
fn read_limits(given: &Bound<'_, PyAny>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    if let Ok(dict) = given.cast::<PyDict>() {
        for (name, value) in dict {
            let name: String = name.extract()?;
            let Some((_, cap)) = CAPS.iter().find(|(known, _)| *known == name) else {
                let known = CAPS.map(|(known, _)| known).join(", ");
                return Err(PyValueError::new_err(format!("limits has no cap named {name:?}. Known are: {known}.")));
            };
            *cap(&mut limits) = read_cap(&name, &value)?;
        }
    } else {
        for (name, cap) in CAPS {
            *cap(&mut limits) = read_cap(name, &given.getattr(name)?)?;
        }
    }
    Ok(limits)
}

fn read_cap(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let is_nesting = name.ends_with("nesting");
    match value.extract() {
        Ok(levels) if is_nesting && levels > DEEPEST_NESTING => Err(PyValueError::new_err(format!(
            "limits.{name} is {levels}. Pass at most {DEEPEST_NESTING}: deeper values would not fit on the stack."
        ))),
        Ok(cap) => Ok(cap),
        Err(_) => {
            let shown = value.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
            Err(PyValueError::new_err(format!("limits.{name} is {shown}. Pass an integer of at least 0.")))
        }
    }
}

fn unknown_choice(option: &str, given: &str, choices: &str) -> PyErr {
    PyValueError::new_err(format!("{option} is {given:?}. Pass {choices}."))
}

/// The caps that hold when the caller names none.
pub fn default_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let mut limits = Limits::default();
    let dict = PyDict::new(py);
    for (name, cap) in CAPS {
        dict.set_item(name, *cap(&mut limits))?;
    }
    Ok(dict)
}
