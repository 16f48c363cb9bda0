//! Counts calls against a customer's rate. The bucket lies in the table, so that every process
//! obeys it; a process takes tokens in blocks and answers from those. A block that is not used up
//! is lost capacity, never more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::ports::{RateBucket, Swap};
use crate::rate::{Bucket, Call};
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// Customers remembered before those who have not called for a while are forgotten.
const MOST_REMEMBERED: usize = 10_000;
/// A customer whose calls of so many processes meet is told to come back after this.
const CROWDED: Duration = Duration::from_secs(1);

/// What this process has taken for each customer.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<(Call, CustomerId), Arc<Taken>>>);

#[derive(Debug, Default)]
struct Taken {
    /// Calls that wait for the block.
    waiting: AtomicU64,
    block: futures::lock::Mutex<Block>,
}

#[derive(Debug, Default)]
struct Block {
    /// Tokens left of it.
    tokens: u64,
    /// How many were asked for: few at first, since there may be many processes.
    size: u64,
    taken_at: Timestamp,
    /// Nothing is to be had before this.
    empty_until: Timestamp,
    /// What the table holds, unless another process has written since.
    known: Option<RateBucket>,
}

impl Rates {
    fn of(&self, call: Call, customer: &CustomerId, now: Timestamp) -> Arc<Taken> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= MOST_REMEMBERED {
            taken.retain(|_, taken| {
                let block = taken.block.try_lock();
                block.is_none_or(|block| now.since(block.taken_at) < Bucket::FULL_AFTER)
            });
        }
        let key = (call, customer.clone());
        Arc::clone(taken.entry(key).or_default())
    }
}

impl App {
    /// Counts a call of a caller that names `stated`, or nobody.
    pub(super) async fn admit_caller(
        &self,
        call: Call,
        caller: &Caller,
        stated: Option<&CustomerId>,
    ) -> Result<(), Error> {
        match caller.payer(stated) {
            Some(payer) => self.admit(call, &payer).await,
            None => Ok(()),
        }
    }

    /// Counts a call against the customer's rate.
    pub(super) async fn admit(&self, call: Call, customer: &CustomerId) -> Result<(), Error> {
        let per_minute = match call {
            Call::Create => self.limits.creates_per_minute,
            Call::Read => self.limits.reads_per_minute,
        };
        if per_minute == 0 {
            return Ok(());
        }
        let now = self.now();
        let taken = self.rates.of(call, customer, now);
        taken.waiting.fetch_add(1, Ordering::Relaxed);
        let mut block = taken.block.lock().await;
        // Those who wait are served with one write.
        let waiting = taken.waiting.swap(0, Ordering::Relaxed);
        // By the time that the bucket is full again, a block would be more than the rate.
        if now.since(block.taken_at) >= Bucket::FULL_AFTER {
            (block.tokens, block.size) = (0, 0);
        }
        if block.tokens == 0 {
            let refused = |retry_after| Error::Limited {
                retry_after,
                per_minute,
            };
            let wait = block.empty_until.since(now);
            // A clock that was set back must not keep a customer out for longer than a minute.
            if !wait.is_zero() && wait <= Bucket::FULL_AFTER {
                return Err(refused(wait));
            }
            block.size = (block.size * 2).clamp(1, call.block(per_minute));
            let wanted = block.size.max(waiting);
            match self
                .take_block(call, customer, per_minute, wanted, &mut block)
                .await?
            {
                Ok(tokens) => (block.tokens, block.taken_at) = (tokens, now),
                Err(wait) => {
                    block.empty_until = now + wait;
                    block.taken_at = now;
                    return Err(refused(wait));
                }
            }
        }
        block.tokens -= 1;
        Ok(())
    }

    /// Takes up to `wanted` tokens out of the table, or says how long there are none.
    async fn take_block(
        &self,
        call: Call,
        customer: &CustomerId,
        per_minute: u32,
        wanted: u64,
        block: &mut Block,
    ) -> Result<Result<u64, Duration>, Error> {
        const MOST_RACES: usize = 20;
        let store = &self.ports.store;
        if block.known.is_none() {
            block.known = store.rate(call, customer).await?;
        }
        for _ in 0..MOST_RACES {
            let now = self.now();
            let before = block.known;
            let bucket = before.map_or(Bucket::full(per_minute, now), |before| before.bucket);
            let mended = bucket.mended(now);
            let (bucket, tokens) = match mended.unwrap_or(bucket).take(now, per_minute, wanted) {
                Ok((left, tokens)) => (left, Ok(tokens)),
                Err(wait) => match mended {
                    Some(mended) => (mended, Err(wait)),
                    None => return Ok(Err(wait)),
                },
            };
            let after = RateBucket {
                bucket,
                nonce: self.random(),
            };
            // Forgotten while it is written: who leaves here does not know what the table holds.
            block.known = None;
            match store.replace_rate(call, customer, before, after).await? {
                Swap::Written => {
                    block.known = Some(after);
                    return Ok(tokens);
                }
                Swap::Lost(found) => block.known = found,
            }
        }
        Ok(Err(CROWDED))
    }
}
