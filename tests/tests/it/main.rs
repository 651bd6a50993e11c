//! Everything that needs a database, a server or the binary.

mod conformance;
mod scenarios;
