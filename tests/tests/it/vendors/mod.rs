//! Vendors' wire formats, from the shapes that their pages show.

mod contract;
mod script;
mod transport;
mod twenty2;
