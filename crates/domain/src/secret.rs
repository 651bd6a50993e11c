//! Secrets of 256 random bits that are handed out once: the cookie of a browser, the code that logs
//! one in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Letters of a secret: 32 bytes in base64.
const LENGTH: usize = 43;

/// A secret. It is shown once, and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret of 256 random bits.
    pub fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Reads a secret that somebody sent. None when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == LENGTH && URL_SAFE_NO_PAD.decode(text).is_ok();
        is_one.then(|| Self(text.to_owned()))
    }

    /// The whole secret, for whom it is made.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it: SHA-256 in hex. 256 random bits need no slower hash.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_secret_reads_back_and_nothing_else_does(random in any::<[u8; 32]>(), text in ".{0,60}") {
            let secret = Secret::new(random);
            prop_assert_eq!(Secret::parse(secret.reveal()), Some(secret.clone()));
            prop_assert_eq!(Secret::parse(&secret.reveal()[1..]), None);
            if let Some(read) = Secret::parse(&text) {
                prop_assert_eq!(read.reveal(), text);
            }
            let shown = format!("{secret:?}");
            prop_assert!(!shown.contains(secret.reveal()));
        }
    }
}
