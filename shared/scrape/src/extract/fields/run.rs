//! Reading compiled fields from a page. Refuses lists and values without bounds.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jobs::extraction::{DataType, FieldKind, Source};
use jobs::{Failure, FailureCode};
use scraper::{ElementRef, Html};
use serde_json::{Map, Value};

use super::compile::{Alternative, Compiled, CompiledField};
use super::convert::{self, Context};
use super::number::Decimals;
use super::pattern::MAX_SEARCHED;
use super::select;
use crate::extract::address::Addresses;
use crate::extract::budget::Budget;
use crate::extract::survey::Meta;
use crate::extract::text::{text_of, text_of_selected};

/// Longest value, in bytes.
const MAX_VALUE: usize = 100_000;
/// Most values in a list.
const MAX_VALUES: usize = 1_000;
/// All values of a page together, in bytes.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// What a value costs besides its text.
const VALUE_BYTES: usize = 32;

/// Where fields are read from.
pub(in crate::extract) struct Sources<'a> {
    /// The tree, where the answer has one.
    pub(in crate::extract) markup: Option<&'a Html>,
    /// The answer's text as it came.
    pub(in crate::extract) source: &'a str,
    pub(in crate::extract) addresses: &'a Addresses,
    pub(in crate::extract) metas: &'a [Meta<'a>],
    pub(in crate::extract) json: &'a [Value],
    pub(in crate::extract) language: Option<&'a str>,
}

impl Compiled<'_> {
    /// Reads every field. Fails with `field_missing` where a required one yields nothing.
    pub(in crate::extract) fn run(
        &self,
        sources: &Sources<'_>,
        budget: &Budget<'_>,
    ) -> Result<BTreeMap<String, Value>, Failure> {
        let run = Run {
            sources,
            budget,
            root: sources.markup.map(Html::root_element),
            nodes: sources.markup.map_or(0, |html| html.tree.values().len()),
            decimals: Decimals::of(sources.language),
            bytes_left: Cell::new(MAX_BYTES),
            shown: OnceCell::new(),
        };
        let mut values = BTreeMap::new();
        for field in &self.fields {
            if let Some(value) = run.field(field, None, "")? {
                values.insert(field.name.to_owned(), value);
            }
        }
        Ok(values)
    }
}

struct Run<'a> {
    sources: &'a Sources<'a>,
    budget: &'a Budget<'a>,
    root: Option<ElementRef<'a>>,
    nodes: usize,
    decimals: Decimals,
    bytes_left: Cell<usize>,
    /// The text of the whole page.
    shown: OnceCell<String>,
}

/// The values of one field as they are found.
struct Found<'r> {
    field: &'r CompiledField<'r>,
    values: Vec<Value>,
}

impl<'a> Run<'a> {
    /// The value of a field within an element, or within the page.
    fn field(
        &self,
        field: &CompiledField<'_>,
        scope: Option<ElementRef<'a>>,
        parent: &str,
    ) -> Result<Option<Value>, Failure> {
        let path = if parent.is_empty() {
            field.name.to_owned()
        } else {
            format!("{parent}.{}", field.name)
        };
        for alternative in &field.alternatives {
            self.budget.check()?;
            let mut found = Found {
                field,
                values: Vec::new(),
            };
            if !field.broken {
                self.alternative(alternative, scope, &path, &mut found)?;
            }
            if field.field.multiple && !found.values.is_empty() {
                return Ok(Some(Value::Array(found.values)));
            }
            if let Some(value) = found.values.into_iter().next() {
                return Ok(Some(value));
            }
        }
        match &field.field.default {
            Some(default) => Ok(Some(default.clone())),
            None if field.field.required => Err(Failure::new(
                FailureCode::FieldMissing,
                format!("The page has no value for the required field {path}"),
            )),
            None => Ok(None),
        }
    }

    fn alternative(
        &self,
        alternative: &Alternative<'_>,
        scope: Option<ElementRef<'a>>,
        path: &str,
        found: &mut Found<'_>,
    ) -> Result<(), Failure> {
        match alternative {
            Alternative::Scope => {
                let _ = match self.scoped(scope, found.field) {
                    Some(element) => self.element(element, path, found)?,
                    None => self.offer(self.page(found.field), self.decimals, found)?,
                };
            }
            Alternative::Css(selector) => {
                let Some(root) = scope.or(self.root) else {
                    return Ok(());
                };
                select::each(root, selector, self.nodes, self.budget, |element| {
                    self.element(element, path, found)
                })?;
            }
            Alternative::JsonLd(json_path) => {
                for value in json_path.find(self.sources.json) {
                    if self.json(value, found)?.is_break() {
                        break;
                    }
                }
            }
            Alternative::Meta(name) => {
                let named = |meta: &&Meta<'_>| meta.name.eq_ignore_ascii_case(name);
                for meta in self.sources.metas.iter().filter(named) {
                    let attribute = found.field.field.attribute.as_deref();
                    let text = attribute.map_or(Some(meta.content), |name| meta.element.attr(name));
                    if self
                        .offer(text.unwrap_or_default(), Decimals::Point, found)?
                        .is_break()
                    {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// What `:scope` means: the element, or the root of the page; but a pattern that searches the
    /// page searches its source where it asks for that.
    fn scoped(
        &self,
        scope: Option<ElementRef<'a>>,
        compiled: &CompiledField<'_>,
    ) -> Option<ElementRef<'a>> {
        let field = compiled.field;
        let searches = field.kind == FieldKind::Regex && field.attribute.is_none();
        scope.or(self.root.filter(|_| !searches))
    }

    /// The page as a whole: what it shows, or its source.
    fn page(&self, field: &CompiledField<'_>) -> &str {
        if field.field.source == Source::Html {
            return self.sources.source;
        }
        match self.root {
            Some(root) => self.shown.get_or_init(|| text_of(*root, MAX_SEARCHED)),
            None => self.sources.source,
        }
    }

    fn element(
        &self,
        element: ElementRef<'a>,
        path: &str,
        found: &mut Found<'_>,
    ) -> Result<ControlFlow<()>, Failure> {
        self.budget.check()?;
        let compiled = found.field;
        let field = compiled.field;
        if !compiled.fields.is_empty() {
            let mut object = Map::new();
            for inner in &compiled.fields {
                if let Some(value) = self.field(inner, Some(element), path)? {
                    object.insert(inner.name.to_owned(), value);
                }
            }
            if object.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            return Ok(self.keep(Value::Object(object), found));
        }
        if let Some(name) = field
            .attribute
            .as_deref()
            .or_else(|| telling(element, field.data_type))
        {
            let Some(value) = element.attr(name) else {
                return Ok(ControlFlow::Continue(()));
            };
            // `checked`, `disabled`: there without a value means yes.
            let present =
                field.data_type == DataType::Boolean && (value.is_empty() || value == name);
            let value = if present { "true" } else { value };
            return self.offer(value, Decimals::Point, found);
        }
        let limit = if compiled.pattern.is_some() {
            MAX_SEARCHED
        } else {
            MAX_VALUE
        };
        let text = match field.source {
            Source::Text => text_of_selected(element, limit),
            Source::Html => element.inner_html(),
        };
        // "Read more" resolves against the page like any word, and is still no address.
        let is_word = !["http://", "https://", "/"]
            .iter()
            .any(|start| text.starts_with(start));
        if field.data_type == DataType::Url && compiled.pattern.is_none() && is_word {
            return Ok(ControlFlow::Continue(()));
        }
        self.offer(&text, self.decimals, found)
    }

    fn json(&self, value: &Value, found: &mut Found<'_>) -> Result<ControlFlow<()>, Failure> {
        if found.field.pattern.is_some() {
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            return self.offer(&text, Decimals::Point, found);
        }
        let converted = convert::json(
            value,
            found.field.field.data_type,
            self.context(Decimals::Point),
        );
        Ok(match converted {
            Some(value) => self.keep(value, found),
            None => ControlFlow::Continue(()),
        })
    }

    /// Takes a text through the pattern and the conversion.
    fn offer(
        &self,
        text: &str,
        decimals: Decimals,
        found: &mut Found<'_>,
    ) -> Result<ControlFlow<()>, Failure> {
        let compiled = found.field;
        let Some(pattern) = &compiled.pattern else {
            return Ok(self.convert(text, decimals, found));
        };
        let all =
            compiled.field.multiple && (compiled.field.kind == FieldKind::Regex || pattern.global);
        for text in pattern.find(text) {
            self.budget.check()?;
            if self.convert(text, decimals, found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if !all {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn convert(&self, text: &str, decimals: Decimals, found: &mut Found<'_>) -> ControlFlow<()> {
        let text = &text[..text.floor_char_boundary(MAX_VALUE)];
        match convert::text(text, found.field.field.data_type, self.context(decimals)) {
            Some(value) => self.keep(value, found),
            None => ControlFlow::Continue(()),
        }
    }

    fn context(&self, decimals: Decimals) -> Context<'a> {
        Context {
            addresses: self.sources.addresses,
            decimals,
        }
    }

    /// Adds a value, and breaks where no more are wanted or the page's allowance is spent.
    fn keep(&self, value: Value, found: &mut Found<'_>) -> ControlFlow<()> {
        // The texts in an object were paid for as they were found.
        let bytes = VALUE_BYTES + value.as_str().map_or(0, str::len);
        let Some(left) = self.bytes_left.get().checked_sub(bytes) else {
            return ControlFlow::Break(());
        };
        self.bytes_left.set(left);
        found.values.push(value);
        if found.field.field.multiple && found.values.len() < MAX_VALUES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// The attribute in which an element says for machines what its text says for people.
fn telling(element: ElementRef<'_>, data_type: DataType) -> Option<&'static str> {
    let has = |name: &'static str| element.attr(name).map(|_| name);
    match (element.value().name(), data_type) {
        ("meta", _) => Some("content"),
        ("time", DataType::Date) => has("datetime"),
        (_, DataType::Url) => has("href").or_else(|| has("src")),
        _ => None,
    }
}
