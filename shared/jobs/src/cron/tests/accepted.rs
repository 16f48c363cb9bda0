//! Patterns that people use, and what each field may look like.

use std::str::FromStr;

use super::{Cron, cron};

const USED: &str = "
* * * * *|*/1 * * * *|*/2 * * * *|*/3 * * * *|*/4 * * * *|*/5 * * * *|*/6 * * * *|*/10 * * * *
*/12 * * * *|*/15 * * * *|*/20 * * * *|*/30 * * * *|*/45 * * * *|*/59 * * * *|1-59/2 * * * *
0,30 * * * *|5,20,35,50 * * * *|0-29 * * * *|15-45/10 * * * *|0 * * * *|30 * * * *|59 * * * *
0 */1 * * *|0 */2 * * *|0 */3 * * *|0 */4 * * *|0 */6 * * *|0 */8 * * *|0 */12 * * *|0 1-23/2 * * *
0 0 * * *|0 1 * * *|30 2 * * *|0 6 * * *|0 8 * * *|0 9 * * *|0 12 * * *|0 17 * * *|0 23 * * *
59 23 * * *|0 0,12 * * *|0 6,18 * * *|0 6,12,18 * * *|0 9-17 * * *|*/10 9-17 * * *|0 22-23 * * *
0 9-18/3 * * *|0,15,30,45 8-10,16-18 * * *|0 9 * * 1-5|0 9 * * MON-FRI|0 9 * * mon-fri
0 9 * * Mon,Wed,Fri|0 9 * * 1,3,5|0 9 * * 2,4|0 0 * * 0|0 0 * * 7|0 0 * * SUN|0 0 * * sun
0 0 * * 6|0 0 * * SAT|0 0 * * 0,6|0 0 * * 6,0|0 0 * * 6,7|0 0 * * SAT,SUN|0 0 * * 6-7|0 0 * * SAT-SUN
0 0 * * 5-7|0 0 * * FRI-SUN|0 0 * * 1-7|0 0 * * 0-7|0 0 * * 0-6|0 0 * * MON-SUN|0 0 * * SUN-SAT
0 0 * * SUN-TUE|0 0 * * */2|0 0 * * */3|0 0 * * 1-5/2|0 0 * * MON-FRI/2|0 0 * * 1-2,4-5|0 0 * * 3
0 0 1 * *|0 0 15 * *|0 0 28 * *|0 0 29 * *|0 0 30 * *|0 0 31 * *|0 0 1,15 * *|0 0 1,11,21 * *
0 0 1-7 * *|0 0 8-14 * *|0 0 25-31 * *|0 0 1-10/3 * *|0 0 */2 * *|0 0 */5 * *|0 0 */7 * *
0 0 */10 * *|0 0 */31 * *|0 0 2-30/2 * *|0 0 10,20,30 * *|0 0 1-31 * *|0 0 01 * *|00 00 * * *|05 09 * * *
0 0 1 1 *|0 0 1 JAN *|0 0 1 jan *|0 0 25 12 *|0 0 25 DEC *|0 0 29 2 *|0 0 29 FEB *|0 0 31 12 *
0 0 1 */2 *|0 0 1 */3 *|0 0 1 */4 *|0 0 1 */6 *|0 0 1 */12 *|0 0 1 1,4,7,10 *|0 0 1 JAN,APR,JUL,OCT *
0 0 1 3-5 *|0 0 1 MAR-MAY *|0 0 1 mar-May *|0 0 1 1-6/2 *|0 0 1 JAN-JUN/2 *|0 0 1 1-3,7-9 *
0 0 * 6-8 *|0 0 * JUN-AUG *|*/5 * * 12 *|0 0 * 1 1|0 0 * JAN MON|0 12 24 12 *|0 0 31 1,3,5 *
0 0 30 4,6,9,11 *|0 0 30,31 * *|0 0 28-31 2 *|0 0 29-31 2 *|0 0 31 * *|0 0 30 2,3 *|0 0 31 2,12 *
0 0 13 * 5|0 0 13 * FRI|0 0 1 * 1|0 0 1,15 * 3|0 0 1-7 * MON|0 0 8-14 * 2|0 0 1-31/2 * MON-SUN/2
0 0 1-31/2 * 1|0 0 1 * 1-5|0 0 31 2 MON|0 0 30 2 1-5|0 0 1-31 * 1|0 0 13 * 0-7|0 0 1 1 MON
@yearly|@annually|@monthly|@weekly|@daily|@midnight|@hourly|@YEARLY|@Annually|@Monthly
@WEEKLY|@Daily|@Midnight|@HOURLY|0 4 8-14 * *|0 22 * * 1-5|23 0-20/2 * * *|5 4 * * sun|0 0,12 1 */2 *
0 4 * * 0-3|0 0-23/6 * * *|15 14 1 * *|0 10 * * 1-5|5 0 * 8 *|37 13 * 5,11 2,4|0,1,2,3,4,5 0 * * *
0-5,30-35 * * * *|0-10/2,50 3 * * *|7,*/15 * * * *|*/20,59 * * * *|0 0 */8,30 * *|0 0 1 */5,12 *
0 0 * * */6,3|10-10 5-5 * * *|0 0 7-7 7-7 *|0 0 * * 4-4|0 0 * * SAT-SAT|0 0 * * MON-MON|0 0 1 MAY-MAY *
0-59 0-23 1-31 1-12 0-7|0-59/1 0-23/1 * * *|58,59 22,23 * 11,12 5,6|1,2,3 1,2,3 1,2,3 1,2,3 *|9 9 9 9 *
11 11 11 11 2|0 0 5-20/5 2-10/4 *|13-47/17 * * * *|44 4-22/9 * * *|0 5 1 4-11 *|0 5 * 4-11 6,7
*/25 */7 */11 */5 *|*/31 */23 * * *|2-58/8 1-22/7 * 3 3|30 4 1,15 * 5|0 16 * oct-DEC THU-sat|6 6 6 6 6";

#[test]
fn two_hundred_patterns_that_people_use_are_accepted_as_croner_does() {
    let patterns: Vec<_> = USED
        .split(['|', '\n'])
        .filter(|it| !it.is_empty())
        .collect();
    assert!(patterns.len() >= 200, "{} patterns", patterns.len());
    for pattern in patterns {
        let ours = cron(pattern);
        assert_eq!(ours.pattern(), pattern);
        assert_eq!(ours.to_string(), pattern);
        assert!((1..=2).contains(&ours.expressions().len()), "{pattern}");
        let known =
            pattern.eq_ignore_ascii_case("@midnight") || croner::Cron::from_str(pattern).is_ok();
        assert!(known, "{pattern} is not known to croner");
    }
}

#[test]
fn white_space_around_and_between_fields_does_not_matter() {
    let spaced = cron(" \t0  9\t* *   MON \n");
    assert_eq!(spaced.pattern(), "0  9\t* *   MON");
    assert_eq!(spaced.expressions(), cron("0 9 * * 1").expressions());
}

#[test]
fn the_text_that_was_given_reads_back_as_the_same() {
    for pattern in ["0 9 * * MON-FRI", "@daily", "0 0 13 * 5"] {
        let first = cron(pattern);
        assert_eq!(Cron::parse(first.pattern()), Ok(first));
    }
}
