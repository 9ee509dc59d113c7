//! The HTTPS edge from outside: real TLS over loopback, with judges that say what the test wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod caller;
mod certificates;
mod clients;
mod drain;
mod errors;
mod health;
mod pace;
mod panics;
mod site;
mod tls;
