//! Places: how many requests to a host may be under way at once, and how those who want some share
//! them. Nobody is told to stop what runs; whoever has more than his share begins less until he
//! has not, and says so when he writes next.

use std::time::Duration;

use super::{DEFAULT_PLACES, Host, MOST_TAKERS, Taker};

/// For how long places are taken.
pub(super) const TERM: Duration = Duration::from_secs(10);
/// When they are taken anew, where they are still used.
pub(super) const RENEWED_AFTER: Duration = Duration::from_secs(6);
/// The same where more want a place than there are: each turn costs two writes, whatever it lasts.
pub(super) const CROWDED_TERM: Duration = Duration::from_secs(20);
pub(super) const CROWDED_RENEWED_AFTER: Duration = Duration::from_secs(14);
/// Nothing is begun this shortly before a term ends: clocks differ.
pub(super) const MARGIN: Duration = Duration::from_secs(1);
/// The latest, where nothing new is begun but requests are still under way.
pub(super) const RENEWED_BEFORE_END: Duration = Duration::from_secs(3);
/// Whoever finds no place comes back after 1 to 5 s, by chance,
pub(super) const SHORTEST_WAIT: Duration = Duration::from_secs(1);
pub(super) const SPREAD_MS: u64 = 4_000;
/// and has this long to do so before he is forgotten.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// More places than any host has: who has them is alone there.
pub(super) const ALL: u8 = u8::MAX;

/// What somebody asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) who: u64,
    pub(super) wanted: u8,
    pub(super) most: u8,
}

impl Host {
    /// As many places as there might be, if one whose job may have `most` is among the takers.
    pub(super) fn cap(&self, most: u8) -> u8 {
        let takers = self.takers.iter().map(|taker| taker.most);
        takers.fold(most.max(DEFAULT_PLACES), u8::max)
    }

    /// As many as there are.
    pub(super) fn places(&self, most: u8) -> u8 {
        let cap = self.cap(most);
        self.limit.unwrap_or(cap).clamp(1, cap)
    }

    fn others(&self, who: u64) -> impl Iterator<Item = &Taker> {
        self.takers.iter().filter(move |taker| taker.who != who)
    }

    /// Whether somebody else waits for a place.
    pub(super) fn is_awaited(&self, who: u64) -> bool {
        self.others(who).any(|taker| taker.places == 0)
    }

    /// Whether nobody else has a place.
    pub(super) fn is_free(&self, who: u64) -> bool {
        self.others(who).all(|taker| taker.places == 0)
    }

    /// Whether more want a place than there are.
    pub(super) fn is_crowded(&self, claim: Claim) -> bool {
        self.others(claim.who).count() >= usize::from(self.places(claim.most))
    }

    /// How many places the claim gets: its fair share, as far as others have left it.
    pub(super) fn grant(&self, claim: Claim) -> u8 {
        let taken = self
            .others(claim.who)
            .map(|taker| usize::from(taker.places));
        let free = usize::from(self.places(claim.most)).saturating_sub(taken.sum());
        let free = u8::try_from(free).unwrap_or(u8::MAX);
        self.share(claim)
            .min(free)
            .min(claim.wanted)
            .min(claim.most)
    }

    /// Its fair share: who wants little has that, and the others the same of what is left; at
    /// least one. What does not divide goes to those who have been there for longest.
    fn share(&self, claim: Claim) -> u8 {
        let mine = claim.wanted.min(claim.most);
        let mut wants: Vec<_> = self.others(claim.who).map(|taker| taker.wanted).collect();
        wants.push(mine);
        wants.sort_unstable();
        let mut left = usize::from(self.places(claim.most));
        let mut sharing = wants.len();
        for wanted in wants.into_iter().map(usize::from) {
            if wanted > left / sharing {
                let level = left / sharing;
                let before = self
                    .takers
                    .iter()
                    .take_while(|taker| taker.who != claim.who);
                let before = before.filter(|taker| usize::from(taker.wanted) > level);
                let one_more = before.count() < left % sharing;
                let share = (level + usize::from(one_more)).max(1);
                return u8::try_from(share).unwrap_or(u8::MAX).min(mine);
            }
            left -= wanted;
            sharing -= 1;
        }
        mine
    }

    /// The row with this taker in the place of its former self, or behind the others; `None` where
    /// there are too many.
    pub(super) fn with(&self, taker: Taker) -> Option<Self> {
        let mut next = self.clone();
        match next.takers.iter().position(|it| it.who == taker.who) {
            Some(place) => next.takers[place] = taker,
            None if next.takers.len() >= MOST_TAKERS => return None,
            None => next.takers.push(taker),
        }
        Some(next)
    }

    pub(super) fn without(&self, who: u64) -> Self {
        let mut next = self.clone();
        next.takers.retain(|taker| taker.who != who);
        next
    }
}
