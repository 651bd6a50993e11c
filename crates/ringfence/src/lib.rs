//! The binary's insides: commands, and the wiring of scheduler, worker and reconciler into an engine.
//!
//! Adding a command: a file in `commands`, one variant in [`cli::Command`], one line where that is matched.

pub mod cautions;
pub mod cli;
pub mod commands;
pub mod engine;
pub mod failure;
pub mod file_form;
pub mod home;
pub mod importing;
pub mod input_file;
pub mod leaving;
pub mod list_check;
pub mod outage;
pub mod rejects;
pub mod rests;
pub mod said;
pub mod scheduling;
pub mod screen;
pub mod slots;
pub mod stderr;
pub mod stop_file;
pub mod summary;
pub mod telemetry;
pub mod zones;
