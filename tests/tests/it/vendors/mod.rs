//! Vendors' wire formats, from the shapes that their pages show.

mod contract;
mod iqra;
mod knovvu;
mod script;
mod transport;
mod twenty2;
mod unleashx;
