//! `keys`: makes, lists and revokes API keys, in a data folder or at a running service. Both are
//! asked in the words of the API, so that both answer the same.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use hyper::Method;
use jobs::ApiKey;
use jobs::app::Limits;
use jobs::ports::Entropy;
use serde_json::{Value, json};

use crate::cli::{CreateKey, DEFAULT_FOLDER, Keys, KeysCommand, Place, RevokeKey};
use crate::data_dir::DataDir;
use crate::endpoint::Endpoint;
use crate::host::Host;
use crate::remote::Remote;

const URL: &str = "HARVESTMAN_URL";
const API_KEY: &str = "HARVESTMAN_API_KEY";

/// The command. What the service refuses is exit code 1 and one line.
pub async fn run(options: &Keys) -> anyhow::Result<ExitCode> {
    let ended = match &options.command {
        KeysCommand::Create(options) if options.offline => {
            offline(options);
            return Ok(ExitCode::SUCCESS);
        }
        KeysCommand::Create(options) => create(options).await?,
        KeysCommand::List(options) => list(&options.place).await?,
        KeysCommand::Revoke(options) => revoke(options).await?,
    };
    Ok(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refused(why)) => {
            eprintln!("harvestman: {why}");
            ExitCode::FAILURE
        }
    })
}

/// Why a service does not do what it was asked, in one line.
struct Refused(String);

/// The service that has the keys.
struct Keyring {
    service: Endpoint,
    /// Its data, where it lies here and the service does not run.
    _host: Option<Host>,
}

impl Keyring {
    fn open(place: &Place, create: bool) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = match (&place.data_dir, &place.server) {
            (Some(_), _) => None,
            (None, Some(server)) => Some(server.clone()),
            (None, None) => variable(URL),
        };
        if let Some(server) = server {
            let key = place.key.clone().or_else(|| variable(API_KEY));
            let remote = Remote::parse(&server, key.as_deref())?;
            return Ok(Self {
                service: Endpoint::Running(remote),
                _host: None,
            });
        }
        let folder = place.data_dir.clone();
        let folder = folder.unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER));
        if !create && !DataDir::is_used(&folder) {
            bail!("there is no data in {}", folder.display());
        }
        let host = Host::open_alone(&folder, Limits::default())?;
        Ok(Self {
            service: Endpoint::here(&host.app),
            _host: Some(host),
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Value, Refused>> {
        let answer = self.service.ask(method, path, body, None).await?;
        let said = answer.json()?;
        Ok(if answer.status < 400 {
            Ok(said)
        } else {
            Err(Refused(sentence(answer.status, &said)))
        })
    }
}

/// What an error of the API says, on one line.
fn sentence(status: u16, answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = match &answer["details"] {
        Value::Array(problems) => {
            let problems = problems.iter().map(|problem| {
                format!("{}: {}", text(&problem["field"]), text(&problem["message"]))
            });
            problems.collect::<Vec<_>>().join("; ")
        }
        Value::String(said) => said.clone(),
        _ => text(&answer["error"]),
    };
    if said.is_empty() {
        return format!("the service answers {status}");
    }
    said
}

async fn create(options: &CreateKey) -> anyhow::Result<Result<(), Refused>> {
    let service = Keyring::open(&options.place, true)?;
    let mut body = match &options.whose.customer {
        Some(customer) => json!({"customerId": customer}),
        None => json!({"admin": true}),
    };
    if let Some(label) = &options.label {
        body["label"] = json!(label);
    }
    let made = service.ask(Method::POST, "/api/keys", Some(&body)).await?;
    Ok(made.map(|key| {
        if options.place.json {
            say!("{key:#}");
        } else {
            eprintln!("{}; keep it now, it is not shown again:", described(&key));
            say!("{}", key["key"].as_str().unwrap_or_default());
        }
    }))
}

/// A key that is kept nowhere, with its hash.
fn offline(options: &CreateKey) {
    let entropy = aws::host::SystemEntropy;
    let key = ApiKey::new([entropy.next(), entropy.next()]);
    let hash = key.hash();
    if options.place.json {
        let made = json!({"key": key.reveal(), "hash": hash.to_string()});
        say!("{made:#}");
    } else {
        eprintln!("Hash for serve --admin-key-hash, or AdminKeyHash of the template: {hash}");
        eprintln!("An admin's key; keep it now, it is not shown again:");
        say!("{}", key.reveal());
    }
}

async fn list(place: &Place) -> anyhow::Result<Result<(), Refused>> {
    let service = Keyring::open(place, false)?;
    let mut keys = Vec::new();
    let mut path = "/api/keys".to_owned();
    loop {
        let mut page = match service.ask(Method::GET, &path, None).await? {
            Ok(page) => page,
            Err(refused) => return Ok(Err(refused)),
        };
        let Value::Array(found) = page["keys"].take() else {
            bail!("the service does not list keys");
        };
        keys.extend(found);
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/keys?cursor={cursor}"),
            None => break,
        }
    }
    if place.json {
        say!("{:#}", json!({ "keys": keys }));
    } else if keys.is_empty() {
        say!("There are no keys");
    }
    for key in keys.iter().filter(|_| !place.json) {
        let created = key["createdAt"].as_str().unwrap_or_default();
        match key["revokedAt"].as_str() {
            Some(revoked) => say!("{}, created {created}, revoked {revoked}", described(key)),
            None => say!("{}, created {created}", described(key)),
        }
    }
    Ok(Ok(()))
}

async fn revoke(options: &RevokeKey) -> anyhow::Result<Result<(), Refused>> {
    // It becomes part of a path.
    let id = jobs::KeyId::parse(&options.id)
        .context("the id of a key looks like key_01k9zq3v7m8n4r2t6w0x5y1z3b; see keys list")?;
    let service = Keyring::open(&options.place, false)?;
    let path = format!("/api/keys/{id}");
    let revoked = service.ask(Method::DELETE, &path, None).await?;
    Ok(revoked.map(|key| {
        if options.place.json {
            say!("{key:#}");
        } else {
            say!("{}, revoked", described(&key));
        }
    }))
}

/// Whose key it is, in a few words.
fn described(key: &Value) -> String {
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let whose = match key["customerId"].as_str() {
        Some(customer) => format!("customer {customer}"),
        None => "admin".to_owned(),
    };
    let label = match key["label"].as_str() {
        Some(label) => format!(" ({label})"),
        None => String::new(),
    };
    format!("{} of {whose}{label}", text("id"))
}
