//! The dashboard in a real browser.

mod keys;
mod life;
mod looks;
mod session;
mod without_scripts;
