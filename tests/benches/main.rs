//! `cargo bench -p tests`: what creating a job and working on it costs in time, processor time,
//! calls, write units and bytes. Prints a table, or with `--json` one JSON object. Judges figures
//! beside their goals, and refuses to fail for one: times are a machine's, not a change's.
//!
//! Words choose figures (`cargo bench -p tests -- creates sizes`); `--against URL` puts the same
//! load on another service instead.

#![allow(clippy::unwrap_used)] // a measurement that cannot go on has nothing to report

mod capacity;
mod crawl;
mod creates;
mod drain;
mod hosted;
mod large;
mod latency;
mod light;
mod load;
mod metered;
mod processor;
mod report;
mod sizes;
mod starts;

use report::Report;

/// Everything that is measured, in the order in which it is printed. What needs a quiet machine
/// comes first: the executables are built where they are first asked for.
const FIGURES: [&str; 10] = [
    "creates",
    "latency",
    "drain",
    "processor",
    "capacity",
    "crawl",
    "large",
    "light",
    "starts",
    "sizes",
];

#[derive(Default)]
struct Options {
    json: bool,
    against: Option<String>,
    figures: Vec<String>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Self {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => options.json = true,
                "--against" => options.against = words.next(),
                // What cargo says to every benchmark.
                "--bench" => {}
                figure if FIGURES.contains(&figure) => options.figures.push(word),
                other => panic!("{other} is none of --json, --against URL, {FIGURES:?}"),
            }
        }
        options
    }

    fn wants(&self, figure: &str) -> bool {
        self.figures.is_empty() || self.figures.iter().any(|it| it == figure)
    }
}

#[tokio::main]
async fn main() {
    let options = Options::read(std::env::args().skip(1));
    let mut report = Report::new(options.json);
    if let Some(url) = &options.against {
        report.add("peer", creates::measure_other(url).await);
        return report.end();
    }
    for figure in FIGURES.into_iter().filter(|figure| options.wants(figure)) {
        let section = match figure {
            "creates" => creates::measure().await,
            "latency" => latency::measure().await,
            "drain" => drain::measure().await,
            "processor" => processor::measure().await,
            "capacity" => capacity::measure().await,
            "crawl" => crawl::measure().await,
            "large" => large::measure().await,
            "light" => light::measure().await,
            "starts" => starts::measure().await,
            _ => sizes::measure(),
        };
        report.add(figure, section);
    }
    report.end();
}
