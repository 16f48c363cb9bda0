//! From what went wrong on the wire to a stable code and one sentence. Refuses to repeat what the
//! server or the request said: no header, no path, no certificate's text gets into a sentence.

use std::error::Error;
use std::io;

use jobs::{Failure, FailureCode};
use rustls::CertificateError;

use super::client::Clocks;
use super::guard::Refused;

/// How far a fetch had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Up to the end of the answer's headers.
    Answer,
    Body,
}

/// Names the failure that `error` is, as seen from a fetch of `host`.
pub(super) fn classify(
    error: &reqwest::Error,
    host: &str,
    phase: Phase,
    clocks: Clocks,
) -> Failure {
    use FailureCode::{AddressRefused, Connect, Dns, InvalidResponse, Timeout, Tls};

    if let Some(refused) = cause::<Refused>(error) {
        return refused.clone().into();
    }
    let (code, sentence) = if error.is_builder() {
        (
            AddressRefused,
            "The address cannot be written as a request".to_owned(),
        )
    } else if error.is_timeout() && error.is_connect() {
        (
            Timeout,
            format!("No connection to {host} within {:?}", clocks.connect),
        )
    } else if error.is_timeout() && phase == Phase::Answer {
        (
            Timeout,
            format!("{host} gave no answer within {:?}", clocks.read),
        )
    } else if error.is_timeout() {
        (Timeout, format!("{host} fell silent for {:?}", clocks.read))
    } else if let Some(error) = cause::<rustls::Error>(error) {
        (Tls, of_tls(error, host))
    } else if error.is_dns() {
        (Dns, format!("The name {host} does not resolve"))
    } else if error.is_connect() {
        (Connect, format!("No connection to {host}"))
    } else if is_broken_off(error) {
        (Connect, format!("{host} broke off the connection"))
    } else if phase == Phase::Answer && is_hung_up(error) {
        (
            Connect,
            format!("{host} closed the connection without an answer"),
        )
    } else if phase == Phase::Body {
        (
            InvalidResponse,
            format!("The body that {host} sent is incomplete or does not decode"),
        )
    } else {
        (InvalidResponse, format!("What {host} answered is not HTTP"))
    };
    Failure::new(code, sentence)
}

fn of_tls(error: &rustls::Error, host: &str) -> String {
    use CertificateError as Reason;

    let rustls::Error::InvalidCertificate(reason) = error else {
        return format!("The TLS handshake with {host} failed");
    };
    let why = match reason {
        Reason::Expired | Reason::ExpiredContext { .. } => "has expired",
        Reason::NotValidYet | Reason::NotValidYetContext { .. } => "is not valid yet",
        Reason::NotValidForName | Reason::NotValidForNameContext { .. } => "is for another name",
        Reason::UnknownIssuer => "is from an issuer that we do not know",
        Reason::Revoked => "is revoked",
        _ => "is not valid",
    };
    format!("The certificate of {host} {why}")
}

fn is_broken_off(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        })
}

/// Whether the server hung up: before the request, or before the end of the answer's head.
fn is_hung_up(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(|error| error.is_incomplete_message() || error.is_closed())
}

/// The first error of type `T` beneath `error`.
fn cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// `error` and everything beneath it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |cause| {
        beneath(*cause)
    })
}

/// What caused `error`.
///
/// An `io::Error` gives as its source that of the error inside it, and so would hide the latter.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
