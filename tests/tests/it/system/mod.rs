//! The command line, as its users type it.

mod abuse;
mod asking;
mod bad_input;
mod checking;
mod first_evening;
pub(crate) mod help;
mod history;
mod lists;
mod morning;
mod operating;
pub(crate) mod printed;
mod roles;
mod rules;
mod running;
mod secrets;
mod starting;
mod strangers;
mod verifying;
mod zones;
