//! The whole door against servers on this machine: what a stranger's address, name server or web
//! server may try, and what must come of it.

mod answers;
mod charsets;
mod clocks;
mod hostile;
mod posts;
mod rebinding;
mod redirects;
mod robots;
mod site;
mod sitemaps;
mod ssrf;
mod tls;
mod visits;
