//! Cursors: opaque, URL-safe, and checked when they come back. Each is bound to what was listed:
//! the jobs or schedules of a customer or of all, or the results or addresses of one job.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::spec::CustomerId;
use jobs::{JobId, ScheduleId};

/// What is listed of one job.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    Results,
    Urls,
}

fn owner(customer: Option<&CustomerId>) -> String {
    let owner = customer.map_or("*".to_owned(), CustomerId::digest);
    format!("2:{owner}:")
}

fn prefix(of: Of, job: &str) -> String {
    match of {
        Of::Results => format!("r:{job}:"),
        Of::Urls => format!("u:{job}:"),
    }
}

fn decoded(text: &str, prefix: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix(prefix).map(str::to_owned)
}

/// Of a list of jobs: go on before this one.
pub(crate) fn encode(before: &JobId, customer: Option<&CustomerId>) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{before}", owner(customer)))
}

pub(crate) fn decode(text: &str, customer: Option<&CustomerId>) -> Option<JobId> {
    JobId::parse(&decoded(text, &owner(customer))?)
}

/// Of a list of schedules: go on before this one.
pub(crate) fn encode_schedule(before: &ScheduleId, customer: Option<&CustomerId>) -> String {
    URL_SAFE_NO_PAD.encode(format!("s{}{before}", owner(customer)))
}

pub(crate) fn decode_schedule(text: &str, customer: Option<&CustomerId>) -> Option<ScheduleId> {
    ScheduleId::parse(&decoded(text, &format!("s{}", owner(customer)))?)
}

/// Of a list within one job: go on at this place.
pub(crate) fn encode_place(of: Of, job: &JobId, place: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{place}", prefix(of, job.as_str())))
}

/// The place, where the cursor was made for this list of the job whose id stands in the path.
pub(crate) fn decode_place<T: Display + FromStr>(of: Of, job: &str, text: &str) -> Option<T> {
    let place = decoded(text, &prefix(of, job))?;
    let parsed: T = place.parse().ok()?;
    // As we write it, and in no other spelling.
    (parsed.to_string() == place).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use jobs::Timestamp;
    use jobs::app::ResultsCursor;

    use super::*;

    #[test]
    fn a_cursor_leads_on_in_the_list_that_it_was_made_for_alone() {
        let [one, other] = [1, 2].map(|it| JobId::new(Timestamp::from_millis(5), it));
        let place = ResultsCursor {
            segment: 3,
            line: 17,
        };
        let text = encode_place(Of::Results, &one, place);
        assert!(
            text.bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
        );
        assert_eq!(decode_place(Of::Results, one.as_str(), &text), Some(place));
        assert_eq!(
            decode_place::<ResultsCursor>(Of::Results, other.as_str(), &text),
            None
        );
        assert_eq!(decode_place::<u32>(Of::Urls, one.as_str(), &text), None);
        let urls = encode_place(Of::Urls, &one, 9_u32);
        assert_eq!(decode_place(Of::Urls, one.as_str(), &urls), Some(9_u32));
        for place in ["+9", "09", "", "9 ", "-9", "99999999999"] {
            let text = URL_SAFE_NO_PAD.encode(format!("u:{one}:{place}"));
            assert_eq!(
                decode_place::<u32>(Of::Urls, one.as_str(), &text),
                None,
                "{place}"
            );
        }
        assert_eq!(decode_place::<u32>(Of::Urls, one.as_str(), "%%%"), None);
    }
}
