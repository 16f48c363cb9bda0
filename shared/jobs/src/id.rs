//! Typed identifiers: prefixed, time-sortable, safe in URLs and keys.

use std::fmt;

use ulid::Ulid;

use crate::time::Timestamp;

/// `job_` and 26 characters of lower-case Crockford base 32 (a ULID): sorts by creation time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(String);

impl JobId {
    const PREFIX: &str = "job_";

    /// An id for a job created at `now`; `random` makes it unique among those of the millisecond.
    pub fn new(now: Timestamp, random: u128) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let ulid = Ulid::from_parts(millis, random).to_string();
        Self(format!("{}{}", Self::PREFIX, ulid.to_ascii_lowercase()))
    }

    /// Reads an id; `None` for anything that we cannot have made.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(Self::PREFIX)?;
        let known = body.len() == ulid::ULID_LEN
            && body
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (known && Ulid::from_string(body).is_ok()).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A small stable number for spreading jobs over `shards` index partitions.
    pub fn shard(&self, shards: u32) -> u32 {
        // FNV-1a: spread matters, secrecy does not.
        let hash = self.0.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        hash % shards
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_jobs_sort_after_earlier_ones() {
        let early = JobId::new(Timestamp::from_millis(1_000), u128::MAX);
        let late = JobId::new(Timestamp::from_millis(1_001), 0);
        assert!(early < late, "{early} {late}");
        assert_eq!(JobId::parse(early.as_str()), Some(early));
    }

    #[test]
    fn what_we_never_made_is_no_id() {
        for text in [
            "",
            "job_",
            "job_123456",
            "JOB_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "job_01arz3ndektsv4rrffq69g5fa!",
        ] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
    }
}
