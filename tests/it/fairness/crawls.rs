//! Crawls of one host by several workers through the driver itself, as the host sees them: how far
//! apart its requests are, how long it is left alone when it asks for that, how many are under way,
//! and what that costs. On the real table adapter and an embedded database, whose calls take a
//! moment; messages wait for whole seconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::app::Action;
use jobs::ports::{Clock, Scraper};
use jobs::{Caller, JobId, State};
use serde_json::{Value, json};

use super::processes::{Service, row};
use super::site::{Host, Kind, Manner, PAGES};

const WORKERS: usize = 8;
/// Whatever takes longer never ends.
const LONGEST: Duration = Duration::from_hours(1);

const QUICK: Manner = Manner {
    robots: "",
    takes: Duration::from_millis(150),
    refuses: 0,
};
const DELAYED: Manner = Manner {
    robots: "User-agent: *\nCrawl-delay: 1\n",
    ..QUICK
};

/// What several crawls of a host came to.
struct Crawled {
    host: Arc<Host>,
    host_writes: f64,
    job_writes: f64,
}

/// As many crawls as workers, each a process of its own, until all have completed.
fn crawl(workers: usize, manner: Manner, options: &Value) -> Crawled {
    crawl_by((workers, 1), manner, options)
}

/// As many crawls as there are workers in so many processes, each of [`PAGES`] pages.
fn crawl_by((processes, workers): (usize, usize), manner: Manner, options: &Value) -> Crawled {
    let service = Service::start();
    let jobs: Vec<_> = (0..processes * workers)
        .map(|number| create(&service, number, options))
        .collect();
    let (before_hosts, before_jobs) = writes(&service);
    let host = Host::new(&service.time, manner);
    let scraper = Arc::clone(&host) as Arc<dyn Scraper>;
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = service.tasks((processes, workers), &scraper, &over);
    let (app, time) = (service.process(), Arc::clone(&service.time));
    tasks.push(Box::pin(async move {
        for id in &jobs {
            while row(&app, id).await.state != State::Completed {
                assert!(time.passed() < LONGEST, "{:?}", row(&app, id).await);
                time.sleep(Duration::from_secs(1)).await;
            }
            let crawl = row(&app, id).await.crawl.unwrap();
            assert_eq!(crawl.counters.done as usize, PAGES, "{crawl:?}");
        }
        over.store(true, Ordering::Relaxed);
        time.end();
    }));
    service.time.run(tasks);
    let requests = host.requests().len() as f64;
    let (hosts, jobs) = writes(&service);
    Crawled {
        host,
        host_writes: (hosts - before_hosts) as f64 / requests,
        job_writes: (jobs - before_jobs) as f64 / requests,
    }
}

fn create(service: &Service, number: usize, options: &Value) -> JobId {
    let mut body = json!({
        "type": "full-crawl", "url": format!("http://site.example/{number}"), "maxPages": PAGES,
    });
    let options = options.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(options);
    service.create(&body)
}

fn writes(service: &Service) -> (usize, usize) {
    let writes = &service.writes;
    (
        writes.hosts.load(Ordering::Relaxed),
        writes.jobs.load(Ordering::Relaxed),
    )
}

impl Crawled {
    fn print(&self, name: &str) {
        let host = &self.host;
        println!(
            "{name}: {} requests in {:?}, smallest gap {:?}, {} at once, writes per request: {:.3} \
             of the host, {:.3} of the jobs",
            host.requests().len(),
            host.took(),
            host.smallest_gap(),
            host.most_at_once.load(Ordering::Relaxed),
            self.host_writes,
            self.job_writes,
        );
    }

    fn pages_a_second(&self) -> f64 {
        (WORKERS * PAGES) as f64 / self.host.took().as_secs_f64()
    }
}

#[test]
fn eight_crawls_keep_the_delay_of_a_host_with_every_request_and_lose_no_slots() {
    let cases = [
        (
            "a delay of both",
            DELAYED,
            json!({"requestDelay": 1_000}),
            8,
        ),
        ("a delay of the site", DELAYED, json!({}), 8),
        (
            "a delay of the jobs",
            QUICK,
            json!({"requestDelay": 1_000}),
            8,
        ),
        (
            "a delay of both in one process",
            DELAYED,
            json!({"requestDelay": 1_000}),
            1,
        ),
        ("a delay of the site in one process", DELAYED, json!({}), 1),
    ];
    for (name, manner, options, processes) in cases {
        let crawled = crawl_by((processes, WORKERS / processes), manner, &options);
        crawled.print(name);
        let host = &crawled.host;
        assert_eq!(host.number_of(Kind::Page), WORKERS * PAGES);
        assert!(host.number_of(Kind::Robots) >= 1);
        assert!(host.smallest_gap() >= Duration::from_millis(950), "{name}");
        let rate = crawled.pages_a_second();
        assert!(rate >= 0.8, "{name}: {rate} pages a second");
    }
}

#[test]
fn crawls_of_a_host_with_a_long_delay_take_turns_page_by_page() {
    let robots = "User-agent: *\nCrawl-delay: 20\n";
    let manner = Manner { robots, ..QUICK };
    for workers in [1, 3] {
        let crawled = crawl(workers, manner, &json!({}));
        crawled.print(&format!("{workers} crawls, a delay of 20 s"));
        let host = &crawled.host;
        assert!(host.smallest_gap() >= Duration::from_secs(20));
        let fair = Duration::from_secs(20) * host.requests().len() as u32;
        assert!(host.took() < fair * 11 / 10, "{:?}", host.took());
    }
}

#[test]
fn a_host_that_refuses_one_request_is_left_alone_by_eight_crawls() {
    // Without a delay others hear of it within a second, and then nobody begins; whoever is refused
    // with the first request, for robots.txt, is alone.
    let second = Duration::from_millis(1_050);
    for (name, manner, refuses, known) in [
        ("with a delay", DELAYED, 60, Duration::ZERO),
        ("without one", QUICK, 60, second),
        ("robots.txt", QUICK, 1, Duration::ZERO),
    ] {
        let crawled = crawl(WORKERS, Manner { refuses, ..manner }, &json!({}));
        crawled.print(name);
        let silence = crawled.host.silence_after(known);
        assert!(silence >= Duration::from_secs(10), "{name}: {silence:?}");
    }
}

#[test]
fn requests_that_take_longer_than_their_term_keep_their_places() {
    let slow = Manner {
        takes: Duration::from_secs(14),
        ..QUICK
    };
    let crawled = crawl(3, slow, &json!({}));
    crawled.print("14 s a page");
    assert_eq!(crawled.host.most_at_once.load(Ordering::Relaxed), 8);
}

/// The last request to a host after a client has asked for something during the crawl of it, and
/// how many answers nobody waited for any more.
fn interrupt(
    (action, after): (Option<Action>, Duration),
    manner: Manner,
    options: &Value,
) -> (Duration, usize, State) {
    let service = Service::start();
    let id = create(&service, 0, options);
    let host = Host::new(&service.time, manner);
    let scraper = Arc::clone(&host) as Arc<dyn Scraper>;
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = service.tasks((2, 1), &scraper, &over);
    let (app, time) = (service.process(), Arc::clone(&service.time));
    let ended = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&ended);
    tasks.push(Box::pin(async move {
        time.sleep(after).await;
        let asked_at = time.now();
        match action {
            Some(action) => drop(app.control(&Caller::Anyone, &id, action).await.unwrap()),
            None => app.pause_queue(&Caller::Anyone).await.unwrap(),
        }
        time.sleep(Duration::from_mins(2)).await;
        *keep.lock().unwrap() = Some((asked_at, row(&app, &id).await.state));
        over.store(true, Ordering::Relaxed);
        time.end();
    }));
    service.time.run(tasks);
    let (asked_at, state) = ended.lock().unwrap().take().unwrap();
    let requests = host.requests();
    assert!(requests.iter().any(|(at, _)| *at < asked_at));
    let (last, _) = requests.last().unwrap();
    let given_up = host.given_up.load(Ordering::Relaxed);
    (last.since(asked_at), given_up, state)
}

#[test]
fn a_crawl_that_is_cancelled_or_paused_begins_nothing_five_seconds_later() {
    let endless = Manner {
        takes: Duration::from_secs(25),
        ..QUICK
    };
    let slow = Manner {
        takes: Duration::from_millis(900),
        ..QUICK
    };
    let paced = json!({"requestDelay": 1_000});
    let one = json!({"maxConcurrency": 1});
    let without_rules = json!({"maxConcurrency": 1, "respectRobots": false, "sitemap": "skip"});
    let cases = [
        (QUICK, &paced),
        (slow, &one),
        (slow, &without_rules),
        (endless, &without_rules),
    ];
    for (action, state) in [
        (Some(Action::Cancel), State::Cancelled),
        (Some(Action::Pause), State::Paused),
        // The whole queue.
        (None, State::Queued),
    ] {
        for ((manner, options), after) in cases.iter().flat_map(|case| {
            let moments = [700, 1_900, 3_100];
            moments.map(|millis| (*case, Duration::from_millis(millis)))
        }) {
            let (last, given_up, became) = interrupt((action, after), manner, options);
            let case = format!("{action:?} after {after:?}, {options}");
            assert_eq!(became, state, "{case}");
            assert!(last < Duration::from_secs(5), "{case}: {last:?}");
            if manner.takes > Duration::from_secs(5) {
                assert!(given_up > 0, "{case}: nobody gives up what is under way");
            }
        }
    }
}
