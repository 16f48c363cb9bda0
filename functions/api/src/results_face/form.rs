//! In which form results are answered: by `format`, else by `Accept`. What cannot be given is
//! answered as JSON, as RFC 9110, section 12.5.1 allows.

use axum::http::{HeaderMap, header};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Ndjson,
    Csv,
    Markdown,
}

/// A range of `Accept`, with its weight in thousandths.
struct Range {
    essence: String,
    weight: u16,
}

impl Form {
    /// In the order of our preference.
    pub(super) const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Markdown];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == text)
    }

    /// The `Content-Type` of an answer.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// Names by which it is asked for.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["application/json"],
            Self::Ndjson => &[
                "application/x-ndjson",
                "application/ndjson",
                "application/jsonl",
            ],
            Self::Csv => &["text/csv"],
            Self::Markdown => &["text/markdown"],
        }
    }

    /// The form that the client likes best; of several it likes the one that it names, and names
    /// first.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let ranges: Vec<_> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .filter_map(Range::parse)
            .collect();
        let wanted = Self::ALL.into_iter().filter_map(|form| {
            let (place, range) = form.range(&ranges)?;
            let named = range.detail();
            let first = std::cmp::Reverse(if named == 2 { place } else { usize::MAX });
            (range.weight > 0).then_some(((range.weight, named, first), form))
        });
        let best = wanted.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map_or(Self::Json, |(_, form)| form)
    }

    /// The most precise range that holds this form, and its place.
    fn range(self, ranges: &[Range]) -> Option<(usize, &Range)> {
        let holding = ranges.iter().enumerate().filter(|(_, it)| it.holds(self));
        holding.reduce(|best, next| {
            if next.1.detail() > best.1.detail() {
                next
            } else {
                best
            }
        })
    }
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim_end().eq_ignore_ascii_case("q").then_some(value)
        });
        let weight = match weight {
            None => 1.0,
            Some(text) => text.trim().parse::<f32>().ok()?,
        };
        (0.0..=1.0).contains(&weight).then(|| Self {
            essence,
            weight: (weight * 1_000.0).round() as u16,
        })
    }

    /// 0 for `*/*`, 1 for `text/*`, 2 for `text/csv`.
    fn detail(&self) -> u8 {
        match self.essence.as_str() {
            "*/*" => 0,
            other if other.ends_with("/*") => 1,
            _ => 2,
        }
    }

    fn holds(&self, form: Form) -> bool {
        let name = form.names()[0];
        match self.essence.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => name.split('/').next() == Some(kind),
            None => form.names().contains(&self.essence.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_is_liked_best() {
        let accepted = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, text.parse().unwrap());
            Form::accepted(&headers)
        };
        for (accept, form) in [
            ("*/*", Form::Json),
            ("", Form::Json),
            ("application/*", Form::Json),
            ("application/x-ndjson", Form::Ndjson),
            ("application/jsonl", Form::Ndjson),
            ("text/csv", Form::Csv),
            ("TEXT/CSV; header=present", Form::Csv),
            ("text/*", Form::Csv),
            ("text/markdown", Form::Markdown),
            ("text/markdown, */*", Form::Markdown),
            ("*/*, text/csv", Form::Csv),
            ("text/markdown, text/csv", Form::Markdown),
            ("text/csv;q=0.5, application/json;q=0.9", Form::Json),
            ("text/csv;q=0.5, application/json;q=0.4", Form::Csv),
            ("application/json;q=0, */*;q=0.1", Form::Ndjson),
            ("text/*;q=0.9, text/csv;q=0.1", Form::Markdown),
            ("application/json, text/plain, */*", Form::Json),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Form::Json,
            ),
            ("image/png", Form::Json),
            ("text/csv;q=nonsense, text/markdown;q=0.1", Form::Markdown),
            ("text/csv;q=0", Form::Json),
        ] {
            assert_eq!(accepted(accept), form, "{accept}");
        }
        assert_eq!(Form::accepted(&HeaderMap::new()), Form::Json);
    }
}
