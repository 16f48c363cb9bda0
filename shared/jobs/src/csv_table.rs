//! Results as a table in CSV (RFC 4180): a row a page, in columns that are the same for the whole
//! job. Refuses to write a text that a spreadsheet would take for a formula.

use csv::{Terminator, WriterBuilder};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::extraction::Extraction;
use crate::spec::Spec;

/// Most bytes of a row. With its envelope one row fits an answer below 4 MB.
pub const MOST_ROW: usize = 3_900_000;

/// Columns of every page, by the names of its fields.
const COLUMNS: [&str; 16] = [
    "url",
    "finalUrl",
    "status",
    "title",
    "description",
    "language",
    "contentType",
    "canonical",
    "contentHash",
    "etag",
    "lastModified",
    "fetchedAt",
    "durationMs",
    "bytes",
    "jsRequired",
    "truncated",
];
/// Between those and the fields of the job's own.
const CHANGE: &str = "change";
const TEXT: &str = "text";
/// What makes a cell a formula somewhere, at its beginning. The last four are the wide forms of the
/// first four.
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Columns of a job's results, and the writer of their rows.
pub struct Table {
    columns: Vec<&'static str>,
    /// Names in `fields`.
    fields: Vec<String>,
    /// Most bytes of a row.
    most: usize,
}

impl Table {
    /// The table of a job; a row that would have more than [`MOST_ROW`] bytes is cut short and says
    /// so in `truncated`.
    pub fn of(spec: &Spec) -> Self {
        Self::with_fields(spec, &spec.config)
    }

    /// As [`Table::of`], with the fields of another configuration than the job's own.
    pub fn with_fields(spec: &Spec, config: &Extraction) -> Self {
        let change = spec.refresh.is_some().then_some(CHANGE);
        let columns = COLUMNS.into_iter().chain(change).chain([TEXT]);
        Self {
            columns: columns.collect(),
            fields: config.fields.keys().cloned().collect(),
            most: MOST_ROW,
        }
    }

    /// The names of the columns, as the first row.
    pub fn header(&self) -> Result<Vec<u8>, Error> {
        let fields = self.fields.iter().map(|name| format!("fields.{name}"));
        let columns = self.columns.iter().map(|name| (*name).to_owned());
        row(&columns.chain(fields).collect::<Vec<_>>())
    }

    /// The row of a page, which is given as JSON.
    pub fn row(&self, page: &[u8]) -> Result<Vec<u8>, Error> {
        let page: Map<String, Value> =
            serde_json::from_slice(page).map_err(|error| Error::Corrupt(error.to_string()))?;
        let own = page.get("fields");
        let fields = self
            .fields
            .iter()
            .map(|name| own.and_then(|it| it.get(name)));
        let columns = self.columns.iter().map(|name| page.get(*name));
        let mut cells: Vec<_> = columns.chain(fields).map(cell).collect();
        loop {
            let bytes = row(&cells)?;
            if bytes.len() <= self.most || !self.halve(&mut cells) {
                return Ok(bytes);
            }
        }
    }

    /// Leaves out half of the longest cell; `false` where that is no help.
    fn halve(&self, cells: &mut [String]) -> bool {
        let Some(longest) = cells.iter_mut().max_by_key(|cell| cell.len()) else {
            return false;
        };
        if longest.len() < 64 {
            return false;
        }
        longest.truncate(longest.floor_char_boundary(longest.len() / 2));
        let truncated = self.columns.iter().position(|name| *name == "truncated");
        if let Some(cell) = truncated.and_then(|index| cells.get_mut(index)) {
            "true".clone_into(cell);
        }
        true
    }
}

/// A value as a cell. Numbers are left as they are: no number is a formula.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(FORMULA) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn row(cells: &[String]) -> Result<Vec<u8>, Error> {
    let corrupt = |error: &dyn std::error::Error| Error::Corrupt(error.to_string());
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    writer
        .write_record(cells)
        .map_err(|error| corrupt(&error))?;
    writer.into_inner().map_err(|error| corrupt(&error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(most: usize) -> Table {
        Table {
            columns: vec!["url", "status", "truncated", "text"],
            fields: vec!["a".to_owned(), "b, c".to_owned()],
            most,
        }
    }

    fn written(most: usize, page: &Value) -> String {
        let row = table(most).row(page.to_string().as_bytes()).unwrap();
        String::from_utf8(row).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        let header = table(1_000).header().unwrap();
        let expected = b"url,status,truncated,text,fields.a,\"fields.b, c\"\r\n";
        assert_eq!(header, expected);
        let page = json!({
            "url": "http://a.example/", "status": 200, "text": "a \"b\",\r\nc",
            "fields": {"a": [1, "x"], "b, c": null, "other": 1},
        });
        let expected = "http://a.example/,200,,\"a \"\"b\"\",\r\nc\",\"[1,\"\"x\"\"]\",\r\n";
        assert_eq!(written(1_000, &page), expected);
    }

    #[test]
    fn nothing_in_a_page_becomes_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{ff1d}1",
        ] {
            let page = json!({"url": text, "text": text, "fields": {"a": text, "b, c": [text]}});
            let row = written(1_000, &page);
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader.has_headers(false).from_reader(row.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            for index in [0, 3, 4] {
                assert_eq!(record[index], format!("'{text}"), "{text:?}");
            }
            assert!(record[5].starts_with('['), "{text:?}");
        }
        let page = json!({"url": "x", "status": -1, "fields": {"a": -2.5}});
        assert_eq!(written(1_000, &page), "x,-1,,,-2.5,\r\n");
    }

    #[test]
    fn a_row_is_cut_short_where_it_would_be_too_long() {
        let page = json!({"url": "http://a.example/", "text": "\"é".repeat(10_000)});
        let row = written(5_000, &page);
        assert!(row.len() <= 5_000 && row.len() > 2_000, "{}", row.len());
        assert!(row.starts_with("http://a.example/,,true,"));
    }
}
