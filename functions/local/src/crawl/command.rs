//! The commands that are printed to be pasted: each word quoted for a POSIX shell, and no key in
//! any of them.

use std::path::Path;

use jobs::JobId;

use crate::cli::{Crawl, DEFAULT_FOLDER};

/// What follows or goes on with a crawl.
pub(super) fn resume(options: &Crawl, id: &JobId) -> String {
    let mut words = begin(&["crawl"]);
    words.extend(["--resume".to_owned(), id.to_string()]);
    place(options, &mut words);
    if let Some(targets) = &options.targets.allow_private_targets {
        words.push(format!("--allow-private-targets={targets}"));
    }
    if let Some(output) = &options.output {
        option("--output", output, &mut words);
    }
    quoted(&words)
}

/// What lists the addresses of a crawl.
pub(super) fn urls(options: &Crawl, id: &JobId) -> String {
    let mut words = begin(&["crawl", "urls", id.as_str()]);
    place(options, &mut words);
    quoted(&words)
}

/// What ends a crawl that a service works on.
pub(super) fn cancel(options: &Crawl, server: &str, id: &JobId) -> String {
    let server = server.trim_end_matches('/');
    let words = ["curl", "-X", "DELETE"].map(str::to_owned);
    let address = [format!("{server}/api/jobs/{id}")];
    let key = match options.key {
        Some(_) => " -H \"Authorization: Bearer $HARVESTMAN_API_KEY\"",
        None => "",
    };
    format!("{}{key} {}", quoted(&words), quoted(&address))
}

/// The program as it was called, so that it is found again.
fn begin(words: &[&str]) -> Vec<String> {
    let program = std::env::args_os().next();
    let program = program.map(|name| name.to_string_lossy().into_owned());
    let mut all = vec![program.unwrap_or_else(|| "harvestman".to_owned())];
    all.extend(words.iter().map(|&word| word.to_owned()));
    all
}

/// Where the crawl is.
fn place(options: &Crawl, words: &mut Vec<String>) {
    match &options.server {
        Some(server) => option("--server", Path::new(server), words),
        None if options.data_dir.as_os_str() == DEFAULT_FOLDER => {}
        None => option("--data-dir", &options.data_dir, words),
    }
}

fn option(name: &str, value: &Path, words: &mut Vec<String>) {
    let value = value.to_string_lossy();
    if value.starts_with('-') && value != "-" {
        // As a word of its own it would be taken for another option.
        words.push(format!("{name}={value}"));
    } else {
        words.extend([name.to_owned(), value.into_owned()]);
    }
}

fn quoted(words: &[String]) -> String {
    let words = words.iter().map(|word| {
        // A NUL byte alone cannot be quoted, and no argument of a program has one.
        shlex::try_quote(word).map_or_else(|_| word.clone(), std::borrow::Cow::into_owned)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse<S: AsRef<str>>(words: &[S]) -> Crawl {
        let words = words.iter().map(AsRef::as_ref);
        match Cli::try_parse_from(["harvestman"].into_iter().chain(words)) {
            Ok(Cli {
                command: Some(Command::Crawl(crawl)),
                ..
            }) => *crawl,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_printed_command_means_what_it_meant_when_it_is_pasted() {
        let id = JobId::parse("job_01k9zq3v7m8n4r2t6w0x5y1z3b").unwrap();
        for words in [
            &["crawl", "https://a.example"][..],
            &[
                "crawl",
                "https://a.example",
                "--data-dir",
                "my data/it's $HOME",
                "-o",
                "a b.ndjson",
            ],
            &[
                "crawl",
                "https://a.example",
                "--data-dir=-odd",
                "--output=-also odd",
                "--allow-private-targets",
            ],
            &[
                "crawl",
                "https://a.example",
                "--allow-private-targets=[::1]:80,a.example:*",
                "-o",
                "-",
            ],
            &[
                "crawl",
                "https://a.example",
                "--server",
                "http://[::1]:3000",
                "--output",
                "ü;rm *",
            ],
        ] {
            let options = parse(words);
            let printed = resume(&options, &id);
            let pasted = parse(&shlex::split(&printed).unwrap()[1..]);
            assert_eq!(pasted.resume.as_deref(), Some(id.as_str()), "{printed}");
            assert_eq!(pasted.data_dir, options.data_dir, "{printed}");
            assert_eq!(pasted.output, options.output, "{printed}");
            assert_eq!(pasted.server, options.server, "{printed}");
            let targets = |options: &Crawl| options.targets.allow_private_targets.clone();
            assert_eq!(targets(&pasted), targets(&options), "{printed}");
            let listed = parse(&shlex::split(&urls(&options, &id)).unwrap()[1..]);
            assert!(listed.command.is_some());
        }
    }

    #[test]
    fn no_printed_command_holds_a_key() {
        let id = JobId::parse("job_01k9zq3v7m8n4r2t6w0x5y1z3b").unwrap();
        let server = "https://api.example/";
        let options = parse(&[
            "crawl",
            "a.example",
            "--server",
            server,
            "--key",
            "hm_secret",
        ]);
        let cancel = cancel(&options, server, &id);
        for printed in [resume(&options, &id), urls(&options, &id), cancel.clone()] {
            assert!(!printed.contains("hm_secret"), "{printed}");
        }
        let header = "-H \"Authorization: Bearer $HARVESTMAN_API_KEY\"";
        let address = format!("'https://api.example/api/jobs/{id}'");
        let plain = address.trim_matches('\'');
        assert!(
            cancel.contains(header) && cancel.contains(plain),
            "{cancel}"
        );
    }
}
