//! API keys: the secret that a caller holds, the hash by which it is known here, and whom it stands
//! for. Refuses to show a secret by accident: only [`ApiKey::reveal`] does.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::body::Reader;
use crate::caller::Caller;
use crate::error::Problem;
use crate::id::KeyId;
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// A secret: `hm_` and 52 characters of lower-case Crockford base 32, which hold 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    const PREFIX: &str = "hm_";

    /// A key made of random bits, which must come from a source that nobody can guess.
    pub fn new(random: [u128; 2]) -> Self {
        // A ULID's text is how this crate writes 128 bits; there is no time in these.
        let [first, second] = random.map(|half| Ulid(half).to_string().to_ascii_lowercase());
        Self(format!("{}{first}{second}", Self::PREFIX))
    }

    /// Reads a key; `None` for anything that we cannot have made.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(Self::PREFIX)?;
        let plain = body
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !plain || body.len() != 2 * ulid::ULID_LEN {
            return None;
        }
        let (first, second) = body.split_at(ulid::ULID_LEN);
        let known = [first, second].map(Ulid::from_string);
        known
            .iter()
            .all(Result::is_ok)
            .then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the one answer that hands it over.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(hidden)")
    }
}

/// SHA-256 of a secret, which is random enough to need neither salt nor stretching. `Display` is 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyHash({self})")
    }
}

/// Whom a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grants {
    Admin,
    Customer(CustomerId),
}

impl Grants {
    pub fn caller(&self) -> Caller {
        match self {
            Self::Admin => Caller::Admin,
            Self::Customer(customer) => Caller::Customer(customer.clone()),
        }
    }
}

/// What is kept of a key. The secret is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub id: KeyId,
    pub hash: KeyHash,
    pub grants: Grants,
    pub label: Option<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    pub grants: Grants,
    pub label: Option<String>,
}

impl NewKey {
    /// Most characters of a label.
    pub const MAX_LABEL: usize = 128;

    /// Reads `{"customerId": ...}` or `{"admin": true}`, and an optional `label`.
    pub fn parse(body: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let customer = reader.text("customerId", 1, CustomerId::MAX_CHARS);
        let customer = customer.and_then(CustomerId::parse);
        let admin = reader.bool("admin") == Some(true);
        let label = reader.text("label", 1, Self::MAX_LABEL).map(str::to_owned);
        let named = body.get("customerId").is_some_and(|value| !value.is_null());
        if admin && named {
            reader.problem("admin", "must not be true where customerId is given");
        }
        if body.is_object() && !admin && !named {
            reader.problem("customerId", "must be given, unless admin is true");
        }
        let grants = match customer {
            Some(customer) => Some(Grants::Customer(customer)),
            None => admin.then_some(Grants::Admin),
        };
        let problems = reader.finish();
        match grants {
            Some(grants) if problems.is_empty() => Ok(Self { grants, label }),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_reads_back_has_a_stable_hash_and_hides_its_secret() {
        let key = ApiKey::new([0, u128::MAX]);
        let text = "hm_000000000000000000000000007zzzzzzzzzzzzzzzzzzzzzzzzz";
        assert_eq!(key.reveal(), text);
        assert_eq!(ApiKey::parse(text).as_ref(), Some(&key));
        assert!(!format!("{key:?}").contains(&text[3..]));
        let hash = key.hash();
        assert_eq!(hash.to_string().len(), 64);
        assert_eq!(KeyHash::parse(&hash.to_string()), Some(hash));
        assert_ne!(ApiKey::new([1, 0]).hash(), ApiKey::new([0, 1]).hash());
    }

    #[test]
    fn what_we_never_made_is_no_key_and_no_hash() {
        let key = ApiKey::new([1, 2]);
        let upper = key.reveal().to_ascii_uppercase();
        let longer = format!("{}0", key.reveal());
        let dashed = key.reveal().replace('1', "-");
        for text in ["", "hm_", "hm_0", &upper, &longer, &dashed, "hm_\u{1f577}"] {
            assert_eq!(ApiKey::parse(text), None, "{text}");
        }
        let (sign, short) = (format!("+1{}", "0".repeat(62)), "0".repeat(63));
        for text in ["", "0", &sign, &short, &"é".repeat(32)] {
            assert_eq!(KeyHash::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_either_a_customers_or_an_admins() {
        let read = |body: &Value| {
            let problems = NewKey::parse(body).unwrap_err().into_iter();
            problems.map(|problem| problem.field).collect::<Vec<_>>()
        };
        let admin = NewKey::parse(&json!({"admin": true, "label": "ops"})).unwrap();
        assert_eq!(admin.grants, Grants::Admin);
        assert_eq!(admin.label.as_deref(), Some("ops"));
        let own = NewKey::parse(&json!({"customerId": "own", "admin": false})).unwrap();
        let customer = CustomerId::parse("own").unwrap();
        assert_eq!(own.grants, Grants::Customer(customer));
        assert_eq!(read(&json!({})), ["customerId"]);
        assert_eq!(read(&json!([])), ["body"]);
        assert_eq!(read(&json!({"customerId": ""})), ["customerId"]);
        let both = json!({"customerId": "own", "admin": true, "label": 1, "x": 1});
        assert_eq!(read(&both), ["label", "admin", "x"]);
    }
}
