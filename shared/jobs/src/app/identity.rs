//! Who is asking: from a secret to a caller, and the keys themselves. Refuses to trust a memory of
//! a key for longer than half a minute, so that a revocation takes effect everywhere by then, and
//! at once in the process that made it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::KeyId;
use crate::key::{ApiKey, KeyHash, KeyRecord, NewKey};
use crate::ports::ListedKeys;
use crate::time::Timestamp;

/// A key that was found counts as good for this long without another look.
pub const KEY_MEMORY: Duration = Duration::from_secs(30);
/// Keys remembered at once.
const MOST_REMEMBERED: usize = 1_000;

/// What this process knows about keys.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// An admin's key that has no record: how the first one gets in.
    admin: Option<KeyHash>,
    memory: Mutex<Memory>,
}

/// Keys that were found. Those that were not are looked up every time: a caller who guesses never
/// guesses the same one twice.
#[derive(Debug, Default)]
struct Memory {
    found: HashMap<KeyHash, (Timestamp, Caller)>,
    /// Grows with every revocation: what was read before one is not remembered after it.
    revocations: u64,
}

impl Identity {
    fn with<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A clock that was set back makes nothing young again.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

impl Memory {
    fn recall(&self, hash: &KeyHash, now: Timestamp) -> Option<Caller> {
        let (at, caller) = self.found.get(hash)?;
        (apart(now, *at) < KEY_MEMORY).then(|| caller.clone())
    }

    fn remember(&mut self, hash: KeyHash, caller: Caller, now: Timestamp, revocations: u64) {
        if self.revocations != revocations {
            return;
        }
        if self.found.len() >= MOST_REMEMBERED {
            self.found.retain(|_, (at, _)| apart(now, *at) < KEY_MEMORY);
        }
        if self.found.len() < MOST_REMEMBERED {
            self.found.insert(hash, (now, caller));
        }
    }

    fn forget(&mut self, hash: &KeyHash) {
        self.found.remove(hash);
        self.revocations += 1;
    }
}

impl App {
    /// Makes the key with this hash an admin's, without a record of it.
    #[must_use]
    pub fn with_admin_key(mut self, hash: Option<KeyHash>) -> Self {
        self.identity = Arc::new(Identity {
            admin: hash,
            memory: Mutex::default(),
        });
        self
    }

    /// Whom this secret stands for; `None` where it is no key, or one that was revoked.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Caller>, Error> {
        let Some(hash) = ApiKey::parse(secret).map(|key| key.hash()) else {
            return Ok(None);
        };
        if self.identity.admin == Some(hash) {
            return Ok(Some(Caller::Admin));
        }
        let now = self.now();
        let recall = |memory: &mut Memory| (memory.recall(&hash, now), memory.revocations);
        let (known, revocations) = self.identity.with(recall);
        if known.is_some() {
            return Ok(known);
        }
        let found = self.ports.keys.find_key(&hash).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else {
            return Ok(None);
        };
        let caller = key.grants.caller();
        self.identity
            .with(|memory| memory.remember(hash, caller.clone(), now, revocations));
        Ok(Some(caller))
    }

    /// Makes a key. Its secret is given here and never again.
    pub async fn create_key(
        &self,
        caller: &Caller,
        new: NewKey,
    ) -> Result<(KeyRecord, ApiKey), Error> {
        admins_alone(caller)?;
        let now = self.now();
        let secret = ApiKey::new([self.ports.entropy.next(), self.ports.entropy.next()]);
        let key = KeyRecord {
            id: KeyId::new(now, self.ports.entropy.next()),
            hash: secret.hash(),
            grants: new.grants,
            label: new.label,
            created_at: now,
            revoked_at: None,
        };
        self.ports.keys.add_key(&key).await?;
        tracing::info!(key = %key.id, grants = ?key.grants, "key created");
        Ok((key, secret))
    }

    /// Up to `limit` keys that are older than `before`, newest first, revoked ones included.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        before: Option<&KeyId>,
        limit: usize,
    ) -> Result<ListedKeys, Error> {
        admins_alone(caller)?;
        Ok(self.ports.keys.list_keys(before, limit).await?)
    }

    /// Revokes the key with this id, for good; again changes nothing. `None` where there is none.
    pub async fn revoke_key(&self, caller: &Caller, id: &str) -> Result<Option<KeyRecord>, Error> {
        admins_alone(caller)?;
        let Some(id) = &KeyId::parse(id) else {
            return Ok(None);
        };
        let revoked = self.ports.keys.revoke_key(id, self.now()).await?;
        if let Some(key) = &revoked {
            self.identity.with(|memory| memory.forget(&key.hash));
            tracing::info!(key = %key.id, "key revoked");
        }
        Ok(revoked)
    }
}

fn admins_alone(caller: &Caller) -> Result<(), Error> {
    if caller.is_admin() {
        return Ok(());
    }
    let why = "only an admin's key may do this";
    Err(Error::Forbidden(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_read_before_a_revocation_is_not_remembered_after_it() {
        let now = Timestamp::from_millis(1_000_000);
        let hash = ApiKey::new([1, 2]).hash();
        let mut memory = Memory::default();
        memory.remember(hash, Caller::Admin, now, 0);
        assert_eq!(memory.recall(&hash, now), Some(Caller::Admin));
        assert_eq!(memory.recall(&hash, now + KEY_MEMORY), None);
        memory.forget(&hash);
        memory.remember(hash, Caller::Admin, now, 0);
        assert_eq!(memory.recall(&hash, now), None);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_key_alive() {
        let now = Timestamp::from_millis(10_000_000);
        let (mut memory, hash) = (Memory::default(), ApiKey::new([1, 1]).hash());
        memory.remember(hash, Caller::Admin, now, 0);
        assert!(memory.recall(&hash, now).is_some());
        assert_eq!(memory.recall(&hash, now - Duration::from_hours(1)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let now = Timestamp::from_millis(1_000_000);
        let mut memory = Memory::default();
        for number in 0..2 * MOST_REMEMBERED as u128 {
            let hash = ApiKey::new([number, 0]).hash();
            memory.remember(hash, Caller::Admin, now, 0);
        }
        assert_eq!(memory.found.len(), MOST_REMEMBERED);
        let late = ApiKey::new([0, 1]).hash();
        memory.remember(late, Caller::Admin, now + KEY_MEMORY, 0);
        assert_eq!(memory.found.len(), 1);
    }
}
