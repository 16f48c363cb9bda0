//! A running service, asked with a key: over TLS wherever it is, over plain HTTP on this machine
//! alone. Refuses to send a key where others could read it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::http::{HeaderValue, Uri, header};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Answer, exchange};

/// From connecting to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key would be sent where others could read it.
#[derive(Debug)]
pub struct Insecure;

impl std::error::Error for Insecure {}

impl fmt::Display for Insecure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("keys are sent to other machines over https alone")
    }
}

/// Where a service is, and the key to use there.
pub struct Remote {
    host: String,
    port: u16,
    tls: bool,
    key: Option<HeaderValue>,
}

impl Remote {
    /// Reads the address of a service, such as `https://api.example` or `http://127.0.0.1:3000`.
    pub fn parse(server: &str, key: Option<&str>) -> anyhow::Result<Self> {
        let wrong = || format!("{server} is no http or https address of a service");
        let uri: Uri = server.parse().ok().with_context(wrong)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => bail!(wrong()),
        };
        let host = uri.host().with_context(wrong)?;
        ensure!(uri.path() == "/" && uri.query().is_none(), wrong());
        let key = key.map(|key| {
            let bearer = HeaderValue::from_str(&format!("Bearer {key}"));
            bearer.context("the key holds characters that no key has")
        });
        let mut key = key.transpose()?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        Ok(Self {
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            key,
        })
    }

    /// Sends one request and reads the JSON that comes back.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let answer = self.ask(method, path, body, None).await?;
        Ok((answer.status, answer.json()?))
    }

    /// Sends one request and reads what comes back, whatever it is. `seen` is the `ETag` of an
    /// earlier answer: unchanged, it is 304.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let (host, port) = (&self.host, self.port);
        let asked = tokio::time::timeout(PATIENCE, self.send(method, path, body, seen)).await;
        let asked = asked.with_context(|| format!("{host}:{port} does not answer"))?;
        asked.with_context(|| format!("{host}:{port} cannot be asked"))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let (host, port) = (&self.host, self.port);
        let authority = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        if let Some(seen) = seen {
            let seen = HeaderValue::from_str(seen)?;
            request.headers_mut().insert(header::IF_NONE_MATCH, seen);
        }
        if let Some(key) = &self.key {
            let headers = request.headers_mut();
            headers.insert(header::AUTHORIZATION, key.clone());
        }
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        if self.tls {
            let name = ServerName::try_from(host.clone())?;
            let stream = TlsConnector::from(tls()?).connect(name, stream).await?;
            return exchange(stream, request).await;
        }
        if !stream.peer_addr()?.ip().is_loopback() {
            return Err(Insecure.into());
        }
        exchange(stream, request).await
    }
}

fn tls() -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_services_are_read() {
        let remote = Remote::parse("http://[::1]:3000/", None).unwrap();
        assert_eq!((remote.host.as_str(), remote.port), ("::1", 3000));
        let remote = Remote::parse("https://api.example", Some("hm_1")).unwrap();
        assert_eq!((remote.port, remote.tls), (443, true));
        assert!(!format!("{:?}", remote.key).contains("hm_1"));
        for server in [
            "",
            "api.example",
            "ftp://a.example",
            "http://a/b",
            "/",
            "http://a?b",
        ] {
            assert!(Remote::parse(server, None).is_err(), "{server}");
        }
        assert!(Remote::parse("http://localhost", Some("a\nb")).is_err());
    }
}
