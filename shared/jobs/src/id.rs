//! Typed identifiers: prefixed, time-sortable, safe in URLs and keys.

use std::fmt;

use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::time::Timestamp;

/// Defines a type of identifiers: a prefix and 26 characters of lower-case Crockford base 32 (a
/// ULID), which sorts by time of creation.
macro_rules! id {
    ($(#[$about:meta])* $name:ident, $prefix:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            const PREFIX: &str = $prefix;

            /// An id of something made at `now`; `random` makes it unique among those of the
            /// millisecond.
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

            /// A small stable number for spreading rows over `shards` index partitions.
            pub fn shard(&self, shards: u32) -> u32 {
                // FNV-1a: spread matters, secrecy does not.
                let hash = self.0.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
                    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
                });
                hash % shards
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id!(
    /// `job_...`, of a job.
    JobId,
    "job_"
);
id!(
    /// `bat_...`, of a batch of jobs that is being created.
    BatchId,
    "bat_"
);
id!(
    /// `op_...`, of an operation on many jobs.
    OperationId,
    "op_"
);

id!(
    /// `key_...`, of an API key; says nothing about its secret.
    KeyId,
    "key_"
);
id!(
    /// `sch_...`, of a schedule: of a job that recurs.
    ScheduleId,
    "sch_"
);
id!(
    /// `whk_...`, of an endpoint that events are delivered to.
    WebhookId,
    "whk_"
);
id!(
    /// `dlv_...`, of one event's delivery to one endpoint.
    DeliveryId,
    "dlv_"
);

impl JobId {
    /// The id of the job at one place of a batch, counted from 0: always the same, and in the order
    /// of the places.
    pub fn of_batch(batch: &BatchId, index: usize) -> Self {
        // Every id holds a ULID; this one's random part is the first of a row of numbers.
        let first = Ulid::from_string(&batch.0[BatchId::PREFIX.len()..]).unwrap_or_default();
        let random = first.random().wrapping_add(index as u128);
        let ulid = Ulid::from_parts(first.timestamp_ms(), random).to_string();
        Self(format!("{}{}", Self::PREFIX, ulid.to_ascii_lowercase()))
    }
}

impl JobId {
    /// The id of the job that a schedule makes for one instant: always the same.
    pub fn of_tick(schedule: &ScheduleId, at: Timestamp) -> Self {
        let name = format!("{schedule} {}", at.as_millis());
        let digest = Sha256::digest(name.as_bytes());
        let random = digest.iter().take(10);
        let random = random.fold(0, |number, byte| (number << 8) | u128::from(*byte));
        Self::new(at, random)
    }
}

impl OperationId {
    /// The id of an operation on one job: always the same for the same number.
    pub fn of_job(job: &JobId, number: u128) -> Self {
        let job = Ulid::from_string(&job.0[JobId::PREFIX.len()..]).unwrap_or_default();
        let ulid = Ulid::from_parts(job.timestamp_ms(), number).to_string();
        Self(format!("{}{}", Self::PREFIX, ulid.to_ascii_lowercase()))
    }
}

/// The id of any row that can come due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    Job(JobId),
    Batch(BatchId),
    Operation(OperationId),
    Schedule(ScheduleId),
}

impl RowId {
    pub fn parse(text: &str) -> Option<Self> {
        JobId::parse(text)
            .map(Self::Job)
            .or_else(|| BatchId::parse(text).map(Self::Batch))
            .or_else(|| OperationId::parse(text).map(Self::Operation))
            .or_else(|| ScheduleId::parse(text).map(Self::Schedule))
    }

    pub fn as_job(&self) -> Option<&JobId> {
        match self {
            Self::Job(id) => Some(id),
            Self::Batch(_) | Self::Operation(_) | Self::Schedule(_) => None,
        }
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
    fn the_jobs_of_a_batch_are_always_named_the_same_in_their_order() {
        for random in [7, (1 << 80) - 2] {
            let batch = BatchId::new(Timestamp::from_millis(1_000), random);
            let ids: Vec<_> = (0..100).map(|it| JobId::of_batch(&batch, it)).collect();
            assert_eq!(JobId::of_batch(&batch, 99), ids[99]);
            let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), 100);
            for id in &ids {
                assert_eq!(JobId::parse(id.as_str()).as_ref(), Some(id));
            }
            assert!(random != 7 || ids.is_sorted());
        }
    }

    #[test]
    fn the_job_of_a_tick_is_always_named_the_same_and_as_no_other() {
        let at = Timestamp::from_millis(60_000);
        let [one, other] = [1, 2].map(|random| ScheduleId::new(Timestamp::default(), random));
        let id = JobId::of_tick(&one, at);
        assert_eq!(JobId::of_tick(&one, at), id);
        assert_eq!(JobId::parse(id.as_str()).as_ref(), Some(&id));
        assert_ne!(JobId::of_tick(&other, at), id);
        assert_ne!(JobId::of_tick(&one, Timestamp::from_millis(60_001)), id);
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
            assert_eq!(RowId::parse(text), None, "{text}");
        }
    }
}
