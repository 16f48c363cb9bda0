//! The fields as EventBridge Scheduler writes them: minutes, hours, day of month, month, day of
//! week, year. Refuses its steps, whose counting differs: numbers and ranges say the same anywhere.

use super::fields::{DayRule, Fields, Set};

/// The expressions that together fire when the fields do. Scheduler takes one of the two day
/// fields, and numbers weekdays from 1, which is Sunday.
pub(super) fn expressions(fields: &Fields) -> Vec<String> {
    let minutes = numbers(fields.minutes, 0, 59, 0);
    let hours = numbers(fields.hours, 0, 23, 0);
    let months = numbers(fields.months, 1, 12, 0);
    let of_month = |days: &str| format!("cron({minutes} {hours} {days} {months} ? *)");
    let of_week = |days: Set| {
        let days = numbers(days, 0, 6, 1);
        format!("cron({minutes} {hours} ? {months} {days} *)")
    };
    match fields.days {
        DayRule::Every => vec![of_month("*")],
        DayRule::OfMonth(days) => vec![of_month(&numbers(days, 1, 31, 0))],
        DayRule::OfWeek(days) => vec![of_week(days)],
        DayRule::Either(month, week) => vec![of_month(&numbers(month, 1, 31, 0)), of_week(week)],
    }
}

/// Numbers and ranges with commas, `add` more each; `*` for all of them.
fn numbers(set: Set, least: u32, most: u32, add: u32) -> String {
    let mut parts = Vec::new();
    let mut from = least;
    while let Some(first) = set.next(from).filter(|it| *it <= most) {
        let mut last = first;
        while last < most && set.has(last + 1) {
            last += 1;
        }
        if (first, last) == (least, most) {
            return "*".to_owned();
        }
        parts.push(match last - first {
            0 => format!("{}", first + add),
            1 => format!("{},{}", first + add, last + add),
            _ => format!("{}-{}", first + add, last + add),
        });
        from = last + 1;
    }
    parts.join(",")
}
