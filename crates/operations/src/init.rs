//! A configuration and a campaign, written from a contact file's header.

mod campaign_text;
mod config_text;
pub(crate) mod guess;
mod schemas;

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ringfence_domain::campaign::is_name;
use ringfence_domain::phone::Country;
use ringfence_intake::Config;
use ringfence_intake::contacts::sample;
use ringfence_providers::{SettingKind, Vendor};
use serde::Serialize;

use self::campaign_text::campaign_text;
use self::config_text::{config_text, variable};
use self::guess::Columns;
use crate::error::Error;
use crate::workspace::{self, Place};

/// What to write a campaign for.
#[derive(Debug)]
pub struct InitRequest<'r> {
    /// The kind of provider.
    pub kind: &'r str,
    /// The contact file.
    pub contacts: &'r Path,
    /// The campaign's name. Without one: the contact file's.
    pub name: Option<&'r str>,
    /// The column of the phone number. Without one it is found by name and values.
    pub phone: Option<&'r str>,
    /// How to read numbers without a country code. Without one it is told from the numbers.
    pub country: Option<Country>,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// The configuration file.
    pub config: PathBuf,
    /// Whether it is new; else it stays as it was.
    pub config_written: bool,
    /// The campaign file.
    pub campaign: PathBuf,
    /// The folder of the schemas by which an editor completes and checks both files.
    pub schemas: PathBuf,
    /// The column that numbers are read from.
    pub phone: String,
    /// The country of numbers without a code.
    pub country: Option<String>,
    /// Whose clocks the campaign goes by.
    pub timezone: &'static str,
    /// What was guessed and what was not, one sentence each.
    pub notes: Vec<String>,
    /// Environment variables that secrets are read from.
    pub environment: Vec<String>,
}

const CONFIG: &str = "ringfence.toml";
/// Rows that guesses are made from.
const ROWS: usize = 500;

/// Writes a configuration and a campaign from a contact file's header. Neither is overwritten;
/// the schemas beside them are those of this version of the program.
pub fn init(place: &Place, request: &InitRequest<'_>) -> Result<Written, Error> {
    let vendor = vendor(request.kind)?;
    let table = sample(request.contacts, ROWS)?;
    let of = request.contacts.display().to_string();
    let columns = Columns::guess(&table, &of, (request.phone, request.country))?;
    let name = request.name.map_or_else(|| campaign_name(request.contacts), str::to_owned);
    if !is_name(&name) {
        return Err(Error::input(
            format!("`{name}` is not a campaign name"),
            "choose a --name of lower-case letters, digits and hyphens",
        ));
    }
    // One above is used: a second database would know neither the do-not-call list nor who was
    // called today.
    let found = workspace::find_config(&Place { config: None, ..place.clone() }, None)?;
    let config = place.config.clone().or(found).unwrap_or_else(|| PathBuf::from(CONFIG));
    let campaign = PathBuf::from(format!("{name}.toml"));
    if campaign.exists() {
        return Err(Error::input(
            format!("{} is there already, and is not overwritten", campaign.display()),
            "choose another --name, or remove it first",
        ));
    }
    let config_written = !config.exists();
    if !config_written {
        is_of_kind(&config, vendor)?;
    }
    // A configuration above may stand where only an administrator writes; the campaign's folder is the
    // caller's own.
    let schemas = campaign.with_file_name(schemas::FOLDER);
    schemas::write(&schemas)?;
    if config_written {
        write_new(&config, &(schemas::line(&config, &schemas, schemas::CONFIG) + &config_text(vendor)))?;
    }
    let text = campaign_text(&name, vendor, request.contacts, &columns);
    write_new(&campaign, &(schemas::line(&campaign, &schemas, schemas::CAMPAIGN) + &text))?;
    let secrets = vendor.settings.iter().filter(|key| matches!(key.kind, SettingKind::Secret));
    Ok(Written {
        config,
        config_written,
        campaign,
        schemas,
        timezone: columns.calling_zone(),
        phone: columns.phone,
        country: columns.country.map(String::from),
        notes: columns.notes,
        environment: secrets.map(|key| variable(vendor, key)).collect(),
    })
}

fn vendor(kind: &str) -> Result<&'static Vendor, Error> {
    let vendors = workspace::vendors();
    vendors.iter().copied().find(|vendor| vendor.kind == kind).ok_or_else(|| {
        let known: Vec<&str> = vendors.iter().map(|vendor| vendor.kind).collect();
        Error::input(format!("`{kind}` is not a kind of provider"), format!("known: {}", known.join(", ")))
    })
}

/// Refuses a configuration whose first lane is at another vendor.
fn is_of_kind(config: &Path, vendor: &Vendor) -> Result<(), Error> {
    let (known, _) = Config::look(config, &workspace::vendors(), &|_| None);
    let kind = known.and_then(|known| known.lanes.get("main").map(|lane| lane.vendor.kind));
    match kind {
        Some(kind) if kind != vendor.kind => Err(Error::input(
            format!("{} is there already, and its [provider.main] is of kind {kind}", config.display()),
            format!("use --kind {kind}, another folder, or add a lane by hand"),
        )),
        _ => Ok(()),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        // Unlike everything else that this program writes it holds nobody's data.
        file.set_permissions(Permissions::from_mode(0o644))
    });
    written.map_err(|error| {
        Error::input(format!("{} cannot be written: {error}", path.display()), "choose another folder or --name")
    })
}

pub(crate) fn campaign_name(contacts: &Path) -> String {
    let stem = contacts.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "campaign".to_owned() } else { name }
}
