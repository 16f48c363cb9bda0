//! The words of `keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Args, Debug)]
#[command(after_help = "\
A key is shown once, when it is made; only its hash is kept. Without --server the keys lie in the
data folder, which no running service may be using.

Examples:
  harvestman keys create --admin                      a key that may do everything
  harvestman keys create --customer acme --label ci   a key for the jobs of one customer
  harvestman keys list --json
  harvestman keys revoke key_01k9zq3v7m8n4r2t6w0x5y1z3b
  harvestman keys list --server http://127.0.0.1:3000

HARVESTMAN_URL stands for --server, HARVESTMAN_API_KEY for --key.")]
pub struct Keys {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it, alone on its line.
    Create(CreateKey),
    /// List all keys, newest first, without their secrets.
    List(ListKeys),
    /// Make a key useless, for good.
    Revoke(RevokeKey),
}

#[derive(Args, Debug)]
pub struct CreateKey {
    #[command(flatten)]
    pub whose: Whose,
    /// A name for people, at most 128 characters.
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// Keep nothing: print the key with its hash, for `serve --admin-key-hash` and `AdminKeyHash`.
    #[arg(long, conflicts_with_all = ["customer", "label", "data_dir", "server", "key"])]
    pub offline: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// A key that sees and may do everything.
    #[arg(long)]
    pub admin: bool,
    /// A key for the jobs of this customer alone.
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
}

#[derive(Args, Debug)]
pub struct ListKeys {
    #[command(flatten)]
    pub place: Place,
}

#[derive(Args, Debug)]
pub struct RevokeKey {
    /// Id of the key, as `keys list` prints it.
    #[arg(value_name = "KEY_ID")]
    pub id: String,
    #[command(flatten)]
    pub place: Place,
}

/// Where the keys are.
#[derive(Args, Debug)]
pub struct Place {
    /// Folder with the data of a service that does not run; .harvestman unless told.
    #[arg(long, value_name = "FOLDER", conflicts_with = "server")]
    pub data_dir: Option<PathBuf>,
    /// Running service to ask instead: https, or http on this machine.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Admin's key for that service; other users of this machine may see it here.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
}
