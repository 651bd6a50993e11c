//! `[[webhook]]`: who is told what happens.

use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringfence_domain::event::EventKind;
use secrecy::{ExposeSecret, SecretString};

use super::Secrets;
use super::lane::secret;
use crate::Mistake;
use crate::section::{Placed, Section};

/// One receiver of events.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where messages are sent.
    pub url: String,
    /// What they are signed with, in `whsec_` and base64; the newest first.
    pub secrets: Vec<SecretString>,
    /// The kinds of events that it wants.
    pub events: Vec<EventKind>,
    /// Whether it is told the numbers that were called.
    pub include_phone: bool,
    /// Whether it may be on this machine or in a private network.
    pub allow_private: bool,
}

/// The bytes of a secret. Source: the specification of Standard Webhooks.
pub fn secret_bytes(secret: &SecretString) -> Option<Vec<u8>> {
    let text = secret.expose_secret();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

pub(super) fn webhook(mut section: Section<'_>, path: &Path, source: &Secrets<'_>) -> Option<Webhook> {
    let url = section.required_text("url", "write where to send: url = \"https://crm.example/hook\"");
    let allow_private = section.flag("allow_private").unwrap_or_default();
    if let Some(url) = &url {
        check_url(&section, url, allow_private);
    }
    let mut secrets: Vec<SecretString> =
        secret(&mut section, "secret", path, source).into_iter().map(|(secret, _)| secret).collect();
    if section.keys().iter().any(|key| key.value == "old_secret") {
        secrets.extend(secret(&mut section, "old_secret", path, source).map(|(secret, _)| secret));
    } else {
        drop(section.text("old_secret"));
    }
    if matches!(source, Secrets::Read(_)) && secrets.iter().any(|secret| secret_bytes(secret).is_none()) {
        let mistake = Mistake::new(section.at(), "a webhook's secret is `whsec_` and 24 to 64 bytes in base64");
        section.found().add(mistake.hint("make one: echo whsec_$(openssl rand -base64 32)"));
    }
    let events = section.texts("events").unwrap_or_default();
    if events.is_empty() {
        section.missing("events", "name what it is told: events = [\"call.ended\", \"campaign.held\"]");
    }
    let parse = |text: Placed<String>| {
        let kind = EventKind::from_str(&text.value).ok();
        if kind.is_none() {
            let close = crate::section::closest(&text.value, EventKind::WORDS.iter().copied());
            let mistake = Mistake::new(text.at, format!("`{}` is no kind of event", text.value));
            let close = close.map_or_else(
                || format!("known: {}", EventKind::WORDS.join(", ")),
                |close| format!("did you mean `{close}`?"),
            );
            section.found().add(mistake.hint(close));
        }
        kind
    };
    let events = events.into_iter().filter_map(parse).collect();
    let include_phone = section.flag("include_phone").unwrap_or_default();
    section.finish();
    Some(Webhook { url: url?.value, secrets, events, include_phone, allow_private })
}

/// Messages are about people: they go over TLS, unless they stay in the operator's own network.
fn check_url(section: &Section<'_>, url: &Placed<String>, allow_private: bool) {
    let wrong = match url.value.split_once("://") {
        Some((_, rest)) if rest.split('/').next().unwrap_or_default().contains('@') => {
            section.found().hide(url.at.clone());
            Some("an address carries a user or a password, which logs would show")
        }
        Some(("https", _)) => None,
        Some(("http", _)) if allow_private => None,
        Some(("http", _)) => Some("what happens to people would cross the network unencrypted"),
        _ => Some("it is no address"),
    };
    if let Some(wrong) = wrong {
        let hint = "write https://host/path; http:// only with allow_private = true, within your own network";
        section.found().add(Mistake::new(url.at.clone(), wrong).hint(hint));
    }
}
