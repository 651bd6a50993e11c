//! The keys by which numbers are unique and are looked up.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::PhoneNumber;

/// The key by which a number is unique and is looked up: a keyed hash, so that encrypting the
/// numbers later changes one column and no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumberKey(pub i64);

/// The secret that number keys are made with, one for each installation.
#[derive(Clone)]
pub struct NumberHasher {
    key: [u8; 16],
}

impl NumberHasher {
    /// Makes a hasher with this installation's key.
    pub fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// Returns the key of a number: SipHash-1-3 of its E.164 digits, in the form that all of its
    /// ways to be written share.
    pub fn key(&self, number: &PhoneNumber) -> NumberKey {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(number.identity().as_bytes());
        NumberKey(hasher.finish().cast_signed())
    }
}

impl fmt::Debug for NumberHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberHasher(…)")
    }
}
