//! Vendors' wire formats, from the shapes that their pages show.

mod transport;
mod twenty2;
