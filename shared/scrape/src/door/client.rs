//! Builds the one HTTP client of the project. Refuses proxies, cookies, redirects of its own, and
//! any source of trust but the roots it is given.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

use super::guard::Guard;
use super::lookup::{GuardedResolver, Lookup};

/// Who we are, to those who read their logs.
const USER_AGENT: &str = concat!(
    "Harvestman/",
    env!("CARGO_PKG_VERSION"),
    " (+https://harvestman.invalid/bot)"
);

/// Connections kept open to one host, for the next page of a crawl.
const MAX_IDLE_PER_HOST: usize = 64;
/// How long they are kept. A frozen function wakes up to dead connections, so not for long.
const IDLE: Duration = Duration::from_secs(20);

/// The door could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct Unbuilt(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Unbuilt {
    pub(crate) fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

/// How long each step may take. The whole fetch has a clock of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// From the name to an open connection, TLS included.
    pub(super) connect: Duration,
    /// Between two signs of life of the server.
    pub(super) read: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(10),
        }
    }
}

/// The certificate authorities of Mozilla's programme, compiled in.
///
/// They are there without parsing a single certificate: reading the system's store instead costs
/// tens of milliseconds at each cold start, and a function's image may have none.
pub(super) fn mozilla_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door, and it is guarded"
)]
pub(super) fn build(
    guard: Arc<Guard>,
    lookup: Arc<dyn Lookup>,
    clocks: Clocks,
    roots: RootCertStore,
) -> Result<reqwest::Client, Unbuilt> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls(roots)?)
        .dns_resolver(GuardedResolver { lookup, guard })
        .user_agent(USER_AGENT)
        // The hops are ours to judge, and a proxy would connect in our place, unjudged.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        // A failure is retried by the job that owns it, and nowhere else.
        .retry(reqwest::retry::never())
        .connect_timeout(clocks.connect)
        .read_timeout(clocks.read)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| Unbuilt(error.into()))
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, Unbuilt> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Unbuilt(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
