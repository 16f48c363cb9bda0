//! Selectors, paths and patterns of a configuration, compiled. Says by path what does not compile;
//! such an alternative then finds nothing.

use std::collections::BTreeMap;

use jobs::Problem;
use jobs::extraction::{Extraction, Field, FieldKind};
use scraper::Selector;
use scraper::error::SelectorErrorKind;

use super::pattern::{MAX_LARGE, Pattern};
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
        let mut compiler = Compiler {
            problems: Vec::new(),
            large_left: MAX_LARGE,
        };
        let fields = compiler.fields("config", &extraction.fields);
        (Self { fields }, compiler.problems)
    }
}

struct Compiler {
    problems: Vec<Problem>,
    /// How many more patterns may be large.
    large_left: usize,
}

impl Compiler {
    /// Fields nest as deep as the configuration's own parser allows, five levels.
    fn fields<'c>(
        &mut self,
        path: &str,
        fields: &'c BTreeMap<String, Field>,
    ) -> Vec<CompiledField<'c>> {
        fields
            .iter()
            .map(|(name, field)| {
                let path = format!("{path}.fields.{name}");
                let alternatives = self.alternatives(&path, field);
                let pattern = self.pattern(&path, field);
                CompiledField {
                    name,
                    field,
                    alternatives,
                    broken: field.pattern.is_some() && pattern.is_none(),
                    pattern,
                    fields: self.fields(&path, &field.fields),
                }
            })
            .collect()
    }

    fn pattern(&mut self, path: &str, field: &Field) -> Option<Pattern> {
        let text = field.pattern.as_deref()?;
        let flags = field.flags.as_deref();
        match Pattern::compile(text, flags, field.group, &mut self.large_left) {
            Ok(pattern) => Some(pattern),
            Err(malformed) => {
                let path = format!("{path}.{}", malformed.field);
                self.problems.push(Problem::new(path, malformed.message));
                None
            }
        }
    }

    fn alternatives<'c>(&mut self, path: &str, field: &'c Field) -> Vec<Alternative<'c>> {
        // A regular expression without a selector searches all there is.
        if field.kind == FieldKind::Regex && field.selectors.is_empty() {
            return vec![Alternative::Scope];
        }
        let mut alternatives = Vec::new();
        for (index, selector) in field.selectors.iter().enumerate() {
            let compiled = match field.kind {
                FieldKind::Css | FieldKind::Regex => css(selector),
                FieldKind::JsonLd => {
                    Path::parse(selector)
                        .map(Alternative::JsonLd)
                        .map_err(|reason| {
                            format!("must be a path such as `offers.price`: it {reason}")
                        })
                }
                FieldKind::Meta => Ok(Alternative::Meta(selector.trim())),
            };
            let path = match field.selectors.len() {
                1 => format!("{path}.selector"),
                _ => format!("{path}.selector[{index}]"),
            };
            match compiled {
                Ok(alternative) => alternatives.push(alternative),
                Err(message) => self.problems.push(Problem::new(path, message)),
            }
        }
        alternatives
    }
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
