//! Hosts the worker on Lambda.

use aws::settings::Settings;
use aws_lambda_events::event::sqs::SqsEvent;
use jobs::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::from_environment()?;
    aws::log::start(settings.log_level);
    let app = aws::connect::app(&settings);
    let scraper = scrape::WebScraper::new(scrape::Targets::Public)?;
    let judge = scrape::judge(scrape::Targets::Public);
    let (app, tools) = (
        &app,
        worker::Tools {
            scraper: &scraper,
            courier: &scraper,
            check: scrape::check,
            judge: &judge,
        },
    );
    let handler = service_fn(async |event: LambdaEvent<SqsEvent>| {
        let deadline = Timestamp::from_millis(event.context.deadline as i64);
        Ok::<_, Error>(worker::handle(app, tools, event.payload, deadline).await)
    });
    run(handler).await.map_err(anyhow::Error::from_boxed)
}
