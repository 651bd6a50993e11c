//! Everything that needs a database, a server or the binary.

mod browser;
mod conformance;
mod documents;
mod http;
mod rules;
mod scenarios;
mod system;
