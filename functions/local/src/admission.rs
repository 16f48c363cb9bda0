//! Who may use the service of this process: everybody on this machine, or who has a key. Refuses to
//! be open to any other machine without keys.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, bail};
use api::Access;
use jobs::{App, Caller, Grants, KeyHash};

use crate::cli::{DEFAULT_FOLDER, Serve};
use crate::host::Data;

#[derive(Clone, Copy, Debug)]
pub struct Admission {
    pub listen: IpAddr,
    pub require_keys: bool,
    /// A key with this hash is an admin's, though it is kept nowhere.
    pub admin_key: Option<KeyHash>,
}

impl Admission {
    /// Everybody on this machine.
    pub const OPEN: Self = Self {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        require_keys: false,
        admin_key: None,
    };

    pub fn of(options: &Serve) -> anyhow::Result<Self> {
        let hash = options.admin_key_hash.as_deref();
        let hash = hash.filter(|hash| !hash.is_empty()).map(|hash| {
            // Not repeated: it may be the key itself, given by mistake.
            KeyHash::parse(hash).context("--admin-key-hash takes 64 hexadecimal digits")
        });
        Ok(Self {
            listen: options.listen,
            require_keys: options.require_keys,
            admin_key: hash.transpose()?,
        })
    }

    pub fn access(&self) -> Access {
        if self.require_keys || !self.listen.is_loopback() {
            Access::Keys
        } else {
            Access::Open
        }
    }

    /// Fails where keys are needed and nobody has one that lets others in; says how to make it for
    /// this `data`.
    pub async fn check(&self, app: &App, data: &Data) -> anyhow::Result<()> {
        if self.access() == Access::Open || self.admin_key.is_some() || has_admin(app).await? {
            return Ok(());
        }
        let needed = if self.require_keys {
            "--require-keys needs".to_owned()
        } else {
            format!("listening on {} needs", self.listen)
        };
        let rest = match data {
            Data::Memory => " --offline, and give its hash as --admin-key-hash".to_owned(),
            Data::Folder(folder) if folder.as_os_str() == DEFAULT_FOLDER => String::new(),
            Data::Folder(folder) => format!(" --data-dir {}", folder.display()),
        };
        bail!("{needed} an admin's key; create one first: harvestman keys create --admin{rest}")
    }

    /// What to tell whoever starts the service.
    pub fn lines(&self) -> Vec<&'static str> {
        match (self.access(), self.listen.is_loopback()) {
            (Access::Open, _) => vec!["Everybody on this machine may use it: keys are off"],
            (Access::Keys, true) => vec![REQUIRED],
            (Access::Keys, false) => vec![
                REQUIRED,
                "Keys travel as they are over plain HTTP: put TLS in front for other machines",
            ],
        }
    }
}

const REQUIRED: &str = "A key is required, sent as Authorization: Bearer KEY";

async fn has_admin(app: &App) -> anyhow::Result<bool> {
    const PAGE: usize = 100;
    let mut before = None;
    loop {
        let page = app.list_keys(&Caller::Admin, before.as_ref(), PAGE).await?;
        let good = |key: &jobs::KeyRecord| key.grants == Grants::Admin && key.revoked_at.is_none();
        if page.keys.iter().any(good) {
            return Ok(true);
        }
        before = page.next;
        if before.is_none() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_machine_is_let_in_without_a_key() {
        for (listen, access) in [
            ("127.0.0.1", Access::Open),
            ("::1", Access::Open),
            ("0.0.0.0", Access::Keys),
            ("::", Access::Keys),
            ("192.168.1.2", Access::Keys),
        ] {
            let listen = listen.parse().unwrap();
            let admission = Admission {
                listen,
                ..Admission::OPEN
            };
            assert_eq!(admission.access(), access, "{listen}");
            let required = Admission {
                require_keys: true,
                ..admission
            };
            assert_eq!(required.access(), Access::Keys, "{listen}");
        }
    }
}
