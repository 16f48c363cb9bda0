//! SDK clients, built once per process: timeouts on every call, standard retries, one TLS stack
//! (`rustls` with `ring`). Refuses to look anything up by itself; [`Connection`] is told.

use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// One try of a call; a slower answer is a lost one.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// A call with its retries. API Gateway gives up after 30 s.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach AWS, or what stands in for it.
#[derive(Clone, Debug)]
pub struct Connection {
    pub region: String,
    /// Nothing where nobody asks who calls; then no request is signed.
    pub credentials: Option<Credentials>,
    /// Instead of the region's own address.
    pub endpoint: Option<String>,
    pub http: SharedHttpClient,
    /// Instead of the runtime's timer: a simulator has its own time, and no timeouts.
    pub sleep: Option<SharedAsyncSleep>,
}

impl Connection {
    /// The HTTP client for real endpoints, to be shared by all clients of a process.
    pub fn network() -> SharedHttpClient {
        SharedHttpClient::new(Network::default())
    }

    fn timeouts(&self) -> TimeoutConfig {
        if self.sleep.is_some() {
            return TimeoutConfig::disabled();
        }
        TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build()
    }
}

/// Loads the root certificates at the first call and once. The SDK's own client does so whenever a
/// configuration is built, and the first time takes as long as all the rest of a start.
#[derive(Debug, Default)]
struct Network(OnceLock<SharedHttpClient>);

impl HttpClient for Network {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let build = || {
            let ring = tls::rustls_provider::CryptoMode::Ring;
            aws_smithy_http_client::Builder::new()
                .tls_provider(tls::Provider::Rustls(ring))
                .build_https()
        };
        let client = self.0.get_or_init(build);
        client.http_connector(settings, components)
    }
}

/// A client for the table.
pub fn dynamodb(connection: &Connection) -> aws_sdk_dynamodb::Client {
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(connection.region.clone()))
        .http_client(connection.http.clone())
        .timeout_config(connection.timeouts());
    match &connection.credentials {
        Some(credentials) => config = config.credentials_provider(credentials.clone()),
        None => config = config.allow_no_auth(),
    }
    config.set_endpoint_url(connection.endpoint.clone());
    config.set_sleep_impl(connection.sleep.clone().or_else(default_sleep));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client for the queues.
pub fn sqs(connection: &Connection) -> aws_sdk_sqs::Client {
    let mut config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(connection.region.clone()))
        .http_client(connection.http.clone())
        .timeout_config(connection.timeouts());
    match &connection.credentials {
        Some(credentials) => config = config.credentials_provider(credentials.clone()),
        None => config = config.allow_no_auth(),
    }
    config.set_endpoint_url(connection.endpoint.clone());
    config.set_sleep_impl(connection.sleep.clone().or_else(default_sleep));
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// A client for the event bus.
pub fn eventbridge(connection: &Connection) -> aws_sdk_eventbridge::Client {
    let mut config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(connection.region.clone()))
        .http_client(connection.http.clone())
        .timeout_config(connection.timeouts());
    match &connection.credentials {
        Some(credentials) => config = config.credentials_provider(credentials.clone()),
        None => config = config.allow_no_auth(),
    }
    config.set_endpoint_url(connection.endpoint.clone());
    config.set_sleep_impl(connection.sleep.clone().or_else(default_sleep));
    aws_sdk_eventbridge::Client::from_conf(config.build())
}

/// A client for the timetable.
pub fn scheduler(connection: &Connection) -> aws_sdk_scheduler::Client {
    let mut config = aws_sdk_scheduler::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(connection.region.clone()))
        .http_client(connection.http.clone())
        .timeout_config(connection.timeouts());
    match &connection.credentials {
        Some(credentials) => config = config.credentials_provider(credentials.clone()),
        None => config = config.allow_no_auth(),
    }
    config.set_endpoint_url(connection.endpoint.clone());
    config.set_sleep_impl(connection.sleep.clone().or_else(default_sleep));
    aws_sdk_scheduler::Client::from_conf(config.build())
}

fn default_sleep() -> Option<SharedAsyncSleep> {
    aws_smithy_async::rt::sleep::default_async_sleep()
}

#[cfg(test)]
mod tests {
    use jobs::app::COMMIT_MARGIN;

    use super::*;

    #[test]
    fn a_result_and_a_row_are_written_within_what_a_worker_keeps_free() {
        // One call at its worst, and one whose first try is lost. Worse than that, the lease ends
        // and another worker takes over.
        assert!(OPERATION_TIMEOUT + ATTEMPT_TIMEOUT * 2 <= COMMIT_MARGIN);
        assert!(
            ATTEMPT_TIMEOUT * 2 < OPERATION_TIMEOUT,
            "one loss is made good"
        );
    }
}
