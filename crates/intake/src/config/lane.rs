//! `[provider.NAME]`: a lane.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ringfence_domain::lane::{LaneLimits, LaneSettings};
use ringfence_domain::phone::Country;
use ringfence_domain::place::Place;
use ringfence_domain::{Outcome, Span, Zone};
use ringfence_providers::{LaneSetup, SettingKey, SettingKind, Vendor};
use secrecy::SecretString;

use super::{ConfigLane, Secrets, beside, check_address};
use crate::Mistake;
use crate::section::{Placed, Section, closest};

pub(super) fn lane(
    name: &Placed<String>,
    mut section: Section<'_>,
    path: &Path,
    vendors: &[&'static Vendor],
    source: &Secrets<'_>,
) -> Option<ConfigLane> {
    // Whatever else is wrong, credentials that somebody wrote down are not shown.
    let secrets = vendors.iter().flat_map(|vendor| vendor.settings);
    secrets
        .filter(|key| matches!(key.kind, SettingKind::Secret))
        .for_each(|key| section.hide(key.name, &["env", "file"]));
    let kinds: Vec<&str> = vendors.iter().map(|vendor| vendor.kind).collect();
    let kind = section.required_text("kind", &format!("write one of {}", kinds.join(", ")))?;
    let Some(vendor) = vendors.iter().find(|vendor| vendor.kind == kind.value) else {
        let hint = closest(&kind.value, kinds.iter().copied())
            .map_or(format!("known: {}", kinds.join(", ")), |close| format!("did you mean `{close}`?"));
        section.found().add(Mistake::new(kind.at, format!("`{}` is not a kind of provider", kind.value)).hint(hint));
        return None;
    };
    let base_url = match section.text("base_url") {
        Some(url) => {
            check_address(&section, &url, "credentials would cross the network unencrypted");
            url.value
        }
        None => {
            if let Some(url) = vendor.base_url {
                url.to_owned()
            } else {
                section.missing("base_url", "write where the vendor's API is: https://host/path");
                return None;
            }
        }
    };
    let base_url = base_url.trim_end_matches('/').to_owned();
    let limits = limits(&mut section, (vendor.limits)());
    let vendor_hours = (vendor.hours)(&base_url);
    let hours = match section.parsed("hours") {
        Some(hours) => Some(hours),
        None => vendor_hours.and_then(|(hours, _)| hours.parse().ok()),
    };
    let timezone = match section.text("timezone") {
        // A vendor may well keep UTC; nobody keeps New York's winter time all year.
        Some(text) if text.value.trim() == "UTC" => Some(Zone::utc()),
        Some(text) => section.parse::<Place>(&text).map(|place| place.0),
        None => vendor_hours.map_or("Asia/Kolkata", |(_, zone)| zone).parse().ok(),
    };
    let lower_priorities = section.parsed("lower_priorities").unwrap_or(LaneSettings::LOWER_PRIORITIES);
    let ca_file = section.text("ca_file").map(|file| beside(path, &file.value));
    let status_map = status_map(&mut section);
    let (mut values, mut read) = (BTreeMap::new(), ReadSecrets::default());
    for key in vendor.settings {
        setting(&mut section, key, path, source, &mut values, &mut read);
    }
    section.finish();
    Some(ConfigLane {
        vendor,
        setup: LaneSetup {
            settings: LaneSettings {
                name: name.value.clone(),
                kind: vendor.kind.to_owned(),
                limits,
                hours,
                timezone: timezone?,
                lower_priorities,
            },
            base_url,
            values,
            secrets: read.values,
            status_map,
        },
        ca_file,
        secret_files: read.files,
    })
}

fn limits(section: &mut Section<'_>, defaults: LaneLimits) -> LaneLimits {
    let Some(mut limits) = section.section("limits") else { return defaults };
    let read = LaneLimits {
        calls: limits.parsed("calls").unwrap_or(defaults.calls),
        requests: limits.parsed("requests").unwrap_or(defaults.requests),
        concurrent: limits.integer("concurrent", 1..=100_000).unwrap_or(defaults.concurrent),
        per_day: limits.integer("per_day", 1..=u32::MAX).or(defaults.per_day),
    };
    limits.finish();
    read
}

fn status_map(section: &mut Section<'_>) -> BTreeMap<String, Outcome> {
    let Some(mut map) = section.section("status_map") else { return BTreeMap::new() };
    map.pairs()
        .into_iter()
        .filter_map(|(word, outcome)| match outcome.value.parse::<Outcome>() {
            Ok(outcome) => Some((word.value, outcome)),
            Err(error) => {
                map.found().add(Mistake::new(outcome.at, error.to_string()));
                None
            }
        })
        .collect()
}

/// The secrets of a lane, and the files that hold them.
#[derive(Default)]
struct ReadSecrets {
    values: BTreeMap<String, SecretString>,
    files: BTreeMap<String, PathBuf>,
}

fn setting(
    section: &mut Section<'_>,
    key: &SettingKey,
    path: &Path,
    source: &Secrets<'_>,
    values: &mut BTreeMap<String, String>,
    secrets: &mut ReadSecrets,
) {
    let name = key.name.to_owned();
    if matches!(key.kind, SettingKind::Secret) {
        if let Some((secret, file)) = secret(section, key.name, path, source) {
            secrets.files.extend(file.map(|file| (name.clone(), file)));
            secrets.values.insert(name, secret);
        }
        return;
    }
    let given = match (key.kind, key.default) {
        (SettingKind::Text, None) => section.required_text(key.name, "this kind of provider needs it"),
        _ => section.text(key.name),
    };
    if let Some(text) = given {
        if matches!(key.kind, SettingKind::OptionalText) && text.value.trim().is_empty() {
            let mistake = Mistake::new(text.at.clone(), format!("`{name}` is empty"));
            section.found().add(mistake.hint("fill it in, or leave it out"));
        }
        check_word(section, key, &text);
        values.insert(name, text.value);
    } else if let Some(default) = key.default {
        values.insert(name, default.to_owned());
    }
}

/// Whether a text is one of those that the setting may be.
pub(crate) fn check_word(section: &Section<'_>, key: &SettingKey, text: &Placed<String>) {
    if matches!(key.kind, SettingKind::OptionalZone) && text.value != "UTC" {
        // Its own complaint knows the closest name.
        let _: Option<Place> = section.parse(text);
    }
    let wrong = match key.kind {
        SettingKind::OneOf(words) if !words.contains(&text.value.as_str()) => {
            Some(format!("`{}` is none of {}", text.value, words.join(", ")))
        }
        SettingKind::Country => text.value.parse::<Country>().err(),
        SettingKind::OptionalSpan => text.value.parse::<Span>().err().map(|error| format!("{error}; {}", error.hint)),
        _ => None,
    };
    if let Some(message) = wrong {
        section.found().add(Mistake::new(text.at.clone(), message));
    }
}

/// Reads `{ env = "NAME" }` or `{ file = "path" }`; never the secret itself.
pub(super) fn secret(
    section: &mut Section<'_>,
    key: &str,
    path: &Path,
    source: &Secrets<'_>,
) -> Option<(SecretString, Option<PathBuf>)> {
    let hint = format!("write {key} = {{ env = \"NAME\" }} or {{ file = \"path\" }}");
    if !section.keys().iter().any(|present| present.value == key) {
        section.missing(key, &hint);
        return None;
    }
    if !section.is_table(key) {
        let at = section.place_of(key).unwrap_or(section.at());
        let mistake = Mistake::new(at, format!("`{key}` must name where the secret is, and not be it"));
        section.found().add(mistake.hint(hint));
        return None;
    }
    let mut reference = section.section(key)?;
    let (env, file) = (reference.text("env"), reference.text("file"));
    let at = reference.at();
    reference.finish();
    let found = section.found();
    match (env, file, source) {
        (Some(_), None, Secrets::Unread) | (None, Some(_), Secrets::Unread) => {
            Some((SecretString::from("not read"), None))
        }
        (Some(name), None, Secrets::Read(environment)) => {
            if let Some(value) = environment(&name.value).filter(|value| !value.trim().is_empty()) {
                Some((SecretString::from(value.trim()), None))
            } else {
                let message = format!("the environment variable `{}` is not set", name.value);
                found.add(Mistake::new(name.at, message).hint(format!("export {}=… before starting", name.value)));
                None
            }
        }
        (None, Some(file), Secrets::Read(_)) => {
            let file_path = beside(path, &file.value);
            match read_secret(&file_path) {
                Ok(value) => Some((value, Some(file_path))),
                Err(message) => {
                    found.add(Mistake::new(file.at, message));
                    None
                }
            }
        }
        _ => {
            found.add(Mistake::new(at, format!("`{key}` must name where the secret is")).hint(hint));
            None
        }
    }
}

pub(crate) fn read_secret(path: &Path) -> Result<SecretString, String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!("others may read {0}; run chmod 600 {0}", path.display()));
    }
    let text = crate::regular::text(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if text.trim().is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok(SecretString::from(text.trim()))
}
