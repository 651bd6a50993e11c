//! The real engine and real SQL in virtual time, from one seed: the same seed is the same run.
//!
//! Time stands still while a statement is under way, nothing runs beside anything else, and every
//! random number comes from the seed. So a run that breaks a promise can be run again, made smaller
//! and kept.

mod chance;
mod happen;
mod known;
mod operation;
mod process;
mod rows;
mod run;
mod shrink;
mod world;

pub use self::chance::begin;
pub use self::operation::{Operation, parse, random, written};
pub use self::run::{Ran, run};
pub use self::shrink::shrink;
