//! The real program as a child process: built once per run from the same profile as the tests,
//! listened to while it runs, ended with the value that stands for it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::site::PATIENCE;

/// How often a server is asked for what it does not announce.
const POLL: Duration = Duration::from_millis(10);

/// Where the program lies, as cargo tells after building it.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // TARGET/PROFILE/deps/it-HASH
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let target = profile.parent().unwrap();
        let profile = match profile.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args([
                "build",
                "--quiet",
                "--package",
                "local",
                "--bin",
                "harvestman",
            ])
            .args([
                "--message-format=json",
                "--profile",
                profile,
                "--target-dir",
            ])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit());
        // What cargo tells a test about its own package would make build scripts run again.
        for (name, _) in std::env::vars_os() {
            let own = ["CARGO_PKG_", "CARGO_MANIFEST_"];
            if name
                .to_str()
                .is_some_and(|name| own.iter().any(|own| name.starts_with(own)))
            {
                cargo.env_remove(name);
            }
        }
        let built = cargo.output().unwrap();
        assert!(built.status.success(), "the program does not build");
        let messages = String::from_utf8(built.stdout).unwrap();
        let messages = messages
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let mut programs = messages.filter_map(|message: Value| {
            let ours = message["target"]["name"] == "harvestman";
            message["executable"]
                .as_str()
                .filter(|_| ours)
                .map(PathBuf::from)
        });
        programs.next().expect("cargo names the program")
    })
}

/// What a process has written so far.
#[derive(Default)]
struct Written {
    text: String,
    ended: bool,
}

fn listen(pipe: impl Read + Send + 'static) -> watch::Receiver<Written> {
    let (sender, receiver) = watch::channel(Written::default());
    std::thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = String::new();
        while matches!(lines.read_line(&mut line), Ok(1..)) {
            sender.send_modify(|written| written.text.push_str(&line));
            line.clear();
        }
        sender.send_modify(|written| written.ended = true);
    });
    receiver
}

fn spawn(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    start(folder, Command::new(program()).args(arguments), variables)
}

fn start(folder: &Path, command: &mut Command, variables: &[(&str, &str)]) -> Child {
    command
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env_remove("AWS_LAMBDA_FUNCTION_VERSION")
        .env_remove("HARVESTMAN_ADMIN_KEY_HASH")
        .env_remove("HARVESTMAN_API_KEY")
        .env_remove("HARVESTMAN_URL")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The program while it runs. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: watch::Receiver<Written>,
    stderr: watch::Receiver<Written>,
}

/// The program after it has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts the program in `folder`.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, arguments, &[])
    }

    /// Starts the program in `folder` with these variables in its environment.
    pub(crate) fn start_with(
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self::of(spawn(folder, arguments, variables))
    }

    fn of(mut child: Child) -> Self {
        Self {
            stdout: listen(child.stdout.take().unwrap()),
            stderr: listen(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Starts the program in `folder`, with a reader who leaves before the first word.
    pub(crate) fn start_unread(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = spawn(folder, arguments, &[]);
        drop(child.stdout.take());
        Self {
            stdout: listen(std::io::empty()),
            stderr: listen(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Starts the program in `folder`, with a reader who stays and never reads.
    pub(crate) fn start_unheard(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = spawn(folder, arguments, &[]);
        Self {
            stdout: listen(std::io::empty()),
            stderr: listen(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Waits until it has told this on standard error.
    pub(crate) async fn told(&mut self, part: &str) {
        let told = |written: &Written| written.ended || written.text.contains(part);
        let told = tokio::time::timeout(PATIENCE, self.stderr.wait_for(told)).await;
        let text = told.expect("it is told").unwrap().text.clone();
        assert!(text.contains(part), "{text}");
    }

    /// Waits for the program to end by itself.
    pub(crate) async fn end(mut self) -> Ended {
        let mut texts = Vec::new();
        for pipe in [&mut self.stdout, &mut self.stderr] {
            let ended = tokio::time::timeout(PATIENCE, pipe.wait_for(|written| written.ended));
            let ended = ended.await.expect("the program ends").unwrap();
            texts.push(ended.text.clone());
        }
        let stderr = texts.pop().unwrap();
        let stdout = texts.pop().unwrap();
        Ended {
            code: self.child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }

    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends the program as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program in `folder` to its end.
pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> Ended {
    Process::start(folder, arguments).end().await
}

/// Runs a line that the program has printed, as somebody does who pastes it into a shell.
pub(crate) async fn paste(folder: &Path, line: &str) -> Ended {
    let child = start(folder, Command::new("sh").args(["-c", line]), &[]);
    Process::of(child).end().await
}

/// `harvestman serve`, listening.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Serves on a free port with its data in `folder`, and fetches from `site` alone.
    pub(crate) async fn start(folder: &Path, site: SocketAddr) -> Self {
        let targets = format!("--allow-private-targets={site}");
        Self::start_with(folder, &[&targets]).await
    }

    pub(crate) async fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_in(folder, arguments, &[]).await
    }

    /// Serves with these variables in its environment.
    pub(crate) async fn start_in(
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut all = vec!["serve", "--port", "0"];
        all.extend_from_slice(arguments);
        let mut process = Process::start_with(folder, &all, variables);
        let announced = |written: &Written| written.ended || written.text.contains("listens on");
        let says = process.stdout.wait_for(|written| announced(written));
        let says = tokio::time::timeout(PATIENCE, says).await;
        let says = says.expect("the server starts").unwrap().text.clone();
        let address = says
            .lines()
            .find_map(|line| line.split_once("listens on http://"));
        let Some((_, address)) = address else {
            panic!("{says}{}", process.stderr.borrow().text);
        };
        Self {
            address: address.trim().parse().unwrap(),
            process,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        local::client::call(self.address, Method::GET, path, None)
            .await
            .unwrap()
    }

    pub(crate) async fn create(&self, url: &str) -> (u16, Value) {
        let body = json!({"type": "single-page", "url": url});
        local::client::call(self.address, Method::POST, "/api/jobs", Some(&body))
            .await
            .unwrap()
    }

    /// Creates a job that must be accepted, and gives its id.
    pub(crate) async fn accept(&self, url: &str) -> String {
        let (status, created) = self.create(url).await;
        assert_eq!(status, 201, "{created}");
        created["jobId"].as_str().unwrap().to_owned()
    }

    /// Waits until what lies at a path has a status, and gives it.
    pub(crate) async fn until(&self, path: &str, status: &str) -> Value {
        let wait = async {
            let mut polls = tokio::time::interval(POLL);
            loop {
                polls.tick().await;
                let (_, found) = self.get(path).await;
                if found["status"] == status {
                    return found;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.expect("it gets there")
    }

    /// Waits until this many jobs have a status, and gives them.
    pub(crate) async fn listed(&self, status: &str, count: usize) -> Vec<Value> {
        let path = format!("/api/jobs?status={status}&limit=100");
        let wait = async {
            let mut polls = tokio::time::interval(POLL);
            loop {
                polls.tick().await;
                let (_, list) = self.get(&path).await;
                let jobs = list["jobs"].as_array().unwrap();
                if jobs.len() >= count {
                    return jobs.clone();
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.expect("the jobs get there")
    }
}
