//! Selectors, paths and patterns of a configuration, compiled. Says by path what does not compile;
//! such an alternative then finds nothing.

use jobs::Problem;
use jobs::extraction::{Extraction, Field, FieldKind};
use scraper::Selector;
use scraper::error::SelectorErrorKind;

use super::pattern::Pattern;
use crate::extract::json_ld::Path;

/// A configuration, ready to run.
pub(in crate::extract) struct Compiled<'c> {
    pub(super) fields: Vec<CompiledField<'c>>,
}

pub(super) struct CompiledField<'c> {
    pub(super) name: &'c str,
    pub(super) field: &'c Field,
    /// In the order in which they are tried.
    pub(super) alternatives: Vec<Alternative<'c>>,
    pub(super) pattern: Option<Pattern>,
    /// The pattern does not compile, so nothing passes it.
    pub(super) broken: bool,
    pub(super) fields: Vec<CompiledField<'c>>,
}

/// One place to look.
pub(super) enum Alternative<'c> {
    Css(Selector),
    /// The element itself within which the field is read.
    Scope,
    JsonLd(Path),
    Meta(&'c str),
}

impl<'c> Compiled<'c> {
    /// Compiles what compiles, and says what does not.
    pub(in crate::extract) fn new(extraction: &'c Extraction) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let fields = compile_all("config", &extraction.fields, &mut problems);
        (Self { fields }, problems)
    }
}

/// Fields nest as deep as the configuration's own parser allows, five levels.
fn compile_all<'c>(
    path: &str,
    fields: &'c std::collections::BTreeMap<String, Field>,
    problems: &mut Vec<Problem>,
) -> Vec<CompiledField<'c>> {
    fields
        .iter()
        .map(|(name, field)| {
            let path = format!("{path}.fields.{name}");
            let pattern = field
                .pattern
                .as_deref()
                .map(|text| Pattern::compile(text, field.flags.as_deref(), field.group));
            let broken = matches!(pattern, Some(Err(_)));
            if let Some(Err(problem)) = &pattern {
                problems.push(Problem::new(
                    format!("{path}.{}", problem.field),
                    &*problem.message,
                ));
            }
            CompiledField {
                name,
                field,
                alternatives: alternatives(&path, field, problems),
                pattern: pattern.and_then(Result::ok),
                broken,
                fields: compile_all(&path, &field.fields, problems),
            }
        })
        .collect()
}

fn alternatives<'c>(
    path: &str,
    field: &'c Field,
    problems: &mut Vec<Problem>,
) -> Vec<Alternative<'c>> {
    // A regular expression without a selector searches all there is.
    if field.kind == FieldKind::Regex && field.selectors.is_empty() {
        return vec![Alternative::Scope];
    }
    let mut alternatives = Vec::new();
    for (index, selector) in field.selectors.iter().enumerate() {
        let compiled = match field.kind {
            FieldKind::Css | FieldKind::Regex => css(selector),
            FieldKind::JsonLd => Path::parse(selector)
                .map(Alternative::JsonLd)
                .map_err(|reason| format!("must be a path such as `offers.price`: it {reason}")),
            FieldKind::Meta => Ok(Alternative::Meta(selector.trim())),
        };
        match compiled {
            Ok(alternative) => alternatives.push(alternative),
            Err(message) if field.selectors.len() > 1 => {
                problems.push(Problem::new(format!("{path}.selector[{index}]"), message));
            }
            Err(message) => problems.push(Problem::new(format!("{path}.selector"), message)),
        }
    }
    alternatives
}

fn css<'c>(selector: &str) -> Result<Alternative<'c>, String> {
    if selector.trim() == ":scope" {
        return Ok(Alternative::Scope);
    }
    Selector::parse(selector)
        .map(Alternative::Css)
        .map_err(|error| {
            let reason = match error {
                SelectorErrorKind::EndOfLine => "it ends too early",
                SelectorErrorKind::TooManyNestedBlocks => "it nests too deep",
                SelectorErrorKind::UnexpectedSelectorParseError(_) => {
                    "it has a part that is malformed or not supported"
                }
                _ => "it has a character that does not belong there",
            };
            format!("must be a CSS selector: {reason}")
        })
}
