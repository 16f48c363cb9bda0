//! Compression of what a crawl stores, and the bounds on reading it back.

use std::io;

/// Level of compression: the fastest that shrinks text to a quarter or so.
const LEVEL: i32 = 1;

/// A compressor whose working memory is used again.
pub(crate) struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        zstd::bulk::Compressor::new(LEVEL).map(Self)
    }

    /// One frame (RFC 8878) that tells its own size.
    pub(crate) fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.0.compress(bytes)
    }
}

/// What a frame holds, where that is no more than `most` bytes.
pub(crate) fn unpack(frame: &[u8], most: usize) -> io::Result<Vec<u8>> {
    zstd::bulk::decompress(frame, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_reads_back_within_its_bound() {
        let bytes = b"to be or not to be ".repeat(1_000);
        let frame = Packer::new().unwrap().pack(&bytes).unwrap();
        assert!(frame.len() < bytes.len() / 10);
        assert_eq!(unpack(&frame, bytes.len()).unwrap(), bytes);
        assert!(unpack(&frame, bytes.len() - 1).is_err());
        assert!(unpack(b"nonsense", 100).is_err());
    }
}
