//! The command line of Harvestman. Exit codes: 0 done, 1 the work failed, 2 it could not
//! start, 130 interrupted before it was done.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use local::cli::{Cli, Command};
use local::{crawl, demo, keys, scrape_page, serve};
use tracing_subscriber::EnvFilter;

/// The SDK says at length what the line that names the failed call says as well.
const QUIET: &str = "warn,aws_smithy_runtime=off";

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("harvestman: {error}");
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(run());
    // Who was told that it ends at once does not wait for a lookup that nobody wants any more.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
    let on_lambda = std::env::var_os("AWS_LAMBDA_FUNCTION_VERSION").is_some();
    let cli = Cli::parse();
    let ended = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => serve::run(&options, on_lambda).await,
        Command::Demo(options) => demo::run(&options).await,
        Command::Crawl(options) => crawl::run(*options, on_lambda).await,
        Command::Keys(options) => keys::run(&options).await,
        Command::Scrape(options) => scrape_page::run(&options, on_lambda).await,
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("harvestman: {error:#}");
            ExitCode::from(2)
        }
    }
}
