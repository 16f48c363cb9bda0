//! `GET /docs`: the OpenAPI document as one page to read, without scripts and without another host.
//! Refuses to know anything that the document does not say.

mod html;
mod operation;
mod schema;

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use html::{entries, escaped, items, line, prose, text};
use operation::{Operation, operations};
use serde_json::Value;

use crate::identity::Access;
use crate::{Api, openapi};

/// Nothing is loaded from anywhere; the page's own style is all there is.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("docs.css");

pub(crate) async fn serve(State(api): State<Api>) -> Response {
    static OPEN: OnceLock<String> = OnceLock::new();
    static KEYS: OnceLock<String> = OnceLock::new();
    let made = match api.access {
        Access::Open => &OPEN,
        Access::Keys => &KEYS,
    };
    let page = made.get_or_init(|| page(openapi::document(api.access)));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, page.as_str()).into_response()
}

/// How a client proves who it is.
fn authentication(document: &Value) -> String {
    let schemes = entries(&document["components"]["securitySchemes"]);
    let schemes = schemes.map(|(name, scheme)| {
        let meaning = prose(scheme.get("description"));
        format!("<p><code>{}</code></p>{meaning}", escaped(name))
    });
    let schemes: String = schemes.collect();
    if schemes.is_empty() {
        return "<p>No call needs a key.</p>".to_owned();
    }
    format!("<p>Send a key as <code>Authorization: Bearer KEY</code>.</p>{schemes}")
}

fn page(document: &Value) -> String {
    let info = &document["info"];
    let title = escaped(text(&info["title"]));
    let operations = operations(document);
    let link = |it: &Operation<'_>| {
        let summary = line(text(&it.what["summary"]));
        let (anchor, title) = (it.anchor(), it.title());
        format!("<li><a href=\"#{anchor}\">{title}</a> <span class=soft>{summary}</span></li>")
    };
    let mut groups = Vec::new();
    let mut tags: Vec<&str> = items(&document["tags"])
        .map(|tag| text(&tag["name"]))
        .collect();
    for operation in &operations {
        let tag = text(&operation.what["tags"][0]);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    for tag in tags {
        let described = items(&document["tags"]).find(|it| it["name"] == tag);
        let members = operations
            .iter()
            .filter(|it| text(&it.what["tags"][0]) == tag);
        let members: String = members.map(Operation::section).collect();
        let meaning = prose(described.and_then(|it| it.get("description")));
        groups.push(format!("<h2>{}</h2>{meaning}{members}", escaped(tag)));
    }
    let groups = groups.concat();
    let schemas = entries(&document["components"]["schemas"]);
    let schemas: String = schemas
        .map(|(name, it)| schema::section(name, it))
        .collect();
    format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\
         <header><h1>{title}</h1><p class=soft>Version {} · <a href=\"/openapi.json\">OpenAPI {}</a></p>{}</header>\
         <nav><h2>Calls</h2><ul>{}</ul></nav>\
         <main><h2 id=authentication>Authentication</h2>{}{groups}<h2 id=schemas>Shapes</h2>{schemas}</main></body></html>",
        escaped(text(&info["version"])),
        escaped(text(&document["openapi"])),
        prose(info.get("description")),
        operations.iter().map(link).collect::<String>(),
        authentication(document),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_in_a_document_becomes_markup() {
        let evil = "<img src=x onerror=\"alert('&')\">";
        let document = json!({
            "openapi": evil, "info": {"title": evil, "version": evil, "description": evil},
            "paths": {evil: {"get": {
                "operationId": evil, "summary": evil, "description": evil, "tags": [evil],
                "security": [{evil: []}],
                "parameters": [{"name": evil, "in": evil, "description": evil, "example": evil,
                    "schema": {"type": evil, "pattern": evil, "enum": [evil], "format": evil, "default": evil}}],
                "requestBody": {"content": {evil: {"schema": {"$ref": evil}, "example": evil,
                    "examples": {evil: {"value": evil}}}}},
                "responses": {evil: {"description": evil, "headers": {evil: {"description": evil}},
                    "content": {evil: {"schema": {"$ref": evil}}}}},
            }}},
            "components": {
                "schemas": {evil: {"type": "object", "description": evil, "example": evil,
                    "properties": {evil: {"type": "string", "description": evil}},
                    "propertyNames": {"pattern": evil}, "additionalProperties": {"$ref": evil}}},
                "securitySchemes": {evil: {"description": evil}},
            },
        });
        let page = page(&document);
        assert!(page.contains("&lt;img"));
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("onerror=\""), "{page}");
    }
}
