//! The binary's insides: the commands.
//!
//! Adding a command: a file in `commands`, one variant in [`cli::Command`], one line where that is
//! matched.

pub mod attention_lines;
pub mod cli;
pub mod commands;
pub mod common;
pub mod dispatch;
pub mod failure;
pub mod home;
pub mod leaving;
pub mod private;
pub mod progress;
pub mod screen;
pub mod stderr;
pub mod summary_table;
pub mod table;
pub mod telemetry;
