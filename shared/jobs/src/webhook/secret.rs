//! Secrets of webhooks and what is signed with them (Standard Webhooks 1.0, symmetric signatures).
//! Refuses to keep a secret: each is derived from the deployment's key when it is needed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::id::WebhookId;
use crate::spec::CustomerId;

/// The version of a symmetric signature.
pub const SIGNATURE_VERSION: &str = "v1";
/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// What sets these secrets apart from others that may be derived from the same key.
const PURPOSE: &str = "harvestman webhook\n";
/// Fewest characters of a text that a key is made of: what 32 bytes take in base 64.
const LEAST_MATERIAL: usize = 43;

/// The key of a deployment, from which the secrets of all webhooks are derived.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookKey([u8; 32]);

impl WebhookKey {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that a text of at least 43 random characters stands for; `None` where it is shorter.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.len() >= LEAST_MATERIAL).then(|| Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// The secret of an endpoint; each version is another one.
    pub fn of_webhook(&self, id: &WebhookId, version: u32) -> Secret {
        self.secret(id.as_str(), version)
    }

    /// The secret of what a customer's jobs name themselves.
    pub fn of_customer(&self, customer: &CustomerId) -> Secret {
        self.secret(&format!("customer\n{customer}"), 1)
    }

    fn secret(&self, owner: &str, version: u32) -> Secret {
        let named = format!("{PURPOSE}{owner}\n{version}");
        Secret(mac(&self.0, &[named.as_bytes()]))
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookKey(hidden)")
    }
}

/// What a receiver verifies signatures with: 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret as its owner is told it: `whsec_` and base 64.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

/// The value of `webhook-signature`: for each secret a signature over id, time and body, apart by
/// spaces. `at` is in whole seconds since the epoch, as `webhook-timestamp` has it.
pub fn sign(secrets: &[Secret], id: &str, at: i64, body: &str) -> String {
    let head = format!("{id}.{at}.");
    let signature = |secret: &Secret| {
        let code = mac(&secret.0, &[head.as_bytes(), body.as_bytes()]);
        format!("{SIGNATURE_VERSION},{}", STANDARD.encode(code))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length will do; this one is half a block.
    let mut padded = [0; 64];
    padded[..key.len()].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&padded).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn the_code_is_that_of_rfc_4231() {
        // Test case 2 has a key of 4 bytes, which zeros up to 32 do not change.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let code = mac(&key, &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            crate::spec::hex(&code),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn every_owner_and_version_has_a_secret_of_its_own_that_is_always_the_same() {
        let key = WebhookKey::new([7; 32]);
        let id = WebhookId::new(Timestamp::from_millis(5), 1);
        let other = WebhookId::new(Timestamp::from_millis(5), 2);
        let customer = CustomerId::default();
        let secrets = [
            key.of_webhook(&id, 1),
            key.of_webhook(&id, 2),
            key.of_webhook(&id, 12),
            key.of_webhook(&other, 1),
            key.of_customer(&customer),
            key.of_customer(&CustomerId::parse("other").unwrap()),
            WebhookKey::new([8; 32]).of_webhook(&id, 1),
        ];
        for (index, secret) in secrets.iter().enumerate() {
            let bytes = STANDARD.decode(&secret.reveal()[PREFIX.len()..]).unwrap();
            assert_eq!(bytes.len(), 32);
            let later = &secrets[index + 1..];
            assert!(later.iter().all(|other| other != secret), "{index}");
        }
        assert_eq!(key.of_webhook(&id, 1), secrets[0]);
    }

    #[test]
    fn neither_keys_nor_secrets_show_by_accident() {
        let key = WebhookKey::new([7; 32]);
        let secret = key.of_customer(&CustomerId::default());
        assert_eq!(
            format!("{key:?} {secret:?}"),
            "WebhookKey(hidden) Secret(hidden)"
        );
    }

    #[test]
    fn a_text_is_a_key_where_it_is_long_enough_to_be_random() {
        assert_eq!(WebhookKey::of_text(&"a".repeat(42)), None);
        let key = WebhookKey::of_text(&"a".repeat(43)).unwrap();
        assert_eq!(
            WebhookKey::of_text(&format!("{}\n", "a".repeat(43))),
            Some(key)
        );
    }

    #[test]
    fn there_is_a_signature_for_each_secret() {
        let key = WebhookKey::new([7; 32]);
        let id = WebhookId::new(Timestamp::from_millis(5), 1);
        let both = [key.of_webhook(&id, 2), key.of_webhook(&id, 1)];
        let signed = sign(&both, "evt_1", 1_700_000_000, "{}");
        let parts: Vec<_> = signed.split(' ').collect();
        assert_eq!(parts.len(), 2);
        for (secret, part) in both.iter().zip(parts) {
            let alone = sign(std::slice::from_ref(secret), "evt_1", 1_700_000_000, "{}");
            assert_eq!(alone, part);
        }
    }
}
