//! Everything that decides what an event says, as data: for `spanmap rules` and the documents.

use super::TABLES;
use super::explain::{COMPUTED, CUSTOM, EXPLICIT, OWNERSHIP, PASS_THROUGH, RESOURCE, text_of};
use super::ownership::SUMMED;
use super::pass_through::OBJECTS;
use super::people;
use super::request::PARAMETERS;
use super::rule::{Shape, Source};
use super::traits::NAMESPACES;
use super::usage::CACHE_CONVENTIONS;

/// One rule, as documents show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// The dialect whose table the rule is in; empty for rules that hold for all.
    pub dialect: &'static str,
    pub id: String,
    /// The property that it sets.
    pub to: String,
    /// Where the value comes from, in order of precedence: `key`, `key#a.b` for a member of its JSON, `prefix*`.
    pub from: Vec<String>,
    /// The shape that a value must have; empty where the rule is no row of a table.
    pub shape: &'static str,
    /// The upstream document; empty where there is none.
    pub source: &'static str,
}

/// Every rule, in the order in which rules are tried.
pub fn rules() -> Vec<RuleInfo> {
    let mut rules = Vec::new();
    for (_, table) in &TABLES {
        rules.extend(table.rules.iter().map(|rule| RuleInfo {
            dialect: table.name,
            id: rule.id.to_owned(),
            to: rule.to.as_str().to_owned(),
            from: rule.from.iter().map(|&source| text_of(source)).collect(),
            shape: rule.shape.name(),
            source: table.source,
        }));
    }
    for (name, keys) in PARAMETERS {
        let from = keys.iter().map(|key| key.as_str().to_owned()).collect();
        rules.push(general(format!("parameters.{name}"), format!("$ai_model_parameters.{name}"), from));
    }
    for (id, to, sources) in [
        ("identity.user", "distinct_id", people::USER),
        ("identity.session", "$ai_session_id", people::SESSION),
        ("identity.conversation", "$ai_session_id", people::CONVERSATION),
    ] {
        let from = sources.iter().map(|&source| text_of(source)).collect();
        rules.push(RuleInfo { shape: Shape::QuotedText.name(), ..general(id.to_owned(), to.to_owned(), from) });
    }
    let namespaces = NAMESPACES.iter().map(|prefix| format!("{prefix}*"));
    let objects = OBJECTS.iter().map(|&key| format!("{}#*", text_of(Source::Key(key))));
    rules.push(general(EXPLICIT.to_owned(), "$ai_*".to_owned(), vec!["$ai_*".to_owned()]));
    rules.push(general(CUSTOM.to_owned(), "*".to_owned(), namespaces.chain(objects).collect()));
    rules.push(general(PASS_THROUGH.to_owned(), "*".to_owned(), vec!["*".to_owned()]));
    rules.push(general(RESOURCE.to_owned(), "*".to_owned(), Vec::new()));
    for (key, id) in COMPUTED {
        rules.push(general(id.to_owned(), key.as_str().to_owned(), Vec::new()));
    }
    for (summed, reported) in SUMMED {
        let from = vec![summed.as_str().to_owned()];
        rules.push(general(OWNERSHIP.to_owned(), reported.as_str().to_owned(), from));
    }
    rules
}

fn general(id: String, to: String, from: Vec<String>) -> RuleInfo {
    RuleInfo { dialect: "", id, to, from, shape: "", source: "" }
}

/// Which libraries leave cached tokens out of their input tokens: who, and when.
pub fn cache_conventions() -> &'static [(&'static str, &'static str)] {
    &CACHE_CONVENTIONS
}
