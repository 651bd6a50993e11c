//! `ringfence.toml`: the database, the lanes, the operator's own holidays.

mod http;
pub(crate) mod lane;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ringfence_domain::place::NoPlace;
use ringfence_domain::window::{Holidays, HolidaysError};
use ringfence_domain::{Span, Zone};
use ringfence_providers::{LaneSetup, Vendor};
use toml::de::DeTable;

pub use self::http::{Http, TlsFiles};
pub use self::webhook::{Webhook, secret_bytes};
use crate::section::{Explain, Found, Placed, Section};
use crate::{Mistake, Mistakes, regular};

/// A configuration file, checked.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The database's address, as written.
    pub database: Option<String>,
    /// Where HTTP is served and reached.
    pub http: Http,
    /// How long the people of a run that is over are kept.
    pub keep_people: Option<Span>,
    /// Who is told what happens.
    pub webhooks: Vec<Webhook>,
    /// A zoneinfo tree of the operator.
    pub zones: Option<PathBuf>,
    /// The operator's own holidays: the text of each file by the name that campaigns know it by.
    pub holidays: BTreeMap<String, String>,
    /// The lanes, by name.
    pub lanes: BTreeMap<String, ConfigLane>,
    /// Every lane that has a section, also one that cannot be read.
    pub(crate) named: BTreeSet<String>,
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
    /// The files that hold secrets, by the keys of the settings.
    secret_files: BTreeMap<String, PathBuf>,
}

/// Where secrets come from.
pub(crate) enum Secrets<'e> {
    /// They are read; variables are looked up so.
    Read(&'e dyn Fn(&str) -> Option<String>),
    /// Nobody is called, so that none is needed.
    Unread,
}

impl ConfigLane {
    /// Returns the lane with the secrets that its files hold now. A file that cannot be read is an
    /// error, and so is one that others may read.
    pub fn with_present_secrets(&self) -> Result<Self, String> {
        let mut lane = self.clone();
        for (key, file) in &self.secret_files {
            lane.setup.secrets.insert(key.clone(), lane::read_secret(file)?);
        }
        Ok(lane)
    }
}

impl Explain for NoPlace {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        (Some(zone_hint(self)), None)
    }
}

/// Returns the zone whose name differs in a letter or two. What merely looks alike would lead
/// people to the other end of the world.
fn almost(name: &str) -> Option<&'static str> {
    let distance = |zone: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &zone.to_lowercase());
    let near = Zone::all().map(Zone::name).map(|zone| (distance(zone), zone)).min()?;
    (near.0 <= 2 && name.len() > 5).then_some(near.1)
}

/// Returns the zone that may have been meant by a name that is none.
pub fn zone_hint(error: &NoPlace) -> String {
    let close = match error {
        NoPlace::Unknown(unknown) if error.meant().is_none() => almost(&unknown.name),
        _ => None,
    };
    close.map_or_else(|| error.hint(), |close| format!("did you mean `{close}`?"))
}

impl Config {
    /// Reads a file. Paths in it are relative to it. `environment` looks up variables that secrets
    /// refer to.
    pub fn load(
        path: &Path,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let text = regular::text(path).map_err(|error| Mistakes::unreadable(path, &error))?;
        Self::parse(path, &text, vendors, environment)
    }

    /// Makes the configuration of an operator who has no file.
    pub fn none(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// Reads the text of a file that is, or would be, at `path`.
    pub fn parse(
        path: &Path,
        text: &str,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        match Self::as_far_as_it_goes(path, text, vendors, &Secrets::Read(environment)) {
            (Some(config), None) => Ok(config),
            (_, mistakes) => Err(mistakes.unwrap_or_else(|| Mistakes::new(path, text, Vec::new()))),
        }
    }

    /// Reads a file to look for mistakes. Returns the part of it that can be read, so that
    /// campaigns can be checked against it, and every mistake.
    pub fn look(
        path: &Path,
        vendors: &[&'static Vendor],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Self>, Option<Mistakes>) {
        match regular::text(path) {
            Ok(text) => Self::as_far_as_it_goes(path, &text, vendors, &Secrets::Read(environment)),
            Err(error) => (None, Some(Mistakes::unreadable(path, &error))),
        }
    }

    /// The same for who calls nobody: secrets are not read, and it is no mistake that they cannot
    /// be.
    pub fn look_without_secrets(path: &Path, vendors: &[&'static Vendor]) -> (Option<Self>, Option<Mistakes>) {
        match regular::text(path) {
            Ok(text) => Self::as_far_as_it_goes(path, &text, vendors, &Secrets::Unread),
            Err(error) => (None, Some(Mistakes::unreadable(path, &error))),
        }
    }

    fn as_far_as_it_goes(
        path: &Path,
        text: &str,
        vendors: &[&'static Vendor],
        secrets: &Secrets<'_>,
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
            config.http = http::http(section, path);
        }
        if let Some(mut section) = root.section("retention") {
            config.keep_people = section.span("people");
            section.finish();
        }
        if let Some(section) = root.section("zones") {
            config.zones = zones(section, path);
        }
        if let Some(section) = root.section("holidays") {
            config.holidays = holidays(section, path);
        }
        if let Some(mut providers) = root.section("provider") {
            for key in providers.keys() {
                let Some(section) = providers.section(&key.value) else { continue };
                config.named.insert(key.value.clone());
                if let Some(lane) = lane::lane(&key, section, path, vendors, secrets) {
                    config.lanes.insert(key.value, lane);
                }
            }
        }
        for section in root.sections("webhook") {
            config.webhooks.extend(webhook::webhook(section, path, secrets));
        }
        root.finish();
        let shown = found.shown(text);
        let list = found.take();
        let mistakes = (!list.is_empty()).then(|| Mistakes::new(path, &shown, list));
        (Some(config), mistakes)
    }
}

/// Returns the mistake of a file that is not TOML.
pub(crate) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Mistakes {
    Mistakes::new(path, text, vec![Mistake::new(error.span().unwrap_or(0..0), error.message())])
}

impl Explain for HolidaysError {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        (Some(self.hint()), None)
    }
}

/// Returns the folder that `[zones]` names, if the file can be read at all. The zones of that
/// folder must be in use before the rest of the file is read: names of zones are looked up in
/// them.
pub fn zones_folder(path: &Path) -> Option<PathBuf> {
    let text = regular::text(path).ok()?;
    let document = DeTable::parse(&text).ok()?;
    let found = Found::default();
    zones(Section::root(&document, &found).section("zones")?, path)
}

fn zones(mut section: Section<'_>, path: &Path) -> Option<PathBuf> {
    let folder = section.required_text("folder", "name a zoneinfo tree: folder = \"/usr/share/zoneinfo\"");
    section.finish();
    folder.map(|folder| beside(path, &folder.value))
}

/// Reads `IN = "holidays/india.txt"`: files that add to those that are shipped, or take their
/// place.
fn holidays(mut section: Section<'_>, path: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (name, file) in section.pairs() {
        let own = beside(path, &file.value);
        let wrong = |message: String| section.found().add(Mistake::new(file.at.clone(), message));
        match regular::text(&own) {
            Err(error) => wrong(format!("{} cannot be read: {error}", own.display())),
            Ok(text) => match Holidays::parse(&name.value, &text, None) {
                Err(error) => wrong(format!("{}: {error}; {}", own.display(), error.hint())),
                Ok(_) => drop(files.insert(name.value, text)),
            },
        }
    }
    files
}

/// Makes a path relative to the file that names it.
pub(crate) fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new(".")).join(path)
}

/// Checks that a secret goes over TLS, unless it stays on this machine.
fn check_address(section: &Section<'_>, url: &Placed<String>, otherwise: &str) {
    let authority = url.value.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) {
        section.found().hide(url.at.clone());
        let mistake = Mistake::new(url.at.clone(), "an address carries a user or a password, which logs would show");
        return section.found().add(mistake.hint("write https://host/path, and secrets as { env = \"NAME\" }"));
    }
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
