//! What the answer of a receiver, or none, means for a delivery: a pure rule. Refuses to know when
//! another attempt is made.

use std::time::Duration;

use crate::failure::{Failure, FailureCode};
use crate::ports::Posted;
use crate::time::Timestamp;
use crate::webhook::{Attempt, Ending, Outcome};

/// What an answer, or none, means for the delivery.
pub(super) fn outcome(at: Timestamp, took: Duration, posted: Result<Posted, Failure>) -> Outcome {
    let (status, error, answer, ending) = match posted {
        Ok(Posted {
            status: status @ 200..=299,
            ..
        }) => (Some(status), None, None, Ending::Delivered),
        Ok(posted) => {
            let Posted {
                status,
                retry_after,
                excerpt,
            } = posted;
            let error = match status {
                410 => "http_410: the receiver does not want to be asked again".to_owned(),
                300..=399 => {
                    format!("http_{status}: the receiver redirects, which is not followed")
                }
                _ => format!("http_{status}: the receiver answered {status}"),
            };
            let ending = match status {
                410 => Ending::Final,
                _ => Ending::Retry { retry_after },
            };
            let answer = (!excerpt.is_empty()).then_some(excerpt);
            (Some(status), Some(error), answer, ending)
        }
        Err(failure) => {
            let ending = match failure.code {
                FailureCode::AddressRefused => Ending::Final,
                _ => Ending::Retry { retry_after: None },
            };
            (None, Some(failure.to_string()), None, ending)
        }
    };
    let duration_ms = took.as_millis() as u64;
    let attempt = Attempt {
        at,
        duration_ms,
        status,
        error,
        answer,
    };
    Outcome { attempt, ending }
}

/// The end of a delivery for which nothing can be posted.
pub(super) fn given_up(why: &str, at: Timestamp) -> Outcome {
    Outcome {
        attempt: Attempt {
            at,
            duration_ms: 0,
            status: None,
            error: Some(why.to_owned()),
            answer: None,
        },
        ending: Ending::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(posted: Result<Posted, Failure>) -> Ending {
        outcome(Timestamp::default(), Duration::ZERO, posted).ending
    }

    fn answered(status: u16) -> Posted {
        Posted {
            status,
            retry_after: Some(Duration::from_secs(7)),
            excerpt: String::new(),
        }
    }

    #[test]
    fn only_2xx_is_delivered_and_only_410_ends_it_at_once() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(ending(Ok(answered(status))), Ending::Delivered, "{status}");
        }
        let retry_after = Some(Duration::from_secs(7));
        for status in [
            100, 199, 300, 301, 304, 307, 400, 401, 404, 409, 429, 500, 503, 999,
        ] {
            assert_eq!(
                ending(Ok(answered(status))),
                Ending::Retry { retry_after },
                "{status}"
            );
        }
        assert_eq!(ending(Ok(answered(410))), Ending::Final);
    }

    #[test]
    fn a_refused_address_is_not_tried_again_and_all_other_trouble_may_pass() {
        for (code, name) in FailureCode::NAMED {
            let expected = match code {
                FailureCode::AddressRefused => Ending::Final,
                _ => Ending::Retry { retry_after: None },
            };
            assert_eq!(ending(Err(Failure::new(code, "x"))), expected, "{name}");
        }
    }
}
