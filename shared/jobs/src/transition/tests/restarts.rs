//! What a shutdown and a restart make of jobs that somebody was at.

use super::*;

#[test]
fn work_that_is_given_back_at_a_shutdown_counts_as_untried() {
    let job = claimed(&queued(Duration::ZERO, 1), START);
    let Sweep::Write(next) = job.sweep(stamp(START), Mode::Shutdown, &Retention::default()) else {
        unreachable!("an active job is given back")
    };
    assert_eq!((next.state, next.attempts.len()), (State::Queued, 0));
    assert_eq!(
        next.sweep(stamp(START), Mode::Restart, &Retention::default()),
        Sweep::SendOnly(Duration::ZERO)
    );
}

#[test]
fn a_job_with_one_attempt_survives_two_restarts_and_not_a_third() {
    let retention = Retention::default();
    let mut job = queued(Duration::ZERO, 1);
    for restart in 1..=3 {
        job = claimed(&job, START);
        job = match job.sweep(stamp(START), Mode::Restart, &retention) {
            Sweep::Send(next, delay) => {
                assert_eq!(delay, Duration::ZERO);
                next
            }
            Sweep::Write(next) => next,
            other => unreachable!("{other:?}"),
        };
        let state = if restart < 3 {
            State::Queued
        } else {
            State::Failed
        };
        assert_eq!(job.state, state, "after restart {restart}");
    }
}
