//! Every vendor, one line each.

use crate::vendor::Vendor;

/// The vendors that can be reached over the network, by name.
pub static VENDORS: &[&Vendor] =
    &[&crate::twenty2::VENDOR, &crate::unleashx::VENDOR, &crate::iqra::VENDOR, &crate::knovvu::VENDOR];
