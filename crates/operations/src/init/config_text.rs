//! A configuration file for a first lane.

use ringfence_providers::{SettingKey, SettingKind, Vendor};

/// Returns the environment variable that a secret is read from.
pub(super) fn variable(vendor: &Vendor, key: &SettingKey) -> String {
    format!("{}_{}", vendor.kind, key.name).to_uppercase()
}

/// Writes a line of a file, with its comment in a column of its own.
pub(super) fn commented(line: &str, comment: &str) -> String {
    if comment.is_empty() { format!("{line}\n") } else { format!("{line:<38} # {comment}\n") }
}

/// Writes the configuration of one lane at this vendor, secrets by the names of environment
/// variables.
pub(super) fn config_text(vendor: &Vendor) -> String {
    let mut text = String::from(
        "# Paths in this file are relative to it, the database's too. A file STOP beside it stops every call.\n\n\
         [database]\nurl = \"sqlite://ringfence.db\"\n\n\
         # A lane: one account at one vendor. Campaigns name it with provider = \"main\".\n[provider.main]\n",
    );
    text.push_str(&commented(&format!("kind = \"{}\"", vendor.kind), ""));
    match vendor.base_url {
        None => text.push_str(&commented("base_url = \"\"", "where the vendor's API is")),
        Some(url) => text.push_str(&commented(&format!("# base_url = \"{url}\""), "or a sandbox's")),
    }
    for key in vendor.settings {
        let name = key.name;
        text.push_str(&match (key.kind, key.default) {
            (SettingKind::Secret, _) => {
                commented(&format!("{name} = {{ env = \"{}\" }}", variable(vendor, key)), "never the secret itself")
            }
            (SettingKind::Text, None) => commented(&format!("{name} = \"\""), "from your account at the vendor"),
            (SettingKind::OneOf(words), Some(default)) => {
                commented(&format!("# {name} = \"{default}\""), &format!("one of {}", words.join(", ")))
            }
            (SettingKind::OptionalZone, _) => commented(&format!("# {name} = \"Asia/Kolkata\""), "if you know it"),
            (_, default) => commented(&format!("# {name} = \"{}\"", default.unwrap_or_default()), ""),
        });
    }
    let limits = (vendor.limits)();
    text.push_str(&format!(
        "# limits = {{ calls = \"{}\", requests = \"{}\", concurrent = {} }}\n",
        limits.calls, limits.requests, limits.concurrent
    ));
    text
}
