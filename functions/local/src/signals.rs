//! The signals by which a person or a service manager ends a program: Ctrl-C, `TERM`, and the `HUP`
//! of a terminal that has gone. Heard from the moment that this is made, as often as they come.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// An ear for them. Those that come between two calls are one.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hang_up: Signal,
}

impl Signals {
    /// Listens from now on: none of them ends the process by itself any more.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next of them.
    pub async fn any(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        #[cfg(not(unix))]
        ctrl_c().await;
    }

    /// The next one that somebody means. A terminal that goes says so twice, through the kernel and
    /// through the shell, and means it once.
    pub async fn meant(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        ctrl_c().await;
    }
}

#[cfg(not(unix))]
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
