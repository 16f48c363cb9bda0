//! One seed: chaos, then peace, then the reckoning.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws::client::{self, Connection};
use aws::table::Table;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use jobs::app::{Creation, Handled, Limits, Ports};
use jobs::ports::{Batches, Keys, Store};
use jobs::transition::Mode;
use jobs::{App, Caller, JobId, NewJob, State};
use local::ticker::LocalTicker;
use serde_json::json;

use super::batches::{Posted, open_batches};
use super::blobs::WorldBlobs;
use super::bus::WorldBus;
use super::database::{arrive, http_client};
use super::web::{Script, Site};
use super::world::{Delivery, Gates, Planted, World, WorldClock, WorldEntropy, WorldQueue};

const JOBS: usize = 4;
const STEPS: usize = 220;
/// A worker's time, as on AWS.
const INVOCATION: Duration = Duration::from_mins(1);

pub(crate) struct Report {
    pub(crate) violations: Vec<String>,
    pub(crate) journal: Vec<String>,
    pub(crate) struck: BTreeMap<&'static str, u64>,
}

pub(crate) enum Kind {
    Create,
    /// A client asks for something.
    Call,
    Sweep,
    Work(Delivery),
}

pub(super) struct Task {
    number: usize,
    kind: Kind,
    future: Pin<Box<dyn Future<Output = Option<Handled>>>>,
}

pub(crate) struct Simulation {
    pub(crate) world: Arc<World>,
    pub(crate) app: App,
    pub(crate) store: Arc<Table>,
    pub(crate) scraper: Arc<Script>,
    pub(super) tasks: Vec<Task>,
    created: usize,
    pub(super) started: usize,
    /// Jobs that a client was told of.
    pub(crate) promised: Arc<Mutex<Vec<JobId>>>,
    batches: Posted,
}

pub(crate) fn run(seed: u64, planted: Planted) -> Report {
    let world = World::new(seed, planted);
    let mut simulation = Simulation::new(&world, limits(&world), None);
    for _ in 0..STEPS {
        simulation.step();
    }
    world.faults.store(false, Ordering::Relaxed);
    simulation.make_peace();
    simulation.reckon();
    simulation.expire();
    Report::of(&world)
}

impl Report {
    pub(crate) fn of(world: &World) -> Self {
        Self {
            violations: std::mem::take(&mut *world.violations.lock().unwrap()),
            journal: std::mem::take(&mut *world.journal.lock().unwrap()),
            struck: std::mem::take(&mut *world.struck.lock().unwrap()),
        }
    }
}

impl Simulation {
    /// A service in this world, and a web with this site.
    pub(crate) fn new(world: &Arc<World>, limits: Limits, site: Option<Site>) -> Self {
        let connection = Connection {
            region: "local".to_owned(),
            credentials: None,
            endpoint: Some("http://simulated".to_owned()),
            http: http_client(world),
            sleep: Some(SharedAsyncSleep::new(Gates)),
        };
        let store = Arc::new(Table::new(client::dynamodb(&connection), super::TABLE));
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            operations: Arc::clone(&store) as _,
            keys: Arc::clone(&store) as Arc<dyn Keys>,
            batches: Arc::clone(&store) as Arc<dyn Batches>,
            baselines: Arc::clone(&store) as _,
            hosts: Arc::clone(&store) as _,
            webhooks: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            schedules: Arc::clone(&store) as _,
            queue: Arc::new(WorldQueue(Arc::clone(world))),
            blobs: Arc::new(WorldBlobs::new(world)),
            bus: Arc::new(WorldBus(Arc::clone(world))),
            timetable: Arc::new(LocalTicker::new(Arc::new(WorldClock(Arc::clone(world))))),
            clock: Arc::new(WorldClock(Arc::clone(world))),
            entropy: Arc::new(WorldEntropy(Arc::clone(world))),
        };
        Self {
            world: Arc::clone(world),
            app: App::new(ports, limits),
            store,
            scraper: Arc::new(Script {
                world: Arc::clone(world),
                succeeded: AtomicU64::new(0),
                site,
            }),
            tasks: Vec::new(),
            created: 0,
            started: 0,
            promised: Arc::default(),
            batches: Posted::default(),
        }
    }

    /// One thing happens.
    fn step(&mut self) {
        let world = Arc::clone(&self.world);
        match world.below(100) {
            0..70 if !self.tasks.is_empty() => self.poll_any(),
            0..73 => self.crash(),
            73 => self.step_rarely(),
            74..77 => self.create(),
            77..80 if world.controls => self.control(),
            77..80 => self.create(),
            80..90 => self.deliver(),
            90..93 => self.sweep(),
            93..96 => world.advance(Duration::from_millis(world.roll() % 5_000)),
            96..98 => world.advance(Duration::from_secs(30)),
            _ => world.advance(Duration::from_secs(70)),
        }
    }

    /// One of the rarer things happens.
    pub(crate) fn step_rarely(&mut self) {
        if self.world.below(4) == 0 {
            self.restart();
        } else {
            self.let_one_arrive();
        }
    }

    /// A call that its client has given up arrives.
    fn let_one_arrive(&self) {
        let mut late = self.world.late.lock().unwrap();
        if late.is_empty() {
            return;
        }
        let index = self.world.below(late.len());
        let (target, body) = late.swap_remove(index);
        drop(late);
        self.world.note(|| "a late call arrives".to_owned());
        let _ = arrive(&self.world, &target, &body);
    }

    /// The process ends with all that it held in memory, and another takes its place.
    fn restart(&mut self) {
        if self.world.planted == Planted::NoSweep {
            return;
        }
        self.world.count("the process restarts");
        self.world.note(|| "the process restarts".to_owned());
        self.world.restarted.store(true, Ordering::Relaxed);
        self.tasks.clear();
        self.world.messages.lock().unwrap().clear();
        let app = self.app.clone();
        self.spawn(Kind::Sweep, async move {
            let _ = app.sweep(Mode::Restart, usize::MAX).await;
            None
        });
    }

    pub(crate) fn spawn(
        &mut self,
        kind: Kind,
        future: impl Future<Output = Option<Handled>> + 'static,
    ) {
        self.started += 1;
        self.tasks.push(Task {
            number: self.started,
            kind,
            future: Box::pin(future),
        });
    }

    fn create(&mut self) {
        if self.world.below(3) == 0 {
            let (world, app) = (&self.world, &self.app);
            if let Some(creation) = self.batches.create(world, app, &self.promised) {
                self.spawn(Kind::Create, creation);
            }
            return;
        }
        if self.created == JOBS {
            return;
        }
        self.created += 1;
        // Three addresses for four jobs: some are equal.
        let body = json!({
            "type": "single-page",
            "url": format!("http://site.example/{}", self.world.below(3)),
            "delay": if self.world.below(4) == 0 { 1_000_000 } else { 0 },
            "customerId": format!("customer {}", self.world.below(2)),
        });
        let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
        let (app, promised) = (self.app.clone(), Arc::clone(&self.promised));
        self.spawn(Kind::Create, async move {
            // A client that gets no answer cannot know: nothing is promised to it.
            match app.create(&Caller::Anyone, &new).await {
                Ok(Creation::New(job)) => promised.lock().unwrap().push(job.id),
                Ok(Creation::Duplicate(id)) => promised.lock().unwrap().push(id),
                Err(_) => {}
            }
            None
        });
    }

    pub(crate) fn sweep(&mut self) {
        if self.world.planted == Planted::NoSweep {
            return;
        }
        let app = self.app.clone();
        self.spawn(Kind::Sweep, async move {
            let _ = app.sweep(Mode::Routine, 100).await;
            None
        });
    }

    pub(crate) fn deliver(&mut self) {
        let now = self.world.time();
        let envelope = {
            let mut messages = self.world.messages.lock().unwrap();
            let ready: Vec<_> = (0..messages.len())
                .filter(|at| messages[*at].0 <= now)
                .collect();
            if ready.is_empty() {
                return;
            }
            messages.remove(ready[self.world.below(ready.len())]).1
        };
        let delivery = Delivery { envelope };
        if self.world.planted == Planted::EarlyAcknowledgement {
            self.acknowledge(&delivery);
        }
        let (app, scraper) = (self.app.clone(), Arc::clone(&self.scraper));
        let message = delivery.message().clone();
        let deadline = now + INVOCATION;
        self.spawn(Kind::Work(delivery), async move {
            Some(app.work(&message, scraper.as_ref(), deadline).await)
        });
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Lets some task run to its next gate.
    pub(crate) fn poll_any(&mut self) {
        if !self.tasks.is_empty() {
            let index = self.world.below(self.tasks.len());
            self.poll(index);
        }
    }

    /// Lets a task run to its next gate.
    fn poll(&mut self, index: usize) {
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(handled) = self.tasks[index].future.as_mut().poll(&mut context) else {
            if self.scraper.has_killed() {
                self.die(index);
            }
            return;
        };
        let task = self.tasks.swap_remove(index);
        let Kind::Work(delivery) = task.kind else {
            return;
        };
        match handled {
            Some(Handled::Done) => self.acknowledge(&delivery),
            _ => self.give_back(delivery),
        }
    }

    /// Ends a task where it stands. A worker's message becomes visible again after its time.
    pub(crate) fn crash(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        let index = self.world.below(self.tasks.len());
        self.world.count("a task dies");
        self.die(index);
    }

    fn die(&mut self, index: usize) {
        let task = self.tasks.swap_remove(index);
        self.world.note(|| format!("task {} dies", task.number));
        match task.kind {
            Kind::Work(delivery) => self.give_back(delivery),
            Kind::Create if !open_batches(&self.world).is_empty() => {
                self.world.count("a batch is left by its writer");
            }
            Kind::Create | Kind::Call | Kind::Sweep => {}
        }
    }

    fn give_back(&self, delivery: Delivery) {
        if self.world.planted == Planted::EarlyAcknowledgement {
            return;
        }
        let at = self.world.time() + Duration::from_mins(6);
        self.world
            .messages
            .lock()
            .unwrap()
            .push((at, delivery.envelope));
    }

    /// A message may go once its row says what happens next without it.
    fn acknowledge(&self, delivery: &Delivery) {
        let rows = self.world.rows.lock().unwrap();
        let Some(job) = rows.get(&delivery.message().job_id) else {
            return;
        };
        // What was held back has been put away, and is sent again when it is let go.
        let held = self.world.held.load(Ordering::Relaxed);
        if held || self.world.touched.lock().unwrap().contains(&job.id) {
            return;
        }
        // A job that its customer's cap holds back has its message sent again.
        let again = self.world.put_off.lock().unwrap().contains(&job.id);
        // A job without delay that nobody has claimed yet waits for this very message, unless the
        // sweep has sent others: of those, a cap may put one away.
        let unclaimed = job.state == State::Queued && job.fence == 0 && job.resends == 0;
        if unclaimed && job.eligible_at == job.created_at && !again {
            let what = format!(
                "{} was acknowledged while its row still waits for it",
                job.id
            );
            self.world.violation(what);
        }
    }

    /// Every call that was given up arrives.
    pub(crate) fn let_all_arrive(&self) {
        while !self.world.late.lock().unwrap().is_empty() {
            self.let_one_arrive();
        }
    }
}

/// Customers have no cap, or one of a job or two.
fn limits(world: &World) -> Limits {
    Limits {
        max_active_per_customer: world.below(3) as u64,
        // Small parts, so that a batch takes several.
        jobs_at_once: 2,
        ..Limits::default()
    }
}

/// Runs a future to its end, alone.
pub(crate) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
