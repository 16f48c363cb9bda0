//! The programs of the functions, built as this test was: same profile, same target folder, and all
//! packages at once with this test among them. Its dependencies turn features on in what the
//! programs share with it; without it everything would be compiled a second time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

pub(super) struct Executables {
    pub(super) api: PathBuf,
    pub(super) worker: PathBuf,
    pub(super) scheduler: PathBuf,
}

impl Executables {
    pub(super) fn all(&self) -> [&Path; 3] {
        [&self.api, &self.worker, &self.scheduler]
    }
}

pub(super) fn built() -> &'static Executables {
    static BUILT: OnceLock<Executables> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> Executables {
    // <target folder>/<profile>/deps/<this test>
    let test = std::env::current_exe().unwrap();
    let folders: Vec<_> = test.ancestors().collect();
    let profile = folders[2].file_name().unwrap().to_str().unwrap();
    let profile = if profile == "debug" { "dev" } else { profile };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // What cargo tells this test about its own package would make build scripts that look at such
    // variables run again, here and then in the next ordinary build.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"];
        if own.iter().any(|prefix| name.starts_with(prefix)) {
            build.env_remove(name.as_ref());
        }
    }
    let build = build
        .args(["build", "--workspace", "--bins", "--test", "it"])
        .arg("--message-format=json")
        .args(["--profile", profile, "--target-dir"])
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
