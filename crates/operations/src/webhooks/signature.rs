//! The signature of a message. Source: the specification of Standard Webhooks, "Signature scheme".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ringfence_domain::Moment;
use ringfence_intake::config::secret_bytes;
use secrecy::SecretString;
use sha2::Sha256;

/// The header `webhook-signature`: one signature for each secret, so that a receiver that knows the
/// old one or the new one can check it.
pub fn signature(secrets: &[SecretString], id: &str, sent_at: Moment, body: &str) -> String {
    let signed = |secret: &SecretString| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret_bytes(secret)?).ok()?;
        mac.update(format!("{id}.{}.{body}", sent_at.millis() / 1_000).as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    secrets.iter().filter_map(signed).collect::<Vec<_>>().join(" ")
}
