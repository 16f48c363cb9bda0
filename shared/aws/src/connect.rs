//! Puts the ports of a function together from its settings. Refuses to connect: the first call of
//! each port does that.

use std::sync::Arc;

use jobs::App;
use jobs::app::Ports;

use crate::bus::EventBus;
use crate::client::{self, Connection};
use crate::host::{SystemClock, SystemEntropy};
use crate::queue::Queues;
use crate::s3::S3Blobs;
use crate::settings::Settings;
use crate::table::Table;
use crate::timetable::Schedules;

/// The service on AWS, as its functions host it.
pub fn app(settings: &Settings) -> App {
    App::new(ports(settings), settings.limits)
        .with_admin_key(settings.admin_key)
        .with_webhook_key(settings.webhook_key.clone())
}

/// Every port on AWS, or on what stands in for it.
pub fn ports(settings: &Settings) -> Ports {
    let http = Connection::network();
    let connection = |endpoint: &Option<String>| Connection {
        region: settings.region.clone(),
        credentials: Some(settings.credentials.clone()),
        endpoint: endpoint.clone(),
        http: http.clone(),
        sleep: None,
    };
    let dynamodb = client::dynamodb(&connection(&settings.endpoints.dynamodb));
    let sqs = client::sqs(&connection(&settings.endpoints.sqs));
    let events = client::eventbridge(&connection(&settings.endpoints.eventbridge));
    let scheduler = client::scheduler(&connection(&settings.endpoints.scheduler));
    let timetable = Schedules::new(scheduler, settings.schedules.clone(), Arc::new(SystemClock));
    let table = Arc::new(Table::new(dynamodb, settings.table.clone()));
    Ports {
        store: Arc::clone(&table) as _,
        operations: Arc::clone(&table) as _,
        keys: Arc::clone(&table) as _,
        batches: Arc::clone(&table) as _,
        baselines: Arc::clone(&table) as _,
        hosts: Arc::clone(&table) as _,
        webhooks: Arc::clone(&table) as _,
        deliveries: Arc::clone(&table) as _,
        schedules: table,
        queue: Arc::new(Queues::new(sqs, settings.queues.clone())),
        blobs: Arc::new(S3Blobs::new(settings)),
        bus: Arc::new(EventBus::new(events, settings.event_bus.clone())),
        timetable: Arc::new(timetable),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    }
}
