//! Log lines as Lambda reads them: one JSON object each, on standard output, with `timestamp` and
//! `level`. An error is shown with all that led to it. Refuses to be set up twice.

use std::error::Error;
use std::fmt::{self, Debug};

use jobs::ports::Clock;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::host::SystemClock;

/// Sends this process's log lines to standard output.
pub fn start(level: LevelFilter) {
    let lines = tracing_subscriber::fmt().with_max_level(level);
    // Another subscriber is already there: it keeps the lines.
    let _ = lines.event_format(Lines).try_init();
}

struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line(Map::new());
        event.record(&mut line);
        let metadata = event.metadata();
        line.set("timestamp", SystemClock.now().to_string());
        line.set("level", metadata.level().as_str());
        line.set("target", metadata.target());
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

struct Line(Map<String, Value>);

impl Line {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

/// The error and everything that led to it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_json_object_with_the_whole_error_and_nothing_breaks_it() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt().event_format(Lines);
        let lines = lines.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(lines, || {
            let error = jobs::ports::PortError::Unavailable {
                part: "table",
                source: "no answer\nat all".into(),
            };
            let error: &dyn Error = &error;
            tracing::error!(error, job = %"a\"b", count = 3, absent = None::<&str>, "broken");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        let expected = [
            ("level", Value::from("ERROR")),
            ("message", Value::from("broken")),
            (
                "error",
                Value::from("the table cannot be reached: no answer\nat all"),
            ),
            ("job", Value::from("a\"b")),
            ("count", Value::from(3)),
            ("target", Value::from("aws::log::tests")),
        ];
        for (name, value) in expected {
            assert_eq!(line[name], value, "{text}");
        }
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
    }
}
