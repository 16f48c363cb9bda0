//! The time that one page may cost. Says no to every step of the work once it is spent; the clock
//! is handed in, so that tests need none.

use std::time::{Duration, Instant};

use jobs::{Failure, FailureCode};

/// What one page may cost: more than a hundred times what an ordinary one takes.
pub const PAGE_BUDGET: Duration = Duration::from_secs(1);

/// A limit and the clock that runs against it.
pub struct Budget<'a> {
    limit: Duration,
    elapsed: Box<dyn Fn() -> Duration + 'a>,
}

impl Budget<'static> {
    /// Starts the wall clock.
    pub fn start(limit: Duration) -> Self {
        let start = Instant::now();
        Self::with_clock(limit, move || start.elapsed())
    }
}

impl<'a> Budget<'a> {
    /// `elapsed` answers how much is spent.
    pub fn with_clock(limit: Duration, elapsed: impl Fn() -> Duration + 'a) -> Self {
        Self {
            limit,
            elapsed: Box::new(elapsed),
        }
    }

    pub fn is_spent(&self) -> bool {
        (self.elapsed)() >= self.limit
    }

    /// Whether at least this share of the limit is left, in percent.
    pub fn has_left(&self, percent: u32) -> bool {
        self.limit.saturating_sub((self.elapsed)()) >= self.limit / 100 * percent
    }

    pub fn check(&self) -> Result<(), Failure> {
        if self.is_spent() {
            return Err(self.overspent());
        }
        Ok(())
    }

    pub fn overspent(&self) -> Failure {
        let limit = self.limit.as_millis();
        Failure::new(
            FailureCode::ParseBudget,
            format!("Reading the page took longer than {limit} ms"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_when_its_clock_reaches_the_limit() {
        let clock = std::cell::Cell::new(0);
        let budget = Budget::with_clock(Duration::from_millis(100), || {
            Duration::from_millis(clock.get())
        });
        clock.set(99);
        assert_eq!(budget.check(), Ok(()));
        assert!(!budget.has_left(2));
        clock.set(100);
        assert_eq!(budget.check().unwrap_err().code, FailureCode::ParseBudget);
        clock.set(70);
        assert!(budget.has_left(30));
    }
}
