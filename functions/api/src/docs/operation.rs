//! One operation of the document as a section: its parameters, its body and its answers.

use serde_json::Value;

use super::html::{entries, escaped, example, items, line, prose, table, text};
use super::schema;

/// An operation and where it stands.
pub(super) struct Operation<'d> {
    method: String,
    path: &'d str,
    pub(super) what: &'d Value,
    document: &'d Value,
}

impl Operation<'_> {
    pub(super) fn anchor(&self) -> String {
        escaped(text(&self.what["operationId"]))
    }

    pub(super) fn title(&self) -> String {
        let (method, path) = (&self.method, escaped(self.path));
        format!("<span class=method>{method}</span> <code>{path}</code>")
    }

    /// The schema itself, where this is a reference to one.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let reference = schema["$ref"].as_str();
        let pointer = reference.and_then(|it| it.strip_prefix('#'));
        let found = pointer.and_then(|it| self.document.pointer(it));
        found.unwrap_or(schema)
    }

    pub(super) fn section(&self) -> String {
        let what = self.what;
        let summary = line(text(&what["summary"]));
        let body = entries(&what["requestBody"]["content"]).map(|(kind, content)| {
            let shape = schema::name(&content["schema"]);
            let fields = schema::of_fields(self.resolved(&content["schema"]));
            let given = examples(content);
            format!(
                "<h4>Body</h4><p>{shape} as <code>{}</code></p>{fields}{given}",
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

/// The operations of a document, by path.
pub(super) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = entries(&document["paths"]).flat_map(|(path, item)| {
        let methods = entries(item).filter(|(_, what)| what.get("responses").is_some());
        methods.map(move |(method, what)| Operation {
            method: method.to_uppercase(),
            path,
            what,
            document,
        })
    });
    paths.collect()
}
