//! The programs of the functions, built as what asks for them was: same profile, same target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

pub struct Executables {
    pub api: PathBuf,
    pub worker: PathBuf,
    pub scheduler: PathBuf,
}

impl Executables {
    pub fn all(&self) -> [&Path; 3] {
        [&self.api, &self.worker, &self.scheduler]
    }
}

/// For a test: all packages at once, with the tests among them. Their dependencies turn features on
/// in what the programs share with them; otherwise everything would be compiled a second time.
pub fn built() -> &'static Executables {
    static BUILT: OnceLock<Executables> = OnceLock::new();
    BUILT.get_or_init(|| build(&["--workspace", "--bins", "--test", "it"]))
}

/// For a measurement: the functions alone, with the features that they have where they run.
pub fn shipped() -> &'static Executables {
    static SHIPPED: OnceLock<Executables> = OnceLock::new();
    SHIPPED.get_or_init(|| build(&["-p", "api", "-p", "worker", "-p", "scheduler"]))
}

fn build(packages: &[&str]) -> Executables {
    // <target folder>/<profile>/deps/<this program>
    let test = std::env::current_exe().unwrap();
    let folders: Vec<_> = test.ancestors().collect();
    let profile = folders[2].file_name().unwrap().to_str().unwrap();
    let profile = if profile == "debug" { "dev" } else { profile };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // What cargo tells this program about its own package would make build scripts that look at such
    // variables run again, here and then in the next ordinary build.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"];
        if own.iter().any(|prefix| name.starts_with(prefix)) {
            build.env_remove(name.as_ref());
        }
    }
    let build = build
        .arg("build")
        .args(packages)
        .args([
            "--message-format=json",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(folders[3])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(build.status.success(), "the programs do not build");
    let lines = String::from_utf8(build.stdout).unwrap();
    let messages = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let messages: Vec<Value> = messages.collect();
    let executable = |name: &str| {
        let of_bin = |it: &&Value| it["target"]["name"] == name && it["executable"].is_string();
        let artifact = messages.iter().find(of_bin);
        let path = artifact.and_then(|it| it["executable"].as_str());
        PathBuf::from(path.unwrap_or_else(|| panic!("there is no program named {name}")))
    };
    Executables {
        api: executable("api"),
        worker: executable("worker"),
        scheduler: executable("scheduler"),
    }
}
