//! Three hundred texts that are no patterns, and what is said of them.

use super::Cron;

/// Texts that stand in one field of an otherwise right pattern, field by field.
const WRONG_VALUES: [&str; 5] = [
    "60|99|100|-1|1-60|60-61|10-5|59-0|*/0|*/60|*/99|0/5|5/5|/5|*/|*/-1|*/x|1-|-|-5|1--5|1-2-3|1-5/0|1-5/60|1-5/|1,,2|,|,1|1,|a|MON|JAN|L|W|#|?|H|R|~|1.5|1e1|0x10|+1|001|*1|1*|**|*-5|5-*|1/2/3|*/2/3|*,5|5,*|one|½|5\u{a0}|٣",
    "24|25|99|-1|0-24|23-0|17-9|*/0|*/24|0/2|8/2|/2|*/|1-|-|1-2-3|1-5/24|1,,2|,|1,|am|9am|12:00|MON|JAN|L|W|?|H|1.5|+1|008|**|*-5|*,5|9-17,|9-17-18",
    "0|32|99|-1|1-32|0-5|15-1|*/0|*/32|1/2|15/3|/2|*/|1-|1-2-3|1,,2|,|L|l|LW|15W|W|1W|L-3|*L|?|MON|JAN|1st|31L|H|1.5|+1|031|**|*,5|last|1#2|L,15",
    "0|13|99|-1|0-12|1-13|12-1|NOV-FEB|*/0|*/13|1/3|JAN/3|/2|*/|JAN-|-DEC|JANUARY|Janu|JA|FOO|MON|JAN-MON|JANFEB|JAN,,MAR|,|L|?|W|1.5|+1|001|**|*,5|JAN-MAR-MAY|1-JANUARY",
    "8|9|77|-1|0-8|6-1|FRI-MON|SAT-THU|SUN-SUN|0-SUN|*/0|*/8|1/2|MON/2|/2|*/|MON-|-FRI|MONDAY|Mo|MO|FOO|JAN|MON-JAN|MONTUE|MON,,WED|,|L|5L|FRIL|L5|1#1|MON#2|5#5|?|+MON|+1|W|1W|1.5|001|**|*,5|MON-WED-FRI|weekdays|w",
];

/// Texts that are wrong as a whole.
const WRONG: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "*",
    "* *",
    "* * *",
    "* * * *",
    "0 0 * *",
    "* * * * * *",
    "0 0 0 * * *",
    "0 0 9 * * MON",
    "0 9 * * MON 2026",
    "0 0 9 * * MON 2026",
    "* * * * * * *",
    "* * * * * * * *",
    "0 0 0 0 0 0 0 0 0 0",
    "@",
    "@reboot",
    "@every 5m",
    "@secondly",
    "@minutely",
    "@fortnightly",
    "@quarterly",
    "@dail",
    "@dailyy",
    "@daily @daily",
    "@daily 0 0 * * *",
    "0 0 * * @daily",
    "daily",
    "hourly",
    "midnight",
    "every 5 minutes",
    "every day at nine",
    "rate(5 minutes)",
    "cron(0 9 * * ? *)",
    "at(2026-01-01T00:00:00)",
    "cron(0 9 * * MON)",
    "0 9 ? * MON",
    "0 9 ? * ? *",
    "0 9 * * ?",
    "TZ=UTC 0 9 * * *",
    "CRON_TZ=Europe/Berlin 0 9 * * *",
    "0 9 * * * UTC",
    "09:00",
    "2026-01-01T09:00:00Z",
    "PT5M",
    "R/PT5M",
    "5",
    "300",
    "0 0 30 2 *",
    "0 0 31 2 *",
    "0 0 30 FEB *",
    "0 0 31 FEB *",
    "0 0 30,31 2 *",
    "0 0 30-31 2 *",
    "0 0 31 4 *",
    "0 0 31 6 *",
    "0 0 31 9 *",
    "0 0 31 11 *",
    "0 0 31 APR,JUN,SEP,NOV *",
    "0 0 31 2,4,6,9,11 *",
    "* * 31 2 *",
    "*/5 * 30 2 *",
    "0 0 30-31/1 2 *",
    "0 0 */2 * MON",
    "0 0 */2 * 1-5",
    "0 0 */2 * */2",
    "0 0 */1 * MON",
    "0 0 1 * */2",
    "0 0 1-7 * */7",
    "0 0 13 * */1",
    "0 0 */2,5 * FRI",
    "0 0 5,*/2 * FRI",
    "0 0 1 * 3,*/2",
    "0\u{a0}0 * * *",
    "0 0 * * *\u{0}",
    "0 0 * * *\u{7}",
    "０ 0 * * *",
    "0 0 * * ＊",
    "0 0 * * * # every day",
    "0 0 * * *;",
    "0;0;*;*;*",
    "0,0,*,*,*",
    "\"0 0 * * *\"",
    "'0 0 * * *'",
    "0 0 * * *\n0 1 * * *",
    "null",
    "true",
    "{}",
    "[]",
    "DROP TABLE",
    "../../etc/passwd",
    "<script>",
    "* * * * * /bin/true",
    "0 0 * * * root",
    "💥",
    "0 0 * * 💥",
    "\u{feff}0 0 * * *",
    "-",
    "--",
    "/",
    "*/5",
    "*****",
    "0 0 L * *",
    "0 0 LW * *",
    "0 0 * * 5L",
    "0 0 * * 5#3",
    "0 0 15W * *",
];

fn all() -> Vec<String> {
    let mut texts: Vec<String> = WRONG.iter().map(|it| (*it).to_owned()).collect();
    for (place, values) in WRONG_VALUES.iter().enumerate() {
        for value in values.split('|') {
            let mut fields = ["0", "0", "*", "*", "*"];
            fields[place] = value;
            texts.push(fields.join(" "));
        }
    }
    texts.push("1 ".repeat(5_000));
    texts.push(format!("0 0 {} * *", "1,".repeat(500) + "1"));
    texts.push("1".repeat(10_000));
    texts
}

#[test]
fn three_hundred_bad_patterns_are_refused_in_one_sentence_each() {
    let texts = all();
    assert!(texts.len() >= 300, "{} texts", texts.len());
    for text in texts {
        let problem = Cron::parse(&text).expect_err(&text);
        let shown: String = text.chars().take(60).collect();
        let sentence = problem.ends_with('.') && problem.len() > 20 && problem.len() < 400;
        assert!(sentence, "{shown:?}: {problem}");
        assert!(!problem.contains('\n'), "{shown:?}: {problem}");
        let ours = !problem.starts_with("The pattern cannot be read");
        assert!(ours, "{shown:?} was left to croner: {problem}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("", "The pattern is empty."),
        (
            "0 0 9 * * MON",
            "The pattern has 6 fields, but five are needed: minute, hour, day of month, month and weekday, without seconds or years.",
        ),
        (
            "60 * * * *",
            "The minute '60' is no whole number from 0 to 59.",
        ),
        (
            "0 0 * 13 *",
            "The month '13' is no whole number from 1 to 12 or a name from JAN to DEC.",
        ),
        (
            "0 0 L * *",
            "The day-of-month field has 'L', which Unix cron does not know.",
        ),
        (
            "0 0 * * 5#2",
            "The weekday field has '#', which Unix cron does not know.",
        ),
        (
            "0 0 * * FRI-MON",
            "The weekday range 'FRI-MON' runs backwards; write two, with a comma between them.",
        ),
        (
            "5/15 * * * *",
            "The minute field has a step after '5'; a step follows * or a range, as in */5 or 10-50/5.",
        ),
        (
            "*/90 * * * *",
            "The minute field has the step '90', which is no whole number from 1 to 59.",
        ),
        (
            "@reboot",
            "'@reboot' is not known; use one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or five fields.",
        ),
        (
            "0 0 31 2 *",
            "The pattern never fires: none of its months has one of its days.",
        ),
        (
            "0 0 */2 * MON",
            "Crons disagree whether '*/2' as day of month and 'MON' as weekday must both match; write a range such as 1-31/2 or MON-SUN/2 instead of '*/2' where either is enough.",
        ),
    ];
    for (pattern, expected) in cases {
        assert_eq!(Cron::parse(pattern), Err(expected.to_owned()), "{pattern}");
    }
}
