//! One address of a crawl and its stored form, a line of tab-separated fields: an address as the
//! URL standard writes it holds neither tabs nor line breaks.

use std::fmt::Write as _;

use crate::crawl::reason::{Reason, UrlState};
use crate::time::Timestamp;

/// Longest detail of a reason that is kept, in bytes.
const MAX_DETAIL: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub url: Box<str>,
    /// Links between the start and it.
    pub depth: u8,
    /// Failed attempts at it.
    pub tries: u8,
    /// Where its last result lies that a refresh could not renew: segment and line among those that
    /// are held for the next one.
    pub held: Option<(u32, u32)>,
    /// Redirects that led to it, one from the other; kept while it waits.
    pub hops: u8,
    pub standing: Standing,
    /// Where it led to, where that is another address. While it waits, the spelling of it that is
    /// to be asked for.
    pub final_url: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not to be fetched before this.
    Queued(Timestamp),
    Done(Kept),
    /// Failed or skipped.
    Ended(Reason),
}

/// A result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Of what the page says.
    pub digest: u64,
    /// The segment of results that it lies in.
    pub segment: u32,
    /// Its line there.
    pub line: u32,
}

impl Kept {
    /// The digest of a result that says that its page is gone.
    pub const REMOVED: u64 = u64::MAX;
}

impl Entry {
    pub fn state(&self) -> UrlState {
        match &self.standing {
            Standing::Queued(_) => UrlState::Queued,
            Standing::Done(_) => UrlState::Done,
            Standing::Ended(reason) => reason.state(),
        }
    }

    pub fn reason(&self) -> Option<&Reason> {
        match &self.standing {
            Standing::Ended(reason) => Some(reason),
            _ => None,
        }
    }

    /// Appends the line.
    pub fn write(&self, out: &mut String) {
        let Self {
            url, depth, tries, ..
        } = self;
        let final_url = self.final_url.as_deref().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = match &self.standing {
            Standing::Queued(at) => {
                let (at, hops) = (at.as_millis(), self.hops);
                if hops == 0 {
                    writeln!(out, "q\t{depth}\t{tries}\t{url}\t{final_url}\t{at}")
                } else {
                    writeln!(out, "q\t{depth}\t{tries}\t{url}\t{final_url}\t{at}\t{hops}")
                }
            }
            Standing::Done(Kept {
                digest,
                segment,
                line,
            }) => writeln!(
                out,
                "d\t{depth}\t{tries}\t{url}\t{final_url}\t{digest:x}\t{segment}\t{line}"
            ),
            Standing::Ended(reason) => {
                let (code, detail) = (reason.code(), plain(reason.detail()));
                let held = self
                    .held
                    .map(|(segment, line)| format!("\t{segment}\t{line}"));
                let held = held.unwrap_or_default();
                writeln!(
                    out,
                    "e\t{depth}\t{tries}\t{url}\t{final_url}\t{code}\t{detail}{held}"
                )
            }
        };
    }

    /// Reads a line; `None` where it is none of ours.
    pub fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let kind = fields.next()?;
        let depth = fields.next()?.parse().ok()?;
        let tries = fields.next()?.parse().ok()?;
        let url = fields.next()?.into();
        let final_url = fields.next().filter(|url| !url.is_empty()).map(Into::into);
        let value = fields.next()?;
        let (mut hops, mut held) = (0, None);
        let standing = match kind {
            "q" => {
                if let Some(count) = fields.next() {
                    hops = count.parse().ok()?;
                }
                Standing::Queued(Timestamp::from_millis(value.parse().ok()?))
            }
            "d" => Standing::Done(Kept {
                digest: u64::from_str_radix(value, 16).ok()?,
                segment: fields.next()?.parse().ok()?,
                line: fields.next()?.parse().ok()?,
            }),
            "e" => {
                let reason = Reason::of(value, fields.next()?)?;
                if let Some(segment) = fields.next() {
                    held = Some((segment.parse().ok()?, fields.next()?.parse().ok()?));
                }
                Standing::Ended(reason)
            }
            _ => return None,
        };
        Some(Self {
            url,
            depth,
            tries,
            held,
            hops,
            standing,
            final_url,
        })
    }
}

/// A detail in one short field.
fn plain(detail: &str) -> String {
    let end = detail.floor_char_boundary(MAX_DETAIL);
    let space = |c: char| if c.is_control() { ' ' } else { c };
    detail[..end].chars().map(space).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::failure::FailureCode;

    #[test]
    fn every_standing_reads_back() {
        let reasons = [
            Reason::Robots("line 1: Disallow: /".to_owned()),
            Reason::Depth,
            Reason::OffScope,
            Reason::Duplicate("http://a.example/".to_owned()),
            Reason::Failure(FailureCode::Http(404), "gone".to_owned()),
        ];
        let ended = reasons.into_iter().map(Standing::Ended);
        let standings = [
            Standing::Queued(Timestamp::from_millis(5)),
            Standing::Done(Kept {
                digest: u64::MAX,
                segment: 7,
                line: 9,
            }),
        ];
        for standing in ended.chain(standings) {
            for final_url in [None, Some("http://b.example/".into())] {
                let waits = matches!(standing, Standing::Queued(_));
                let entry = Entry {
                    url: "http://a.example/?a=1".into(),
                    depth: 100,
                    tries: 3,
                    held: matches!(standing, Standing::Ended(_)).then_some((3, 7)),
                    hops: if waits && final_url.is_some() { 5 } else { 0 },
                    standing: standing.clone(),
                    final_url,
                };
                let mut line = String::new();
                entry.write(&mut line);
                assert_eq!(Entry::read(line.trim_end_matches('\n')), Some(entry));
            }
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in ".{0,80}") {
            let _ = Entry::read(&line);
        }

        #[test]
        fn a_detail_stays_in_its_field(detail in "[\\x00-\\x{ff}]{0,400}") {
            let entry = Entry {
                url: "http://a.example/".into(),
                depth: 0,
                tries: 0,
                held: None,
                hops: 0,
                standing: Standing::Ended(Reason::Trap(detail)),
                final_url: None,
            };
            let mut line = String::new();
            entry.write(&mut line);
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert!(Entry::read(line.trim_end_matches('\n')).is_some());
        }
    }
}
