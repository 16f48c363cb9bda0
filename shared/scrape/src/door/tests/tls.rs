//! Encrypted connections: to a server that we may trust, and to those that we must not.

use std::net::SocketAddr;
use std::sync::Arc;

use jobs::FailureCode;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::site::{LOOPBACK, Script, Site, fetch, open, page};
use crate::door::client::{Clocks, mozilla_roots};
use crate::door::guard::Guard;
use crate::door::{Door, Targets};

/// A certificate for `site.example` that vouches for itself, valid until `year`, with its key.
fn certificate(year: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["site.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    (
        certificate.der().clone(),
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

/// A server that speaks TLS, then HTTP/1.1.
async fn encrypted(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Site {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Site::raw(SocketAddr::new(LOOPBACK, 0), move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let _ = stream.read(&mut [0; 1_024]).await;
            let _ = stream.write_all(&page("secret")).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
    .unwrap()
}

fn trusting(roots: RootCertStore) -> Door {
    let lookup = Script::new(&[&[LOOPBACK]]);
    Door::assemble(
        Guard::new(Targets::AnyAddress),
        lookup,
        Clocks::default(),
        roots,
    )
    .unwrap()
}

#[tokio::test]
async fn a_certificate_is_judged_by_issuer_name_and_date() {
    for (year, host, trusted, expected) in [
        (2100, "site.example", true, Ok(())),
        (
            2100,
            "site.example",
            false,
            Err("is from an issuer that we do not know"),
        ),
        (2100, "other.example", true, Err("is for another name")),
        (2021, "site.example", true, Err("has expired")),
    ] {
        let (certificate, key) = certificate(year);
        let mut roots = mozilla_roots();
        if trusted {
            roots.add(certificate.clone()).unwrap();
        }
        let site = encrypted(certificate, key).await;
        let url = Url::parse(&format!("https://{host}:{}/", site.port())).unwrap();
        let outcome = fetch(&trusting(roots), &url)
            .await
            .map(drop)
            .map_err(|failure| {
                assert_eq!(failure.code, FailureCode::Tls, "{failure}");
                failure.message
            });
        let expected = expected.map_err(|why| format!("The certificate of {host} {why}"));
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_on_a_handshake_is_no_connection() {
    let site = Site::raw(SocketAddr::new(LOOPBACK, 0), |stream| async move {
        drop(stream);
    });
    let site = site.await.unwrap();
    let url = Url::parse(&format!("https://{}/", site.address)).unwrap();
    let failure = fetch(&open(), &url).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Connect, "{failure}");
}

#[tokio::test]
async fn gibberish_instead_of_a_handshake_is_named_so() {
    let site = Site::raw(SocketAddr::new(LOOPBACK, 0), |mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.shutdown().await;
    })
    .await
    .unwrap();
    let url = Url::parse(&format!("https://{}/", site.address)).unwrap();
    let failure = fetch(&open(), &url).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Tls, "{failure}");
}
