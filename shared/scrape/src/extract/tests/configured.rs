//! Fields that a configuration asks for.

use jobs::{Extraction, FailureCode};
use serde_json::{Value, json};

use super::{fields, read_as};
use crate::extract::{Kind, check};

const PRODUCT: &str = include_str!("pages/product.html");

#[test]
fn a_css_field_gives_the_first_match_or_all() {
    let found = fields(
        PRODUCT,
        &json!({
            "title": {"selector": "h1"},
            "names": {"selector": ".variant b", "multiple": true},
            "none": {"selector": ".missing"},
            "root": {"selector": "html", "attribute": "lang"},
        }),
    );
    assert_eq!(
        found,
        json!({"title": "Tischlampe Ada", "names": ["Rot", "Blau"], "root": "de"})
    );
}

#[test]
fn the_first_selector_that_yields_a_value_wins() {
    let found = fields(
        PRODUCT,
        &json!({
            "a": {"selector": [".missing", "h1", "b"]},
            "b": {"selector": ["h1", ".price"], "dataType": "number"},
            "c": {"selector": [".missing"], "default": 5},
            "d": {"selector": "h1", "dataType": "number", "default": null},
        }),
    );
    assert_eq!(found, json!({"a": "Tischlampe Ada", "b": 1234.5, "c": 5}));
}

#[test]
fn values_convert_by_type_in_the_language_of_the_page() {
    let found = fields(
        PRODUCT,
        &json!({
            "price": {"selector": ".price", "dataType": "number"},
            "stock": {"selector": ".stock", "attribute": "data-available", "dataType": "boolean"},
            "gift": {"selector": ".gift", "attribute": "checked", "dataType": "boolean"},
            "seen": {"selector": "time", "dataType": "date"},
            "link": {"selector": ".variant a", "dataType": "url"},
            "image": {"selector": ".hero", "attribute": "src", "dataType": "url"},
            "raw": {"selector": ".hero", "attribute": "src"},
            "word": {"selector": "h1", "dataType": "url"},
        }),
    );
    assert_eq!(
        found,
        json!({
            "price": 1234.5, "stock": true, "gift": true, "seen": "2024-03-05",
            "link": "https://example.com/de/p/rot#top", "image": "https://example.com/de/i/ada.jpg",
            "raw": "i/ada.jpg",
        })
    );
}

#[test]
fn nested_fields_are_read_within_each_element() {
    let variant = json!({
        "name": {"selector": "b"},
        "cost": {"selector": ".cost", "dataType": "number"},
        "kind": {"selector": ":scope", "attribute": "class"},
    });
    let found = fields(
        PRODUCT,
        &json!({
            "all": {"selector": ".variant", "multiple": true, "fields": variant},
            "one": {"selector": ".variant", "fields": variant},
            "lists": {"selector": "ul", "multiple": true, "fields": {
                "items": {"selector": "li", "multiple": true, "fields": {"name": {"selector": "b"}}},
            }},
        }),
    );
    let red = json!({"name": "Rot", "cost": 19.9, "kind": "variant"});
    assert_eq!(
        found,
        json!({
            "all": [red, {"name": "Blau", "kind": "variant"}, {"kind": "variant"}],
            "one": red,
            "lists": [{"items": [{"name": "Rot"}, {"name": "Blau"}]}],
        })
    );
}

#[test]
fn linked_data_and_metadata_are_read_by_name() {
    let found = fields(
        PRODUCT,
        &json!({
            "name": {"type": "jsonld", "selector": "Product.name"},
            "price": {"type": "jsonld", "selector": ["Product.cost", "Product.offers.price"], "dataType": "number"},
            "prices": {"type": "jsonld", "selector": "Product.offers.price", "dataType": "number", "multiple": true},
            "image": {"type": "jsonld", "selector": "Product.image[1]", "dataType": "url"},
            "offer": {"type": "jsonld", "selector": "Product.offers[1]"},
            "amount": {"type": "meta", "selector": "Product:Price:Amount", "dataType": "number"},
        }),
    );
    assert_eq!(
        found,
        json!({
            "name": "Ada", "price": 1234.5, "prices": [1234.5, 99], "image": "https://example.com/de/b.jpg",
            "offer": {"@type": "Offer", "price": "99.00", "priceCurrency": "EUR"}, "amount": 1234.5,
        })
    );
}

#[test]
fn a_pattern_searches_the_page_its_source_or_an_element() {
    let found = fields(
        PRODUCT,
        &json!({
            "height": {"type": "regex", "pattern": "Höhe (\\d+)", "dataType": "number"},
            "stock": {"type": "regex", "pattern": "\"stock\": (\\d+)", "source": "html", "dataType": "number"},
            "unseen": {"type": "regex", "pattern": "\"stock\": (\\d+)"},
            "numbers": {"type": "regex", "selector": ".facts", "pattern": "\\d+", "multiple": true},
            "variants": {"type": "regex", "selector": "script", "pattern": "\"(rot|blau)\"", "multiple": true},
        }),
    );
    assert_eq!(
        found,
        json!({
            "height": 32, "stock": 17, "numbers": ["32", "1", "2"], "variants": ["rot", "blau"],
        })
    );
}

#[test]
fn a_pattern_filters_what_other_kinds_find() {
    let found = fields(
        PRODUCT,
        &json!({
            "colours": {"selector": ".variant", "multiple": true, "pattern": "^(ROT|BLAU)", "flags": "i"},
            "letters": {"selector": ".variant b", "multiple": true, "pattern": "[a-z]", "flags": "g"},
            "first": {"selector": ".variant b", "pattern": "l.*"},
            "year": {"type": "jsonld", "selector": "Product.sku", "pattern": "\\d+", "dataType": "number"},
            "none": {"selector": "h1", "pattern": "\\d"},
        }),
    );
    assert_eq!(
        found,
        json!({
            "colours": ["Rot", "Blau"], "letters": ["o", "t", "l", "a", "u"], "first": "lau", "year": 1,
        })
    );
}

#[test]
fn the_html_of_an_element_is_its_content() {
    let found = fields(
        PRODUCT,
        &json!({"title": {"selector": "h1", "source": "html"}}),
    );
    assert_eq!(found, json!({"title": "Tischlampe <em>Ada</em>"}));
}

#[test]
fn a_required_field_without_a_value_fails_the_page_by_its_path() {
    let failure = |fields: &Value| {
        let config = json!({"fields": fields});
        read_as(Kind::Html, PRODUCT, &config).map(|page| page.fields.len())
    };
    let missing = failure(&json!({"a": {"selector": "h5", "required": true}})).unwrap_err();
    assert_eq!(missing.code, FailureCode::FieldMissing);
    assert_eq!(
        missing.message,
        "The page has no value for the required field a"
    );
    let nested = failure(
        &json!({"items": {"selector": ".variant", "multiple": true, "fields": {
            "cost": {"selector": ".cost", "dataType": "number", "required": true},
        }}}),
    )
    .unwrap_err();
    assert_eq!(
        nested.message,
        "The page has no value for the required field items.cost"
    );
    let satisfied = json!({"a": {"selector": "h5", "required": true, "default": ""}});
    assert_eq!(failure(&satisfied), Ok(1));
}

#[test]
fn what_does_not_compile_is_named_by_its_path() {
    let config = json!({"fields": {
        "a": {"selector": "p >", "fields": {"b": {"selector": ["b", "c::", "[", ":contains(x)"]}}},
        "c": {"type": "regex", "pattern": "(", "selector": "p"},
        "d": {"selector": "p", "pattern": "a(b)", "group": 2},
        "e": {"type": "jsonld", "selector": "a[x]"},
        "fine": {"selector": ["p:has(> b)", ":scope > i", "a[href^='/']:not(.x)"], "pattern": "a+", "flags": "gimsux"},
    }});
    let (extraction, problems) = Extraction::parse(&config);
    assert_eq!(problems, []);
    let problems = check(&extraction);
    let paths: Vec<_> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "config.fields.a.selector",
            "config.fields.a.fields.b.selector[1]",
            "config.fields.a.fields.b.selector[2]",
            "config.fields.a.fields.b.selector[3]",
            "config.fields.c.pattern",
            "config.fields.d.group",
            "config.fields.e.selector",
        ]
    );
    for problem in &problems {
        assert!(problem.message.starts_with("must be"), "{problem}");
        assert!(!problem.message.contains('\n'), "{problem}");
    }
}

#[test]
fn what_does_not_compile_finds_nothing_and_its_neighbours_do() {
    let found = fields(
        PRODUCT,
        &json!({
            "a": {"selector": ["h1[", "h1"]},
            "b": {"selector": "h1", "pattern": "("},
            "c": {"selector": ".stock"},
        }),
    );
    assert_eq!(found, json!({"a": "Tischlampe Ada", "c": "Lieferbar"}));
}

#[test]
fn lists_and_values_are_bounded() {
    let items = format!("<p>{}</p>", "x".repeat(5_000)).repeat(1_500);
    let found = fields(&items, &json!({"all": {"selector": "p", "multiple": true}}));
    let kept = found["all"].as_array().unwrap().len();
    assert!((400..=420).contains(&kept), "{kept}: 2 MB of 5 KB each");
    let short = "<p>x</p>".repeat(1_500);
    let found = fields(&short, &json!({"all": {"selector": "p", "multiple": true}}));
    assert_eq!(found["all"].as_array().unwrap().len(), 1_000);
    let long = format!("<p>{}", "x".repeat(300_000));
    let found = fields(&long, &json!({"one": {"selector": "p"}}));
    let kept = found["one"].as_str().unwrap().len();
    assert!((99_990..=100_000).contains(&kept), "{kept}");
}
