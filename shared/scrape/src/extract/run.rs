//! Finds how far a text can be taken as it stands, so that not every character is looked at by
//! itself. Refuses to decide what becomes of the characters that stop it.

/// What a byte is in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a word, whatever comes next.
    Word,
    Space,
    /// White space of another kind, a control character, or a byte that may begin one.
    Unclear,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Word; 256];
    let mut byte = 0;
    while byte < 256 {
        // The leads of U+0080 to U+00BF, U+1680, U+2000 to U+206F and U+3000, where the white
        // space and the control characters beyond ASCII are.
        if byte < 0x20 || byte == 0x7f || matches!(byte, 0xc2 | 0xe1 | 0xe2 | 0xe3) {
            classes[byte] = Class::Unclear;
        }
        byte += 1;
    }
    classes[b' ' as usize] = Class::Space;
    classes
};

/// The length of the beginning of a text that can be taken as it stands: words, with one space
/// between them where spaces are no matter. Ends between two characters.
pub(super) fn run_length(bytes: &[u8], with_spaces: bool) -> usize {
    let mut at = if with_spaces { plain_words(bytes) } else { 0 };
    // Where the last word ended.
    let mut end = at;
    while let Some(byte) = bytes.get(at) {
        match CLASSES[*byte as usize] {
            Class::Word => {
                at += 1;
                end = at;
            }
            Class::Space if with_spaces && at == end && at > 0 => at += 1,
            _ => break,
        }
    }
    end
}

/// How much of the beginning of a text is ASCII words with one space between them, eight bytes at
/// a time. Ends behind a word's character; what is there is for others to look at.
fn plain_words(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x80 * ONES;
    // The high bit of every byte that is zero.
    let zeros = |word: u64| !((word & !HIGHS).wrapping_add(!HIGHS) | word | !HIGHS);
    let mut at = 0;
    // A space in front is no part of the run.
    let mut before = 0x80;
    for chunk in bytes.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let spaces = zeros(word ^ (u64::from(b' ') * ONES));
        let doubled = spaces & (spaces << 8 | before);
        let controls = word.wrapping_sub(0x20 * ONES) & !word | zeros(word ^ (0x7f * ONES));
        if (word | controls) & HIGHS != 0 || doubled != 0 {
            break;
        }
        before = spaces >> 56;
        at += 8;
    }
    at - usize::from(at > 0 && before != 0)
}
