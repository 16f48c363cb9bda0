//! Order that no compiler keeps: who may name what, how files look, and that the template and the
//! code say the same.

mod sources;
mod template;

use std::path::Path;

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
