//! The door to the web: the only place in the project that opens a connection to a foreign server.
//! Refuses to connect to an address that the guard has not judged.

mod address;
mod guard;
mod lookup;
mod targets;

pub use guard::MAX_URL;
pub use lookup::{Lookup, SystemLookup};
pub use targets::{Authority, Targets};
