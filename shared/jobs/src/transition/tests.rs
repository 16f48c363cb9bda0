//! What holds of every job, whatever happens to it, in whatever order.

mod restarts;
mod sound;

use proptest::prelude::*;

use self::sound::{is_sound, tells};
use super::*;
use crate::id::JobId;
use crate::job::{Place, Status};
use crate::spec::{CustomerId, JobType, Priority};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LEASE: Duration = Duration::from_secs(65);

fn queued(delay: Duration, max_attempts: u8) -> Job {
    Job {
        id: JobId::new(START, 1),
        customer: CustomerId::default(),
        kind: JobType::SinglePage,
        url: "http://site.example/".to_owned(),
        priority: Priority::Normal,
        state: State::Queued,
        created_at: START,
        eligible_at: START + delay,
        started_at: None,
        finished_at: None,
        max_attempts,
        attempts: Vec::new(),
        fence: 0,
        revision: 1,
        nonce: 0,
        lease_until: None,
        pause_requested: false,
        due_at: Some(queued_due(START, START + delay)),
        resends: 0,
        fingerprint: None,
        result: None,
        crawl: None,
        outbox: None,
        run_of: None,
    }
}

fn stamp(now: Timestamp) -> Stamp {
    Stamp { now, nonce: 7 }
}

fn result(fence: u64) -> ResultRef {
    ResultRef {
        fence,
        place: Place::Item,
        bytes: 1,
    }
}

fn claimed(job: &Job, now: Timestamp) -> Job {
    match job.claim(stamp(now), now + LEASE, &Retention::default()) {
        Claim::Won(job) => job,
        other => unreachable!("{other:?}"),
    }
}

/// Something that happens to a job: a move, and how the fence is off that a worker brings.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Claim,
    Complete {
        fence_off: u64,
    },
    Fail {
        fence_off: u64,
        code: FailureCode,
        retry_after: Option<u64>,
    },
    Release {
        fence_off: u64,
    },
    Sweep(Mode),
    Pause,
    Resume,
    Cancel,
    Retry,
    Promote,
    Expire,
    Wake,
    Tell {
        fails: bool,
    },
}

fn steps() -> impl Strategy<Value = Step> {
    let code = prop_oneof![
        Just(FailureCode::Timeout),
        Just(FailureCode::Http(404)),
        Just(FailureCode::Http(503)),
    ];
    let fence_off = prop_oneof![3 => Just(0_u64), 1 => 1_u64..3];
    let mode =
        prop_oneof![4 => Just(Mode::Routine), 1 => Just(Mode::Restart), 1 => Just(Mode::Shutdown)];
    let retry_after = proptest::option::of(0_u64..10_000);
    prop_oneof![
        4 => (0_u64..200_000).prop_map(Step::Wait),
        1 => (0_u64..100_000_000).prop_map(Step::Wait),
        6 => Just(Step::Claim),
        3 => fence_off.clone().prop_map(|fence_off| Step::Complete { fence_off }),
        3 => (fence_off.clone(), code, retry_after).prop_map(|(fence_off, code, retry_after)| {
            Step::Fail { fence_off, code, retry_after }
        }),
        1 => fence_off.prop_map(|fence_off| Step::Release { fence_off }),
        4 => mode.prop_map(Step::Sweep),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
        1 => Just(Step::Cancel),
        1 => Just(Step::Retry),
        1 => Just(Step::Promote),
        1 => Just(Step::Expire),
        1 => Just(Step::Wake),
        3 => any::<bool>().prop_map(|fails| Step::Tell { fails }),
    ]
}

/// What a step makes of the job, and by which moves it may have been made.
fn apply(job: &Job, step: &Step, now: Timestamp) -> Option<(Job, &'static [Move])> {
    let retention = Retention::default();
    let stamp = stamp(now);
    let stale = |fence_off: &u64| job.fence.wrapping_sub(*fence_off);
    match step {
        Step::Wait(_) => None,
        Step::Claim => match job.claim(stamp, now + LEASE, &retention) {
            Claim::Won(next) => Some((next, &[Move::Claim])),
            Claim::Ended(next) => Some((next, &[Move::Lapse])),
            _ => None,
        },
        Step::Complete { fence_off } => {
            let next = job.complete(stamp, stale(fence_off), result(job.fence), &retention);
            assert!(
                next.is_err() || *fence_off == 0,
                "a stale worker completed a job"
            );
            next.ok().map(|next| (next, &[Move::Complete][..]))
        }
        Step::Fail {
            fence_off,
            code,
            retry_after,
        } => {
            let wait = retry_after.map(Duration::from_secs);
            let failure = Failure::new(*code, "why").with_retry_after(wait);
            let next = job.fail(stamp, stale(fence_off), &failure, 5, &retention);
            assert!(
                next.is_err() || *fence_off == 0,
                "a stale worker failed a job"
            );
            next.ok().map(|next| (next, &[Move::Fail][..]))
        }
        Step::Release { fence_off } => {
            let next = job.release(stamp, stale(fence_off));
            assert!(
                next.is_err() || *fence_off == 0,
                "a stale worker released a job"
            );
            next.ok().map(|next| (next, &[Move::Release][..]))
        }
        Step::Sweep(mode) => match job.sweep(stamp, *mode, &retention) {
            Sweep::Write(next) | Sweep::Send(next, _) => {
                Some((next, &[Move::Defer, Move::Lapse, Move::Release]))
            }
            Sweep::Tell => {
                let untold = job.untold().unwrap();
                let told = job.told(stamp, untold).or_else(|_| job.untellable(stamp));
                told.ok().map(|next| (next, &[Move::Tell][..]))
            }
            Sweep::Nothing | Sweep::SendOnly(_) | Sweep::Purge => None,
        },
        Step::Tell { fails } => {
            let next = match job.untold() {
                Some(until) if !fails => job.told(stamp, until),
                _ => job.untellable(stamp),
            };
            next.ok().map(|next| (next, &[Move::Tell][..]))
        }
        Step::Pause => job.pause(stamp).ok().map(|next| (next, &[Move::Pause][..])),
        Step::Resume => job
            .resume(stamp)
            .ok()
            .map(|next| (next, &[Move::Resume][..])),
        Step::Cancel => job
            .cancel(stamp, &retention)
            .ok()
            .map(|next| (next, &[Move::Cancel][..])),
        Step::Retry => job.retry(stamp).ok().map(|next| (next, &[Move::Retry][..])),
        Step::Promote => job
            .promote(stamp)
            .ok()
            .map(|next| (next, &[Move::Promote][..])),
        Step::Expire => job
            .expire(stamp)
            .ok()
            .map(|next| (next, &[Move::Expire][..])),
        Step::Wake => job.wake(stamp).ok().map(|next| (next, &[Move::Defer][..])),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_happens_a_job_moves_by_the_table_and_stays_sound(
        delay in prop_oneof![Just(0_u64), 0_u64..2_000_000],
        max_attempts in 1_u8..=10,
        is_heard: bool,
        steps in proptest::collection::vec(steps(), 1..60),
    ) {
        let mut now = START;
        let mut job = queued(Duration::from_millis(delay), max_attempts);
        job.outbox = is_heard.then(Box::default);
        for step in &steps {
            if let Step::Wait(millis) = step {
                now = now + Duration::from_millis(*millis);
            }
            let Some((next, moves)) = apply(&job, step, now) else { continue };
            let possible = moves.iter().flat_map(|by| allowed(job.state, *by));
            prop_assert!(possible.into_iter().any(|state| *state == next.state), "{step:?} led from {job:?} to {next:?}");
            tells(&job, &next);
            prop_assert_eq!(next.revision, job.revision + 1);
            let claimed = *step == Step::Claim && next.state == State::Active;
            prop_assert_eq!(next.fence, job.fence + u64::from(claimed));
            is_sound(&next, now);
            job = next;
        }
    }

    #[test]
    fn a_job_whose_workers_always_die_ends_after_its_attempts(max_attempts in 1_u8..=10, by_sweep: bool) {
        let mut now = START;
        let mut job = queued(Duration::ZERO, max_attempts);
        for _ in 0..max_attempts {
            job = claimed(&job, now);
            now = now + LEASE;
            if by_sweep {
                let swept = job.sweep(stamp(now), Mode::Routine, &Retention::default());
                job = match swept {
                    Sweep::Send(next, _) | Sweep::Write(next) => next,
                    other => unreachable!("{other:?}"),
                };
                now = now.max(job.eligible_at);
            }
        }
        if !by_sweep {
            job = match job.claim(stamp(now), now + LEASE, &Retention::default()) {
                Claim::Ended(next) => next,
                other => unreachable!("{other:?}"),
            };
        }
        prop_assert_eq!(job.state, State::Failed);
        prop_assert_eq!(job.attempts.len(), usize::from(max_attempts));
        prop_assert_eq!(job.attempts_made(), usize::from(max_attempts));
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

#[test]
fn an_ended_job_only_starts_anew_or_is_purged() {
    for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
        for by in Move::ALL {
            let again = by == Move::Retry && state != State::Completed;
            let may = again || matches!(by, Move::Expire | Move::RetryPages | Move::Tell);
            assert_eq!(!allowed(state, by).is_empty(), may, "{state:?} {by:?}");
        }
    }
}

#[test]
fn a_claim_waits_for_its_time_and_for_a_live_lease() {
    let retention = Retention::default();
    let job = queued(Duration::from_secs(10), 3);
    let early = Claim::Early(Duration::from_secs(10));
    assert_eq!(job.claim(stamp(START), START + LEASE, &retention), early);
    let at = START + Duration::from_secs(10);
    let job = claimed(&job, at);
    let last = stamp(at + LEASE - Duration::from_millis(1));
    let second = job.claim(last, at + LEASE, &retention);
    assert_eq!(second, Claim::Taken);
    let Claim::Won(third) = job.claim(stamp(at + LEASE), at + LEASE + LEASE, &retention) else {
        unreachable!("the lease has ended")
    };
    assert_eq!((third.fence, third.attempts.len()), (2, 1));
}

#[test]
fn a_prompt_claim_leaves_the_due_index_alone() {
    let job = queued(Duration::ZERO, 3);
    assert_eq!(
        claimed(&job, START + Duration::from_secs(2)).due_at,
        job.due_at
    );
}

#[test]
fn a_lost_message_is_sent_again_less_and_less_often() {
    let mut job = queued(Duration::ZERO, 3);
    let mut gaps = Vec::new();
    let mut last = START;
    for _ in 0..6 {
        let at = job.due_at.unwrap();
        let early = job.sweep(
            stamp(at - Duration::from_millis(1)),
            Mode::Routine,
            &Retention::default(),
        );
        assert_eq!(early, Sweep::Nothing);
        let Sweep::Send(next, delay) = job.sweep(stamp(at), Mode::Routine, &Retention::default())
        else {
            unreachable!("a due job is sent")
        };
        assert_eq!(delay, Duration::ZERO);
        gaps.push(at.since(last).as_secs() / 60);
        last = at;
        job = next;
    }
    assert_eq!(gaps, [1, 2, 4, 8, 15, 15]);
}

#[test]
fn a_long_delay_is_sent_when_a_message_can_carry_the_rest() {
    for minutes in [16, 60, 60 * 24 * 30] {
        let job = queued(Duration::from_mins(minutes), 3);
        let at = job.due_at.unwrap();
        let Sweep::Send(next, delay) = job.sweep(stamp(at), Mode::Routine, &Retention::default())
        else {
            unreachable!("a due job is sent")
        };
        assert!(
            delay <= LONGEST_MESSAGE_DELAY && delay >= Duration::from_mins(13),
            "{delay:?}"
        );
        assert_eq!(next.resends, 0);
        assert_eq!(next.status(at), Status::Delayed);
    }
    // What a message can carry from the start is never in the sweep's hands.
    let job = queued(LONGEST_MESSAGE_DELAY, 3);
    assert!(job.due_at.unwrap() > job.eligible_at);
}

#[test]
fn a_pause_of_a_running_job_takes_effect_when_its_attempt_ends() {
    let retention = Retention::default();
    let job = claimed(&queued(Duration::ZERO, 3), START)
        .pause(stamp(START))
        .unwrap();
    assert_eq!(job.state, State::Active);
    let failure = Failure::new(FailureCode::Timeout, "slow");
    let paused = job.fail(stamp(START), 1, &failure, 0, &retention).unwrap();
    assert_eq!(paused.state, State::Paused);
    let resumed = paused.resume(stamp(START)).unwrap();
    assert_eq!((resumed.state, resumed.attempts.len()), (State::Queued, 1));
    let done = job
        .complete(stamp(START), 1, result(1), &retention)
        .unwrap();
    assert_eq!(done.state, State::Completed);
}
