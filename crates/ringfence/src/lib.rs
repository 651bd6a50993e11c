//! The binary's insides: the commands.
//!
//! Adding a command: a file in `commands`, one variant in [`cli::Command`], one line where that is matched.

pub mod cautions;
pub mod cli;
pub mod commands;
pub mod failure;
pub mod file_form;
pub mod home;
pub mod importing;
pub mod input_file;
pub mod leaving;
pub mod list_check;
pub mod rejects;
pub mod rests;
pub mod said;
pub mod scheduling;
pub mod screen;
pub mod slots;
pub mod stderr;
pub mod summary;
pub mod telemetry;
pub mod zones;
