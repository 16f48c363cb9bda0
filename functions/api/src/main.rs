//! Hosts the API on Lambda.

use api::Access;
use aws::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::from_environment()?;
    aws::log::start(settings.log_level);
    let access = if settings.require_keys {
        Access::Keys
    } else {
        Access::Open
    };
    let judge = std::sync::Arc::new(scrape::judge(scrape::Targets::Public));
    let router = api::router(aws::connect::app(&settings), scrape::check, judge, access);
    let served = lambda_http::run(router).await;
    served.map_err(anyhow::Error::from_boxed)
}
