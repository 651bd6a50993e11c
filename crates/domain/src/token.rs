//! Tokens for requests over HTTP: `rf_`, a letter for the scope, 43 letters and digits (256 random
//! bits), and 6 more as a checksum. The prefix and the checksum let scanners of source code find a
//! token that was published by mistake, without asking anybody.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::words::words;

words! {
    /// What a token may be used for; each may all that the one before it may.
    Scope {
        /// To look, at masked numbers.
        Viewer = "viewer",
        /// To run campaigns.
        Operator = "operator",
        /// To decide who else may.
        Admin = "admin",
    }
}

const PREFIX: &str = "rf_";
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
/// Letters that people may see of a token afterwards.
const SHOWN: usize = 8;

impl Scope {
    const fn letter(self) -> char {
        match self {
            Self::Viewer => 'v',
            Self::Operator => 'o',
            Self::Admin => 'a',
        }
    }
}

/// A token lets its holder ask. It is shown once, and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Makes a token of 256 random bits.
    pub fn new(scope: Scope, random: [u8; 32]) -> Self {
        let body = format!("{PREFIX}{}{}", scope.letter(), base62(&random, SECRET));
        let sum = base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM);
        Self(body + &sum)
    }

    /// Reads a token that somebody sent. None when it cannot be one: a letter is missing or wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let whole = rest.len() == 1 + SECRET + CHECKSUM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !whole {
            return None;
        }
        let (body, sum) = text.split_at(text.len() - CHECKSUM);
        let right = base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM);
        (right == sum).then(|| Self(text.to_owned()))
    }

    /// The whole token, for the person who made it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it: SHA-256 in hex. A secret of 256 random bits needs no slower hash.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }

    /// Its first letters, by which people tell it from others.
    pub fn shown(&self) -> &str {
        &self.0[..SHOWN]
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}…)", self.shown())
    }
}

/// Writes bytes, as one large number, in letters and digits: as many as asked for.
fn base62(bytes: &[u8], length: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; length];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let part = rest << 8 | u32::from(*byte);
            *byte = (part / 62) as u8;
            rest = part % 62;
        }
        *digit = DIGITS[rest as usize];
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_has_its_prefix_its_scope_and_256_bits() {
        let token = Token::new(Scope::Operator, [0xff; 32]);
        assert_eq!(token.reveal().len(), 3 + 1 + 43 + 6);
        assert!(token.reveal().starts_with("rf_o"));
        // 2^256 - 1 in letters and digits; counted by another program.
        assert_eq!(&token.reveal()[4..47], "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(token.shown(), &token.reveal()[..8]);
        assert!(!format!("{token:?}").contains(token.reveal()));
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_no_slip_does(random in any::<[u8; 32]>(), at in 0..53_usize, letter in "[0-9A-Za-z]") {
            let token = Token::new(Scope::Viewer, random);
            prop_assert_eq!(Token::parse(token.reveal()), Some(token.clone()));
            let mut other = token.reveal().to_owned();
            other.replace_range(at..=at, &letter);
            if other != token.reveal() {
                prop_assert_eq!(Token::parse(&other), None);
            }
            prop_assert_eq!(Token::parse(&token.reveal()[1..]), None);
        }

        #[test]
        fn different_bits_make_different_tokens(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            prop_assume!(one != other);
            prop_assert_ne!(Token::new(Scope::Admin, one).digest(), Token::new(Scope::Admin, other).digest());
        }
    }
}
