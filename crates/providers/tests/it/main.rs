//! Vendors' wire formats, from the shapes that their pages show.

mod broken_rows;
mod contract;
mod iqra;
mod knovvu;
mod objections;
mod script;
mod transport;
mod twenty2;
mod unleashx;
