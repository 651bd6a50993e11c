//! The command line, as its users type it.

mod asking;
mod bad_input;
mod checking;
mod help;
mod lists;
mod operating;
mod printed;
mod rules;
mod running;
mod starting;
mod zones;
