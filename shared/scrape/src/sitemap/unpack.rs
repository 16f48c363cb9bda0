//! Gzip, told by its first bytes, since servers call such files anything. Refuses to unpack without
//! a bound, and more than twice.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jobs::{Failure, FailureCode};

use super::parse::Limits;

/// A file may be packed, and packed once more by whoever stored it.
const MAX_LAYERS: usize = 2;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How much is unpacked between two looks at the clock.
const STEP: usize = 64 * 1024;

/// The bytes inside, and whether there are more of them. Of a stream that breaks off, what came
/// before.
pub(super) fn unpacked(bytes: Vec<u8>, limits: &Limits<'_>) -> Result<(Vec<u8>, bool), Failure> {
    let (mut bytes, mut cut) = (bytes, false);
    for _ in 0..MAX_LAYERS {
        if !bytes.starts_with(&MAGIC) {
            break;
        }
        let (inner, more) = layer(&bytes, limits)?;
        (bytes, cut) = (inner, cut || more);
    }
    if bytes.starts_with(&MAGIC) {
        return Err(invalid("The sitemap is packed more than twice"));
    }
    Ok((bytes, cut))
}

fn layer(packed: &[u8], limits: &Limits<'_>) -> Result<(Vec<u8>, bool), Failure> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut step = vec![0; STEP];
    let mut out = Vec::new();
    loop {
        match decoder.read(&mut step) {
            Ok(0) => return Ok((out, false)),
            Ok(count) => {
                let fits = count.min(limits.bytes - out.len());
                out.extend_from_slice(&step[..fits]);
                if fits < count || limits.budget.is_spent() {
                    return Ok((out, true));
                }
            }
            Err(_) if out.is_empty() => return Err(invalid("The sitemap cannot be unpacked")),
            Err(_) => return Ok((out, true)),
        }
    }
}

fn invalid(sentence: &str) -> Failure {
    Failure::new(FailureCode::InvalidResponse, sentence)
}
