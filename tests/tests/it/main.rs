//! Everything that needs a database, a server or the binary.

mod commands;
mod conformance;
mod files;
mod http;
mod rules;
mod scenarios;
mod vendors;
