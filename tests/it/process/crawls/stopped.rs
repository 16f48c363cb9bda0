//! Crawls that somebody stops: what is kept of them, and how they go on.

use std::collections::BTreeSet;
use std::path::Path;

use super::followed::{JOB, Pretended};
use super::{command, leaf, told_id, tree, urls};
use crate::process::folder;
use crate::process::program::{Process, paste, run};
use crate::site::Gate;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    entries.map(|it| name(it).into_string().unwrap()).collect()
}

#[tokio::test]
async fn an_interrupted_crawl_is_resumed() {
    let (folder, site) = (folder(), tree(7).await);
    let gate = Gate::closed();
    site.pages("/2", [leaf(2, 7).held(&gate)]);
    let targets = format!("--allow-private-targets={}", site.address());
    let start = site.url("/");
    let output = folder.path().join("the pages.ndjson");
    std::fs::write(&output, "older\n").unwrap();
    let options = ["--data-dir", "it's $mine", "-o", "the pages.ndjson"];
    let mut process = Process::start(
        folder.path(),
        &[&["crawl", &start, &targets][..], &options].concat(),
    );
    process.told("Crawl job_").await;
    // robots.txt, a sitemap, the start and its two pages, one of which is held, and what the other
    // one leads to.
    site.arrived(7).await;
    process.signal("INT");
    let ended = process.end().await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let told = |part: &str| assert!(ended.stderr.contains(part), "{part} {ended:?}");
    told("Written to the pages.ndjson (");
    told("): a part");
    let part: BTreeSet<_> = urls(&std::fs::read_to_string(&output).unwrap())
        .into_iter()
        .collect();
    assert!(part.contains(&start) && part.len() < 7, "{part:?}");
    gate.open();
    let ended = paste(folder.path(), &command(&ended, "Go on with it:")).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found = urls(&std::fs::read_to_string(&output).unwrap());
    let all: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!((all.len(), found.len()), (7, 7));
    assert!(all.is_superset(&part));
    let expected = ["it's $mine", "the pages.ndjson"].map(str::to_owned);
    assert_eq!(names(folder.path()), BTreeSet::from(expected));
}

#[tokio::test]
async fn a_crawl_that_was_ended_at_once_or_killed_is_resumed() {
    for signals in [&["INT", "INT"][..], &["INT", "KILL"], &["KILL"]] {
        let (folder, site) = (folder(), tree(7).await);
        let gate = Gate::closed();
        site.pages("/2", [leaf(2, 7).held(&gate)]);
        let targets = format!("--allow-private-targets={}", site.address());
        let start = site.url("/");
        let mut process = Process::start(folder.path(), &["crawl", &start, &targets]);
        process.told("Crawl job_").await;
        site.arrived(7).await;
        for (number, signal) in signals.iter().enumerate() {
            if number > 0 {
                process.told("once more ends it at once").await;
            }
            process.signal(signal);
        }
        let ended = process.end().await;
        gate.open();
        let id = told_id(&ended);
        let words = ["crawl", "--resume", &id, &targets];
        let resumed = run(folder.path(), &words).await;
        assert_eq!(resumed.code, Some(0), "{signals:?} {ended:?} {resumed:?}");
        let found: BTreeSet<_> = urls(&resumed.stdout).into_iter().collect();
        assert_eq!(found.len(), 7, "{signals:?}");
    }
}

#[tokio::test]
async fn a_crawl_elsewhere_goes_on_and_gives_what_it_has() {
    let folder = folder();
    let service = Pretended::start().await;
    service.job(["active"]);
    service.results("{\"url\":\"http://a.example/\"}\n");
    let output = folder.path().join("out.ndjson");
    std::fs::write(&output, "older\n").unwrap();
    let mut words = service.crawl();
    words.extend(["-o", "out.ndjson", "--key", "hm_secret"]);
    let mut process = Process::start(folder.path(), &words);
    process.told("Crawl job_").await;
    process.signal("TERM");
    let ended = process.end().await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let part = std::fs::read_to_string(&output).unwrap();
    assert_eq!(part, "{\"url\":\"http://a.example/\"}\n");
    let told = "Written to out.ndjson (28 bytes): a part";
    assert!(ended.stderr.contains(told), "{ended:?}");
    assert!(!ended.stderr.contains("hm_secret"), "{ended:?}");
    let cancel = command(&ended, "End it:");
    assert!(cancel.ends_with(&format!("/api/jobs/{JOB}")), "{cancel}");
    service.job(["completed"]);
    let resume = command(&ended, "Follow it, with the key in HARVESTMAN_API_KEY:");
    let ended = paste(folder.path(), &resume).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_second_signal_is_heard_while_nobody_reads_the_pages() {
    let folder = folder();
    let service = Pretended::start().await;
    service.job(["completed"]);
    // More than any pipe holds.
    service.results(&"{}\n".repeat(1_000_000));
    let mut process = Process::start_unheard(folder.path(), &service.crawl());
    process.told("Crawl job_").await;
    service.results_asked().await;
    process.signal("INT");
    process.told("once more ends it at once").await;
    process.signal("INT");
    let ended = process.end().await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_harms_no_file() {
    let folder = folder();
    let service = Pretended::start().await;
    let gate = Gate::closed();
    service.job(["active"]);
    service.results_held("{}\n", &gate);
    let output = folder.path().join("out.ndjson");
    std::fs::write(&output, "older\n").unwrap();
    let mut words = service.crawl();
    words.extend(["-o", "out.ndjson"]);
    let mut process = Process::start(folder.path(), &words);
    process.told("Crawl job_").await;
    process.signal("INT");
    process.told("once more ends it at once").await;
    process.signal("INT");
    let ended = process.end().await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stderr.contains("\nEnded at once; "), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "older\n");
    let left = BTreeSet::from(["out.ndjson".to_owned()]);
    assert_eq!(names(folder.path()), left);
}
