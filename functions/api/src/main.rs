//! Hosts the API on Lambda.

use aws::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::from_environment()?;
    aws::log::start(settings.log_level);
    let router = api::router(aws::connect::app(&settings), scrape::check);
    let served = lambda_http::run(router).await;
    served.map_err(anyhow::Error::from_boxed)
}
