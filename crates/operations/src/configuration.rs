//! Where the configuration is, and reading it: whole, without secrets, or with a campaign.
//!
//! `--config`, `RINGFENCE_CONFIG`, else `ringfence.toml` nearest above the campaign file, then
//! above the working directory, then `/etc/ringfence/`.

use std::path::{Path, PathBuf};

use ringfence_domain::{Campaign, Clock, Moment};
use ringfence_intake::contact_files::NoFile;
use ringfence_intake::{Config, ConfigLane, Mistakes, campaign};
use ringfence_providers::Vendor;
use ringfence_providers::registry::VENDORS;

use crate::error::Error;
use crate::importing::look_at;
use crate::input_file::InputFile;
use crate::notices::Notices;
use crate::zones;

const NAME: &str = "ringfence.toml";
const SYSTEM: &str = "/etc/ringfence/ringfence.toml";

/// Where to look for the configuration and the database, and who is told what is seen there.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The configuration file. Without one it is looked for.
    pub config: Option<PathBuf>,
    /// The database's address, instead of the configuration's.
    pub database: Option<String>,
    /// Whether a database that is not there is refused instead of made.
    pub no_create: bool,
    /// Who is told cautions.
    pub notices: Notices,
}

/// Every kind of provider that configuration files may name.
pub fn vendors() -> Vec<&'static Vendor> {
    VENDORS.iter().copied().chain([&ringfence_sandbox::VENDOR]).collect()
}

/// The configuration file for a command about `campaign`, if there is one. From now on this process
/// uses the zone data that it names.
pub fn find_config(place: &Place, campaign: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    let found = look_for_config(place, campaign)?;
    if let Some(path) = &found {
        zones::prepare(path);
        if place.config.is_none() {
            say_elsewhere(place, path);
        }
    }
    Ok(found)
}

/// Names a configuration that was found in another folder than a person may think of: not in the
/// one they work in.
fn say_elsewhere(place: &Place, found: &Path) {
    static SAID: std::sync::Once = std::sync::Once::new();
    let working = std::env::current_dir().ok();
    if found.parent() != working.as_deref() {
        SAID.call_once(|| place.notices.tell(&format!("configuration: {}", found.display())));
    }
}

fn look_for_config(place: &Place, campaign: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    if let Some(path) = &place.config {
        return if path.is_file() {
            Ok(Some(path.clone()))
        } else {
            Err(Error::input(format!("there is no {}", path.display()), "name a configuration file with --config"))
        };
    }
    let above = |start: &Path| {
        let start = std::path::absolute(start).ok()?;
        start.ancestors().skip(1).map(|folder| folder.join(NAME)).find(|path| path.is_file())
    };
    let beside_campaign = campaign.and_then(above);
    let working = std::env::current_dir().ok().and_then(|folder| above(&folder.join("x")));
    let system = Some(PathBuf::from(SYSTEM)).filter(|path| path.is_file());
    Ok(beside_campaign.or(working).or(system))
}

/// Reads the configuration; an empty one when there is no file.
pub fn read_config(place: &Place, campaign: Option<&Path>) -> Result<Config, Error> {
    match find_config(place, campaign)? {
        Some(path) => {
            let config = Config::load(&path, &vendors(), &|name| std::env::var(name).ok())?;
            for caution in zones::cautions() {
                place.notices.tell(&format!("{}: caution: {caution}", path.display()));
            }
            Ok(config)
        }
        None => Ok(Config::none(PathBuf::from(NAME))),
    }
}

/// The same for who calls nobody.
fn read_without_secrets(place: &Place, campaign: Option<&Path>) -> Result<Config, Error> {
    let Some(path) = find_config(place, campaign)? else { return Ok(Config::none(PathBuf::from(NAME))) };
    match Config::look_without_secrets(&path, &vendors()) {
        (_, Some(mistakes)) => Err(mistakes.into()),
        (config, None) => Ok(config.unwrap_or_else(|| Config::none(path))),
    }
}

/// Whether a command calls somebody, or asks a vendor, so that it needs the lanes' secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// It does.
    Secrets,
    /// It reads files and rows only.
    NoSecrets,
}

/// Like [`read_config`], for commands that need a campaign's lane.
pub fn read_campaign(place: &Place, path: &Path, needs: Needs) -> Result<(Config, Campaign), Error> {
    if !path.is_file() {
        return Err(Error::input(
            format!("there is no file {}", path.display()),
            "name a campaign file: campaigns/my.toml",
        ));
    }
    if find_config(place, Some(path))?.is_none() {
        return Err(Error::input(
            format!("no {NAME} was found above {} or the working directory", path.display()),
            "`ringfence init` writes one from a contact file; or name it with --config",
        ));
    }
    let config = match needs {
        Needs::Secrets => read_config(place, Some(path))?,
        Needs::NoSecrets => read_without_secrets(place, Some(path))?,
    };
    let campaign = campaign::load(path, &config, wall_clock())?;
    let vendor = lane(&config, &campaign)?.setup.settings.vendor_hours();
    for caution in crate::cautions::about(&campaign, vendor.as_ref(), wall_clock()) {
        place.notices.tell(&format!("{}: caution: {caution}", path.display()));
    }
    Ok((config, campaign))
}

/// Whether the campaign's contact file, if it is there, can be read to its end and has every column
/// that the campaign asks for.
pub fn check_contacts(config: &Config, rules: &Campaign) -> Result<(), Error> {
    let Some(lane) = config.lanes.get(&rules.provider) else { return Ok(()) };
    match InputFile::named_by(rules, lane.setup.settings.timezone, wall_clock()) {
        Ok(Some(path)) if path.exists() => Ok(look_at(&path, rules, || true)?.or_swallowed(&path)?),
        // It may come later.
        Ok(_) | Err(NoFile::NoMatch { .. }) => Ok(()),
        Err(error) => Err(Error::input(error.to_string(), "mend contacts.file")),
    }
}

/// The time before any database is open: enough to look for mistakes by.
pub fn wall_clock() -> Moment {
    ringfence_sandbox::MachineClock.read().now
}

/// The configuration for those who only need its database, as far as it can be read, and what is
/// wrong with it. Secrets are not read: a stop switch must not fail for one that is not set in an
/// operator's shell.
pub fn for_database(place: &Place) -> Result<(Config, Option<Mistakes>), Error> {
    let (config, mistakes) = match find_config(place, None)? {
        Some(path) => Config::look_without_secrets(&path, &vendors()),
        None => (Some(Config::none(PathBuf::from(NAME))), None),
    };
    Ok(match (config, mistakes) {
        (Some(config), mistakes) if config.database.is_some() || place.database.is_some() => (config, mistakes),
        (_, Some(mistakes)) => return Err(mistakes.into()),
        (config, None) => (config.unwrap_or_else(|| Config::none(PathBuf::from(NAME))), None),
    })
}

/// The lane that a campaign dials through, as the configuration has it.
pub fn lane<'c>(config: &'c Config, campaign: &Campaign) -> Result<&'c ConfigLane, Error> {
    config.lanes.get(&campaign.provider).ok_or_else(|| {
        let path = config.path.display();
        Error::input(
            format!("{path} has no [provider.{}], which {} dials through", campaign.provider, campaign.name),
            "name the configuration that has it with --config",
        )
    })
}
