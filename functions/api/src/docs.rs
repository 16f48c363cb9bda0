//! `GET /docs`: the OpenAPI document as one page to read, without scripts and without another host.
//! Refuses to know anything that the document does not say.

mod schema;

use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::openapi;

/// Nothing is loaded from anywhere; the page's own style is all there is.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("docs.css");

pub(crate) async fn serve() -> Response {
    static PAGE: OnceLock<String> = OnceLock::new();
    let page = PAGE.get_or_init(|| page(openapi::document()));
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

/// Text as HTML that shows it, in elements and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A description: its paragraphs, and what it sets between backticks.
fn prose(text: Option<&Value>) -> String {
    let paragraphs = text.and_then(Value::as_str).unwrap_or_default();
    let paragraphs = paragraphs.split("\n\n").filter(|it| !it.trim().is_empty());
    paragraphs
        .map(|it| format!("<p>{}</p>", line(it)))
        .collect()
}

/// One paragraph of a description.
fn line(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escaped(part);
        html += &if index % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part
        };
    }
    html
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value as JSON, to be read.
fn example(title: &str, value: &Value) -> String {
    format!(
        "<h4>{title}</h4><pre>{}</pre>",
        escaped(&format!("{value:#}"))
    )
}

/// A table, where it has rows.
fn table(title: &str, columns: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns: String = columns.iter().map(|it| format!("<th>{it}</th>")).collect();
    let rows: String = rows.iter().map(|it| format!("<tr>{it}</tr>")).collect();
    let title = match title {
        "" => String::new(),
        title => format!("<h4>{title}</h4>"),
    };
    format!("{title}<div class=scroll><table><tr>{columns}</tr>{rows}</table></div>")
}

/// An operation and where it stands.
struct Operation<'d> {
    method: String,
    path: &'d str,
    what: &'d Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        escaped(text(&self.what["operationId"]))
    }

    fn title(&self) -> String {
        let (method, path) = (&self.method, escaped(self.path));
        format!("<span class=method>{method}</span> <code>{path}</code>")
    }

    fn section(&self) -> String {
        let what = self.what;
        let summary = line(text(&what["summary"]));
        let body = entries(&what["requestBody"]["content"]).map(|(kind, content)| {
            let shape = schema::name(&content["schema"]);
            let given = examples(content);
            format!(
                "<h4>Body</h4><p>{shape} as <code>{}</code></p>{given}",
                escaped(kind)
            )
        });
        let parameters: Vec<_> = items(&what["parameters"]).map(parameter).collect();
        let responses: Vec<_> = entries(&what["responses"])
            .map(|(status, response)| self::response(status, response))
            .collect();
        let columns = ["name", "in", "type", "meaning"];
        format!(
            "<section id=\"{}\"><h3>{}</h3><p>{summary}</p>{}{}{}{}{}</section>",
            self.anchor(),
            self.title(),
            prose(what.get("description")),
            keys(what.get("security")),
            table("Parameters", &columns, &parameters),
            body.collect::<String>(),
            table("Answers", &["status", "body", "meaning"], &responses),
        )
    }
}

/// How a call is authorised where it says so itself.
fn keys(security: Option<&Value>) -> String {
    let Some(ways) = security.and_then(Value::as_array) else {
        return String::new();
    };
    let names = ways.iter().flat_map(entries).map(|(name, _)| escaped(name));
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "<p class=soft>Needs no key.</p>".to_owned(),
        names => format!("<p class=soft>Key: {}</p>", names.join(" or ")),
    }
}

fn parameter(parameter: &Value) -> String {
    let shape = schema::shape(&parameter["schema"]);
    let required = match parameter["required"].as_bool() {
        Some(true) => "<br><span class=soft>required</span>",
        _ => "",
    };
    let given = match &parameter["example"] {
        Value::Null => String::new(),
        given => format!(
            "<p class=soft>for example <code>{}</code></p>",
            escaped(text(given))
        ),
    };
    format!(
        "<td><code>{}</code>{required}</td><td>{}</td><td>{shape}</td><td>{}{given}</td>",
        escaped(text(&parameter["name"])),
        escaped(text(&parameter["in"])),
        prose(parameter.get("description")),
    )
}

fn response(status: &str, response: &Value) -> String {
    let contents: Vec<_> = entries(&response["content"]).collect();
    let bodies = contents.iter().map(|(kind, content)| {
        let shape = schema::name(&content["schema"]);
        match kind.as_str() {
            "application/json" => shape,
            other => format!("{shape} <span class=soft>{}</span>", escaped(other)),
        }
    });
    let bodies: Vec<_> = bodies.collect();
    let headers = entries(&response["headers"]).map(|(name, header)| {
        let meaning = line(text(&header["description"]));
        format!(
            "<p><code>{}</code> <span class=soft>{meaning}</span></p>",
            escaped(name)
        )
    });
    let headers: String = headers.collect();
    let given: String = contents
        .iter()
        .map(|(_, content)| examples(content))
        .collect();
    format!(
        "<td><code>{}</code></td><td>{}</td><td>{}{headers}{given}</td>",
        escaped(status),
        bodies.join("<br>"),
        prose(response.get("description")),
    )
}

/// The examples of a body.
fn examples(content: &Value) -> String {
    let named = entries(&content["examples"]).map(|(name, given)| {
        let title = given["summary"].as_str().unwrap_or(name);
        example(&escaped(title), &given["value"])
    });
    let single = content
        .get("example")
        .map(|given| example("Example", given));
    named.chain(single).collect()
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = entries(&document["paths"]).flat_map(|(path, item)| {
        let methods = entries(item).filter(|(_, what)| what.get("responses").is_some());
        methods.map(move |(method, what)| Operation {
            method: method.to_uppercase(),
            path,
            what,
        })
    });
    paths.collect()
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
    let mut groups = String::new();
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
        groups += &format!("<h2>{}</h2>{meaning}{members}", escaped(tag));
    }
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
