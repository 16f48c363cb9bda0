//! Keeps web pages away from the API: a browser that was led to 127.0.0.1 by another name says that
//! name in `Host`. Refuses every request that does not name this machine as itself.

use axum::extract::Request;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets a request pass that is meant for a loopback name or address.
pub async fn only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let named = match host.map(|host| host.to_str()) {
        // HTTP/1.0 and absolute forms name no host, or another way; browsers always do.
        None => true,
        Some(Ok(host)) => is_loopback(host),
        Some(Err(_)) => false,
    };
    if named {
        return next.run(request).await;
    }
    let body = r#"{"error":"Misdirected request","details":"this service answers to 127.0.0.1 and localhost alone"}"#;
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::MISDIRECTED_REQUEST, json, body).into_response()
}

fn is_loopback(host: &str) -> bool {
    let Ok(uri) = host.parse::<Uri>() else {
        return false;
    };
    let name = uri.host().unwrap_or_default();
    let address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in [
            "127.0.0.1:3000",
            "localhost",
            "LOCALHOST:1",
            "[::1]:3000",
            "127.0.0.9",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:3000",
            "localhost.evil.example",
            "",
            "10.0.0.1",
            "[::2]:1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
