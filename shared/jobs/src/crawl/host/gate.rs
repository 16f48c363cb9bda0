//! What one worker has taken of one host and how it uses that: the decisions, without the calls
//! that carry them out.

use std::time::Duration;

use super::experience::Lesson;
use super::permit::{Effect, Permit, Places, Plan, Seen};
use super::places::{
    ALL, CROWDED_RENEWED_AFTER, CROWDED_TERM, Claim, MARGIN, PATIENCE, RENEWED_AFTER,
    RENEWED_BEFORE_END, SHORTEST_WAIT, SPREAD_MS, TERM,
};
use super::slots::{Asker, Block, Slots};
use super::{AHEAD, Experience, Host, LONGEST_DELAY, LONGEST_HOLD, SLOTS_AHEAD, Taker};
use crate::failure::Failure;
use crate::time::Timestamp;

/// Where nothing may start because of what runs already: it is asked again after this.
const BREATH: Duration = Duration::from_millis(200);
/// Holds are over at different times for different workers, by up to this.
const HOLD_SPREAD_MS: u64 = 500;
/// What is known of a host is looked at again after a quarter of its delay, within these bounds: a
/// hold that another worker has written is seen before the next request starts.
const FRESH: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(250));
/// Without a delay.
const FRESH_WITHOUT_DELAY: Duration = Duration::from_secs(1);

/// One host, for one worker.
#[derive(Debug)]
pub struct Gate {
    who: u64,
    most: u8,
    /// The delay that job and site ask for.
    delay: Duration,
    /// Its rules are not known: they may name a delay.
    explores: bool,
    running: u8,
    /// Most that ran at once since places were last taken.
    peak: u8,
    last_start: Option<Timestamp>,
    pub(super) block: Option<Block>,
    places: Option<Places>,
    wait_until: Option<Timestamp>,
    learned: Experience,
}

impl Gate {
    /// For a worker known as `who`, whose job may have `most` requests under way, `delay` apart.
    pub fn new(who: u64, most: u8, delay: Duration) -> Self {
        Self {
            who,
            most: most.max(1),
            delay: delay.min(LONGEST_DELAY),
            explores: false,
            running: 0,
            peak: 0,
            last_start: None,
            block: None,
            places: None,
            wait_until: None,
            learned: Experience::default(),
        }
    }

    /// The site wants a delay too.
    pub fn keep_delay(&mut self, delay: Duration) {
        self.delay = self.delay.max(delay.min(LONGEST_DELAY));
    }

    /// Whether the site's rules are still to be asked for. Where nobody is at the host, that takes
    /// all of its places: whoever comes meanwhile would not know of a delay either.
    pub fn explore(&mut self, explores: bool) {
        self.explores = explores;
    }

    /// Whether nothing would be lost with it.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let busy = self.running > 0 || self.places.is_some_and(|places| places.until > now);
        !busy
            && self
                .block
                .is_none_or(|block| block.is_used_up() || block.end < now)
    }

    pub fn permit(&self, now: Timestamp, seen: &Seen) -> Permit {
        let host = seen.row.as_ref().map(|row| row.mended(now));
        let host = host.unwrap_or_default();
        let held = host.held_until.max(seen.held_until);
        if held > now && held <= now + LONGEST_HOLD + AHEAD {
            return Permit::At(held + Duration::from_millis(self.who % HOLD_SPREAD_MS));
        }
        if let Some(until) = self.wait_until
            && until > now
            && until <= now + LONGEST_HOLD.max(LONGEST_DELAY) + AHEAD
        {
            return Permit::At(until);
        }
        let delay = host.delay_for(self.delay);
        // Until its own slot comes, whatever becomes known of the host can only be a longer wait.
        if let Some(next) = self.slot(now, delay).filter(|next| *next > now) {
            return Permit::At(next);
        }
        if now.since(seen.at).max(seen.at.since(now)) > fresh(delay) {
            return Permit::Ask;
        }
        if delay.is_zero() {
            self.permit_by_places(now, &host)
        } else {
            self.permit_by_slots(now, delay)
        }
    }

    fn permit_by_slots(&self, now: Timestamp, delay: Duration) -> Permit {
        if self.running >= self.most {
            return Permit::At(now + BREATH);
        }
        match self.slot(now, delay) {
            Some(next) if next <= now => Permit::Now,
            Some(next) => Permit::At(next),
            None => Permit::Ask,
        }
    }

    /// The next slot of its own that can be used, or could have been before now.
    fn slot(&self, now: Timestamp, delay: Duration) -> Option<Timestamp> {
        let block = self.block.filter(|block| {
            let is_left = !block.is_used_up() && block.end >= now;
            !delay.is_zero() && block.delay >= delay && is_left && block.next <= now + SLOTS_AHEAD
        });
        block.map(|block| block.next)
    }

    fn permit_by_places(&self, now: Timestamp, host: &Host) -> Permit {
        let Some(places) = self.places else {
            return Permit::Ask;
        };
        let in_term = places.until > now + MARGIN && places.until <= now + AHEAD;
        if !in_term || now >= places.renew_at || places.alone && !self.explores {
            return Permit::Ask;
        }
        let granted = |wanted| host.grant(self.claim(wanted));
        let allowed = granted(places.wanted).min(places.count);
        if allowed < places.count && self.running <= allowed && host.is_awaited(self.who) {
            // Others can have what this one may not use any more.
            return Permit::Ask;
        }
        if self.running < allowed {
            return Permit::Now;
        }
        if self.running >= places.count && granted(places.count.saturating_mul(2)) > places.count {
            return Permit::Ask;
        }
        Permit::At(now + BREATH)
    }

    fn claim(&self, wanted: u8) -> Claim {
        Claim {
            who: self.who,
            wanted: wanted.clamp(1, self.most),
            most: self.most,
        }
    }

    /// What to take for `wanted` requests that wait. `host` is the row as it counts at `now`.
    pub fn plan(&self, now: Timestamp, host: &Host, wanted: usize, chance: u64) -> Plan {
        let mut plan = if host.delay_for(self.delay).is_zero() {
            self.plan_places(now, host, wanted, chance)
        } else {
            self.plan_slots(now, host, wanted, chance)
        };
        if let Some(next) = &mut plan.write {
            next.adapt(now, self.most, &self.learned);
        }
        plan
    }

    fn plan_slots(&self, now: Timestamp, host: &Host, wanted: usize, chance: u64) -> Plan {
        match host.slots(&self.asker(wanted, chance), now) {
            Slots::Taken(block, next) => Plan {
                write: Some(*next),
                then: Effect::Slots(block),
            },
            Slots::Later(at, next) => Plan {
                write: next.map(|next| *next),
                then: Effect::Wait(at, None),
            },
        }
    }

    fn asker(&self, wanted: usize, chance: u64) -> Asker {
        Asker {
            who: self.who,
            delay: self.delay,
            last_start: self.last_start,
            block: self.block,
            wanted,
            chance,
        }
    }

    fn plan_places(&self, now: Timestamp, host: &Host, wanted: usize, chance: u64) -> Plan {
        let had = self.places.filter(|had| had.until > now);
        let count = had.map_or(0, |had| had.count);
        let renewed = had.is_none_or(|had| now >= had.renew_at);
        let waiting = u8::try_from(wanted).unwrap_or(u8::MAX);
        let more = if self.running >= count {
            count.saturating_mul(2)
        } else {
            0
        };
        let used = if renewed { self.peak } else { 0 };
        let wanted = self.running.saturating_add(waiting).max(more).max(used);
        let claim = self.claim(wanted);
        // Where there are more than there are places, each has one for a term and then lets
        // another have it.
        let crowded = host.is_crowded(claim);
        let yields = renewed && count > 0 && crowded && host.is_awaited(self.who);
        let granted = if yields { 0 } else { host.grant(claim) };
        let alone = self.explores && granted > 0 && host.is_free(self.who);
        let (term, renewed_after) = if crowded {
            (CROWDED_TERM, CROWDED_RENEWED_AFTER)
        } else {
            (TERM, RENEWED_AFTER)
        };
        let mut taker = Taker {
            who: self.who,
            // What runs takes a place until it has ended.
            places: if alone {
                ALL
            } else {
                granted.max(self.running)
            },
            wanted: claim.wanted,
            most: self.most,
            until: now + term,
        };
        if granted > 0
            && let Some(next) = host.with(taker)
        {
            return Plan {
                write: Some(next),
                then: Effect::Places(Places {
                    count: granted,
                    wanted: claim.wanted,
                    until: taker.until,
                    renew_at: now + renewed_after,
                    alone,
                }),
            };
        }
        let wait = SHORTEST_WAIT + Duration::from_millis(chance % SPREAD_MS);
        let at = now + wait;
        if taker.places == 0 {
            taker.until = at + PATIENCE;
        }
        let stands = |it: &Taker| it.who == taker.who && it.places == 0 && it.until > at;
        let stands = taker.places == 0 && host.takers.iter().any(stands);
        let running = Places {
            count: 0,
            wanted: claim.wanted,
            until: taker.until,
            renew_at: at,
            alone: false,
        };
        Plan {
            write: if stands { None } else { host.with(taker) },
            then: Effect::Wait(at, (taker.places > 0).then_some(running)),
        }
    }

    /// The plan is carried out.
    pub fn apply(&mut self, plan: &Plan) {
        if plan.write.is_some() {
            self.learned.told();
        }
        self.wait_until = None;
        match plan.then {
            Effect::Slots(block) => {
                self.block = Some(block);
                self.places = None;
            }
            Effect::Places(places) => {
                self.places = Some(places);
                self.peak = self.running;
            }
            Effect::Wait(until, running) => {
                self.places = running;
                self.wait_until = Some(until);
            }
        }
    }

    /// Nothing is asked before this: the answer to the last question came too late to be of use.
    pub fn breathe(&mut self, now: Timestamp) {
        self.wait_until = Some(now + BREATH);
    }

    /// Places are taken for what runs, and their term is about to end.
    pub fn must_renew(&self, now: Timestamp) -> bool {
        let ends = |places: Places| places.until <= now + RENEWED_BEFORE_END;
        self.running > 0 && self.places.is_some_and(ends)
    }

    pub fn started(&mut self, now: Timestamp) {
        self.running = self.running.saturating_add(1);
        self.peak = self.peak.max(self.running);
        self.last_start = Some(now);
        if let Some(block) = &mut self.block {
            block.started(now);
        }
    }

    /// A request has ended. Where the host wants everybody to stay away, says until when.
    pub fn ended(
        &mut self,
        now: Timestamp,
        took: Duration,
        failure: Option<&Failure>,
        seen: &Seen,
    ) -> Option<Timestamp> {
        self.running = self.running.saturating_sub(1);
        match Lesson::of(failure) {
            Lesson::Nothing => None,
            Lesson::Works => {
                self.learned.works(took);
                None
            }
            Lesson::Fails(asked) => {
                self.learned.fails();
                let host = seen.row.as_ref().map(|row| row.mended(now));
                let host = host.unwrap_or_default();
                let held = host.held_until.max(seen.held_until);
                match asked {
                    Some(wait) => Some(now + wait).filter(|until| *until > held),
                    // What else fails meanwhile says nothing new.
                    None if held > now => None,
                    None => Some(now + host.back_off()),
                }
            }
        }
    }

    /// The row without what this worker has taken of it and does not use; `None` where there is
    /// nothing to give back. Whoever waits stays in the line.
    pub fn leaving(&self, now: Timestamp, host: &Host) -> Option<Host> {
        let mut next = host.clone();
        if let Some(block) = self.block
            && block.end == host.last_at
            && !block.is_used_up()
        {
            next.last_at = host.last_start(&self.asker(1, 0), now);
        }
        let mine = |taker: &Taker| taker.who == self.who && taker.places > 0;
        next.takers.retain(|taker| !mine(taker));
        (next != *host).then_some(next)
    }

    /// Whether there may be something to give back.
    pub fn has_taken(&self, now: Timestamp) -> bool {
        let places = self.places.is_some_and(|places| places.until > now);
        places || self.block.is_some_and(|block| !block.is_used_up())
    }
}

/// How old what is known may be when a request starts.
fn fresh(delay: Duration) -> Duration {
    if delay.is_zero() {
        FRESH_WITHOUT_DELAY
    } else {
        (delay / 4).clamp(FRESH.0, FRESH.1)
    }
}
