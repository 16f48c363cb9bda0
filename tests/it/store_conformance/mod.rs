//! What every store promises, as one suite that runs on each implementation. A new one needs a way
//! to open it and a line at the end of this file.

mod baselines;
mod batches;
mod create;
mod deliveries;
mod faults;
mod hosts;
mod keys;
mod lists;
mod operations;
mod purge;
mod rates;
mod revive;
mod rows;
mod schedules;
mod stores;
mod totals;
mod webhooks;
mod write;

use jobs::Job;
use jobs::ports::{Created, Scope, Store};
use jobs::tally::Tally;

use rows::{creation, spec};
use stores::Opened;

/// Creates jobs that nothing stands against.
async fn given(store: &Opened, jobs: &[&Job]) {
    let spec = serde_json::to_string(&spec()).unwrap();
    for job in jobs {
        let created = store.table.create(&creation(job, &spec)).await.unwrap();
        assert_eq!(created, Created::New);
    }
}

/// Replaces a row that nobody else has touched.
async fn commit(store: &Opened, before: &Job, after: &Job) {
    let commit = store.table.commit(before, after).await.unwrap();
    assert_eq!(commit, jobs::ports::Commit::Written);
}

/// Unfinished, completed and failed jobs over all customers.
async fn counts(store: &Opened) -> [i64; 3] {
    let Tally {
        unfinished,
        completed,
        failed,
        cancelled,
        ..
    } = store.table.tally(Scope::Everyone).await.unwrap();
    assert_eq!(cancelled, 0);
    [unfinished, completed, failed]
}

/// Runs the suite on an implementation, which `$open` opens afresh.
macro_rules! conformance {
    ($implementation:ident) => {
        mod $implementation {
            conformance!(@cases $implementation,
                create::a_new_job_is_there_with_its_specification_and_counted,
                create::a_job_that_is_created_twice_is_there_once,
                create::an_equal_job_is_refused_by_the_name_of_the_owner,
                create::an_owner_is_taken_over_from_by_one_alone,
                create::an_owner_that_left_makes_the_place_free,
                create::a_customer_has_no_more_unfinished_jobs_than_allowed,
                batches::many_jobs_are_written_as_one_or_not_at_all,
                batches::an_answer_is_kept_until_its_time_whoever_asks,
                batches::a_single_job_is_written_with_its_answer,
                batches::a_batch_begins_once_with_room_for_all,
                batches::each_part_of_a_batch_is_written_by_one_alone,
                batches::an_unfinished_batch_comes_due_and_a_finished_one_does_not,
                batches::owners_are_named_with_their_rows,
                batches::a_write_of_many_that_goes_wrong_can_be_repeated,
                write::a_row_is_replaced_once_by_those_who_have_read_it,
                write::a_write_that_is_repeated_knows_its_echo,
                write::the_counts_follow_a_job_to_its_end_and_back,
                write::results_lie_under_the_fence_of_their_claim,
                lists::what_is_due_comes_earliest_first_up_to_the_limit,
                lists::a_row_stands_in_one_due_list_or_in_none,
                lists::pages_of_a_list_hold_every_job_once_newest_first,
                lists::rows_are_read_by_their_ids_however_many,
                lists::unfinished_jobs_are_counted_from_indexes_by_customer,
                lists::counts_over_all_are_the_sum_of_the_customers,
                totals::totals_are_added_to_by_creates_ends_and_duplicates,
                totals::snapshots_are_kept_once_and_read_with_the_last_before_them,
                rates::a_bucket_is_replaced_by_the_last_who_has_read_it,
                hosts::a_budget_is_replaced_by_the_last_who_has_read_it,
                hosts::a_budget_expires_an_hour_after_it_says_nothing_any_more,
                baselines::a_baseline_is_that_of_its_customer_and_address,
                baselines::an_expired_baseline_is_forgotten_unless_another_has_taken_its_place,
                purge::a_purge_leaves_nothing_but_the_counts,
                purge::a_purge_takes_nothing_from_a_job_that_was_retried,
                purge::a_later_owner_keeps_its_place,
                keys::a_key_is_found_by_its_secret_and_listed_by_its_id,
                keys::a_revoked_key_stays_revoked_whatever_comes_late,
                keys::pages_of_keys_hold_every_key_once_newest_first,
                keys::a_lost_answer_makes_no_second_key_and_no_second_revocation,
                revive::a_job_starts_anew_once_with_its_place_and_its_count,
                revive::a_place_that_another_has_is_named_and_taken_over_once_it_has_ended,
                revive::an_owner_that_has_started_anew_is_not_taken_over_from,
                revive::a_job_without_room_stays_ended,
                revive::a_released_place_is_free_and_only_its_owner_releases_it,
                operations::an_operation_is_advanced_once_by_those_who_have_read_it,
                operations::a_removed_operation_leaves_nothing,
                operations::pages_of_the_due_index_hold_every_row_once,
                operations::the_hold_is_set_once_by_those_who_have_read_it,
                webhooks::an_endpoint_reads_back_and_is_replaced_once_by_those_who_have_read_it,
                webhooks::endpoints_are_listed_by_customer_and_never_among_jobs,
                webhooks::a_lost_answer_makes_no_second_endpoint,
                webhooks::a_customer_has_no_more_endpoints_than_allowed,
                deliveries::an_event_is_delivered_once_to_each_receiver,
                deliveries::a_delivery_is_replaced_once_by_those_who_have_read_it,
                deliveries::a_delivery_is_due_until_it_has_ended_and_is_no_work_of_jobs,
                deliveries::pages_of_deliveries_hold_every_one_once_newest_first,
                deliveries::a_delivery_expires_by_the_rule_of_the_table,
                schedules::a_schedule_is_written_once_and_reads_back,
                schedules::a_customer_has_no_more_schedules_than_allowed,
                schedules::a_schedule_is_replaced_once_by_those_who_have_read_it,
                schedules::a_tick_is_written_once_with_its_row_and_its_job,
                schedules::a_lost_answer_to_a_tick_makes_no_second_job,
                schedules::a_tick_that_is_held_is_released_once,
                schedules::notes_and_ends_are_kept_until_nobody_needs_them,
                schedules::pages_of_schedules_hold_every_one_once_newest_first,
                schedules::what_is_owed_to_a_schedule_comes_due_until_it_is_removed,
                faults::a_transaction_in_the_way_is_waited_for,
                faults::a_lost_answer_is_no_second_write,
                faults::a_write_that_seemed_to_fail_can_be_repeated,
            );
        }
    };
    (@cases $open:ident, $($file:ident::$case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                super::$file::$case(super::stores::$open()).await;
            }
        )*
    };
}

conformance!(in_memory);
conformance!(on_file);
