//! The addresses that vendors report calls to by themselves: each speaks for a lane or an attempt,
//! and nobody can guess another.
//!
//! What a vendor sends by itself is a "report" in code and rows, because a "callback" is the call
//! that a callee asks for. The address alone keeps its fixed name, `/callbacks/…`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key that makes the addresses of an installation.
#[derive(Clone, PartialEq, Eq)]
pub struct ReportKey([u8; 16]);

/// Its `Debug` shows that there is one, never which.
impl fmt::Debug for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportKey(…)")
    }
}

/// The lane or attempt that an address speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportFrom {
    /// A lane's vendor.
    Lane,
    /// A lane's vendor, about the attempt of this reference.
    Attempt(String),
}

/// Bytes of a secret. Nobody guesses 128 bits.
const TAG: usize = 16;

impl ReportKey {
    /// Keeps a key.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    fn mac(&self, lane: &str, reference: Option<&str>) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is a key");
        // Lengths keep the parts apart, whatever they hold.
        for part in [lane, reference.unwrap_or_default()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    fn tag(&self, lane: &str, reference: Option<&str>) -> String {
        hex::encode(&self.mac(lane, reference).finalize().into_bytes()[..TAG])
    }

    /// Returns the secret of a lane's address.
    pub fn of_lane(&self, lane: &str) -> String {
        self.tag(lane, None)
    }

    /// Returns the secret of an attempt's own address.
    pub fn of_attempt(&self, lane: &str, reference: &str) -> String {
        format!("{reference}.{}", self.tag(lane, Some(reference)))
    }

    /// Returns the sender that a secret names; none when it is not one of this lane's. It takes as
    /// long whatever is wrong with the secret.
    pub fn read(&self, lane: &str, secret: &str) -> Option<ReportFrom> {
        let (reference, tag) = match secret.rsplit_once('.') {
            Some((reference, tag)) if !reference.is_empty() => (Some(reference), tag),
            Some(_) => return None,
            None => (None, secret),
        };
        // One address, not many: capital digits are another text.
        if tag.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let tag: [u8; TAG] = hex::FromHex::from_hex(tag).ok()?;
        self.mac(lane, reference).verify_truncated_left(&tag).ok()?;
        Some(reference.map_or(ReportFrom::Lane, |reference| ReportFrom::Attempt(reference.to_owned())))
    }
}

/// The address at which an installation is reached, and the key of its addresses for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAddress {
    /// `https://dialer.example.com`, without a slash at the end.
    pub public_url: String,
    /// The key.
    pub key: ReportKey,
}

impl ReportAddress {
    /// Returns the address that a lane's vendor reports to.
    pub fn of_lane(&self, lane: &str) -> String {
        self.address(lane, &self.key.of_lane(lane))
    }

    /// Returns the address that it reports one call's end to.
    pub fn of_attempt(&self, lane: &str, reference: &str) -> String {
        self.address(lane, &self.key.of_attempt(lane, reference))
    }

    fn address(&self, lane: &str, secret: &str) -> String {
        let lane: String = form_urlencoded::byte_serialize(lane.as_bytes()).collect::<String>().replace('+', "%20");
        format!("{}/callbacks/{lane}/{secret}", self.public_url)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_speaks_for_its_own_lane_and_attempt_only() {
        let key = ReportKey::new([7; 16]);
        let (lane, attempt) = (key.of_lane("main"), key.of_attempt("main", "abc"));
        assert_eq!(key.read("main", &lane), Some(ReportFrom::Lane));
        assert_eq!(key.read("main", &attempt), Some(ReportFrom::Attempt("abc".to_owned())));
        let other = ReportKey::new([8; 16]);
        for secret in [&lane, &attempt] {
            assert_eq!(key.read("other", secret), None);
            assert_eq!(other.read("main", secret), None);
        }
        let tag = attempt.rsplit_once('.').expect("two parts").1.to_owned();
        for wrong in
            [String::new(), ".".into(), tag.clone(), format!(".{tag}"), format!("abd.{tag}"), format!("abc.{lane}")]
        {
            assert_eq!(key.read("main", &wrong), None, "{wrong}");
        }
        assert_eq!(key.read("main", &lane.to_uppercase()), None, "one address, not many");
    }

    #[test]
    fn an_address_survives_being_one() {
        let address = ReportAddress { public_url: "https://dialer.example.com".into(), key: ReportKey::new([7; 16]) };
        let of_lane = address.of_lane("my lane/1");
        assert!(of_lane.starts_with("https://dialer.example.com/callbacks/my%20lane%2F1/"), "{of_lane}");
    }

    proptest! {
        #[test]
        fn no_text_but_the_secret_is_taken(text in ".{0,80}", at in 0_usize..32) {
            let key = ReportKey::new([9; 16]);
            prop_assert!(key.read("main", &text).is_none());
            let mut secret = key.of_lane("main").into_bytes();
            secret[at] = if secret[at] == b'0' { b'1' } else { b'0' };
            prop_assert!(key.read("main", &String::from_utf8_lossy(&secret)).is_none());
        }
    }
}
