//! `ringfence.toml`: the database and the lanes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ringfence_domain::lane::{LaneLimits, LaneSettings};
use ringfence_domain::phone::Country;
use ringfence_domain::{Outcome, Span, zones};
use ringfence_providers::{LaneSetup, Secret, SettingKey, SettingKind, Vendor};
use toml::de::DeTable;

use crate::section::{Explain, Found, Placed, Section, closest};
use crate::{Mistake, Mistakes};

/// A configuration file, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The database's address, as written.
    pub database: Option<String>,
    /// Where HTTP is served and reached.
    pub http: Http,
    /// The lanes, by name.
    pub lanes: BTreeMap<String, ConfigLane>,
    /// Every lane that has a section, also one that cannot be read.
    pub(crate) named: BTreeSet<String>,
}

/// Where HTTP is served and reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// Where vendors reach it, without a slash at the end.
    pub public_url: Option<String>,
}

/// A lane's section, checked.
#[derive(Debug, Clone)]
pub struct ConfigLane {
    /// Its vendor.
    pub vendor: &'static Vendor,
    /// Its settings.
    pub setup: LaneSetup,
    /// Certificates to trust instead of the bundled roots.
    pub ca_file: Option<PathBuf>,
}

impl Explain for ringfence_domain::zones::UnknownZone {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        let close = closest(&self.name, zones::all_names());
        let hint = close.map_or("write it as Asia/Kolkata".to_owned(), |close| format!("did you mean `{close}`?"));
        (Some(hint), None)
    }
}

impl Config {
    /// Reads a file. Paths in it are relative to it. `environment` looks up variables that secrets refer to.
    pub fn read(
        path: &Path,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path).map_err(|error| Mistakes::unreadable(path, &error))?;
        Self::parse(path, &text, vendors, environment)
    }

    /// The configuration of those who have no file.
    pub fn none(path: PathBuf) -> Self {
        Self { path, database: None, http: Http::default(), lanes: BTreeMap::new(), named: BTreeSet::new() }
    }

    /// Reads the text of a file that is, or would be, at `path`.
    pub fn parse(
        path: &Path,
        text: &str,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        match Self::as_far_as_it_goes(path, text, vendors, environment) {
            (Some(config), None) => Ok(config),
            (_, mistakes) => Err(mistakes.unwrap_or_else(|| Mistakes::new(path, text, Vec::new()))),
        }
    }

    /// Reads a file for whoever looks for mistakes: what can be read of it, so that campaigns can be checked against that, and
    /// every mistake.
    pub fn look(
        path: &Path,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Self>, Option<Mistakes>) {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::as_far_as_it_goes(path, &text, vendors, environment),
            Err(error) => (None, Some(Mistakes::unreadable(path, &error))),
        }
    }

    fn as_far_as_it_goes(
        path: &Path,
        text: &str,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Self>, Option<Mistakes>) {
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => return (None, Some(syntax(path, text, &error))),
        };
        let found = Found::default();
        let mut root = Section::root(&document, &found);
        let mut config = Self::none(path.to_owned());
        if let Some(mut database) = root.section("database") {
            config.database =
                database.required_text("url", "write url = \"sqlite://ringfence.db\"").map(|url| url.value);
            database.finish();
        }
        if let Some(section) = root.section("http") {
            config.http = http(section);
        }
        if let Some(mut providers) = root.section("provider") {
            for key in providers.keys() {
                let Some(section) = providers.section(&key.value) else { continue };
                config.named.insert(key.value.clone());
                if let Some(lane) = lane(&key, section, path, vendors, environment) {
                    config.lanes.insert(key.value, lane);
                }
            }
        }
        root.finish();
        let shown = found.shown(text);
        let list = found.take();
        let mistakes = (!list.is_empty()).then(|| Mistakes::new(path, &shown, list));
        (Some(config), mistakes)
    }
}

/// A file that is not TOML.
pub(crate) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Mistakes {
    Mistakes::new(path, text, vec![Mistake::new(error.span().unwrap_or(0..0), error.message())])
}

fn http(mut section: Section<'_>) -> Http {
    let listen = section.text("listen").and_then(|text| {
        let address = text.value.parse().ok();
        if address.is_none() {
            let message = format!("`{}` is not an address to listen on", text.value);
            section.found().add(Mistake::new(text.at, message).hint("write listen = \"127.0.0.1:8080\""));
        }
        address
    });
    let public_url = section.text("public_url").map(|url| {
        check_address(&section, &url, "what vendors report would cross the network unencrypted");
        url.value.trim_end_matches('/').to_owned()
    });
    section.finish();
    Http { listen, public_url }
}

fn lane(
    name: &Placed<String>,
    mut section: Section<'_>,
    path: &Path,
    vendors: &[&'static Vendor],
    environment: &dyn Fn(&str) -> Option<String>,
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
        Some(text) => section.parse::<ZoneName>(&text).map(|name| name.0),
        None => zones::zone(vendor_hours.map_or("Asia/Kolkata", |(_, zone)| zone)).ok(),
    };
    let ca_file = section.text("ca_file").map(|file| beside(path, &file.value));
    let status_map = status_map(&mut section);
    let (mut values, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for key in vendor.settings {
        setting(&mut section, key, path, environment, &mut values, &mut secrets);
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
            },
            base_url,
            values,
            secrets,
            status_map,
        },
        ca_file,
    })
}

/// A path relative to the file that names it.
pub(crate) fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new(".")).join(path)
}

/// What is secret goes over TLS, unless it stays on this machine.
fn check_address(section: &Section<'_>, url: &Placed<String>, otherwise: &str) {
    let host = url.value.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    match host {
        None if url.value.starts_with("https://") => {}
        Some("localhost" | "127.0.0.1" | "sandbox.invalid") => {}
        Some(_) => section
            .found()
            .add(Mistake::new(url.at.clone(), otherwise).hint("write https://; http:// is for localhost only")),
        None => section.found().add(
            Mistake::new(url.at.clone(), format!("`{}` is not an address", url.value)).hint("write https://host/path"),
        ),
    }
}

struct ZoneName(chrono_tz::Tz);

impl std::str::FromStr for ZoneName {
    type Err = zones::UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        zones::zone(text).map(ZoneName)
    }
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

fn setting(
    section: &mut Section<'_>,
    key: &SettingKey,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    values: &mut BTreeMap<String, String>,
    secrets: &mut BTreeMap<String, Secret>,
) {
    let name = key.name.to_owned();
    if matches!(key.kind, SettingKind::Secret) {
        secrets.extend(secret(section, key.name, path, environment).map(|secret| (name, secret)));
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
    if matches!(key.kind, SettingKind::OptionalZone) {
        // Its own complaint knows the closest name.
        let _: Option<ZoneName> = section.parse(text);
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

/// `{ env = "NAME" }` or `{ file = "path" }`; never the secret itself.
fn secret(
    section: &mut Section<'_>,
    key: &str,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<Secret> {
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
    match (env, file) {
        (Some(name), None) => {
            if let Some(value) = environment(&name.value).filter(|value| !value.trim().is_empty()) {
                Some(Secret::new(value.trim()))
            } else {
                let message = format!("the environment variable `{}` is not set", name.value);
                found.add(Mistake::new(name.at, message).hint(format!("export {}=… before starting", name.value)));
                None
            }
        }
        (None, Some(file)) => {
            let file_path = beside(path, &file.value);
            match read_secret(&file_path) {
                Ok(value) => Some(Secret::new(value.trim())),
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

fn read_secret(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!("others may read {0}; run chmod 600 {0}", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if text.trim().is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok(text)
}
