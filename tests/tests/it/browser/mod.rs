//! The dashboard in a real browser.

mod encrypted;
mod journey;
mod keys;
mod life;
mod looks;
mod session;
mod without_scripts;
