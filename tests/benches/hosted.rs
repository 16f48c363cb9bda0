//! The service of `harvestman serve` in this process, on a folder or in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use api::Access;
use axum::Router;
use jobs::Limits;
use local::host::{Data, Host};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::load::Target;

/// The columns of what is measured on both.
pub(crate) const COLUMNS: [&str; 2] = ["on file", "in memory"];

/// Nobody meets the bound on unfinished jobs here.
pub(crate) const LIMITS: fn() -> Limits = || Limits {
    max_unfinished: 1_000_000,
    ..Limits::default()
};

/// A service that answers and does not work yet.
pub(crate) struct Hosted {
    pub(crate) host: Host,
    pub(crate) target: Target,
    server: JoinHandle<()>,
    _folder: TempDir,
}

impl Hosted {
    /// `column` is one of [`COLUMNS`].
    pub(crate) async fn open(column: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = if column == COLUMNS[0] {
            Data::Folder(folder.path().join("data"))
        } else {
            Data::Memory
        };
        let host = Host::open(&data, LIMITS()).unwrap();
        let router = api::router(
            host.app.clone(),
            scrape::check,
            Arc::new(scrape::judge(scrape::Targets::Public)),
            Access::Open,
        );
        let (address, server) = serve(router).await;
        let path = "/api/jobs".to_owned();
        Self {
            host,
            target: Target { address, path },
            server,
            _folder: folder,
        }
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves on a port of this machine.
pub(crate) async fn serve(router: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}
