//! What is uploaded: each executable of the functions in an archive of its own, as `bootstrap`.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use tests::lambda::executables;

use crate::report::{Row, Section};

const GOAL_MB: f64 = 5.0;
const MB: f64 = 1_000_000.0;
/// Of a ZIP archive with one file: its local header, its entry in the directory, and the end.
const AROUND: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

pub(crate) fn measure() -> Section {
    let shipped = executables::shipped();
    let mut rows = Vec::new();
    for executable in shipped.all() {
        let program = std::fs::read(executable).unwrap();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&program).unwrap();
        let zipped = encoder.finish().unwrap().len() + AROUND;
        let name = executable.file_name().unwrap().to_string_lossy();
        let plain = format!("{name}, {:.1} MB before", program.len() as f64 / MB);
        rows.push(Row::new(plain, "MB", vec![zipped as f64 / MB]).at_most(GOAL_MB));
    }
    Section {
        title: "Size of each function's archive",
        how: "Release build of this machine's architecture, stripped, DEFLATE at its best."
            .to_owned(),
        columns: vec!["zipped"],
        rows,
    }
}
