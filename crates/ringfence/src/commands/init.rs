//! `ringfence init`

mod campaign_text;
mod guess;

use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_domain::campaign::is_name;
use ringfence_domain::phone::Country;
use ringfence_intake::Config;
use ringfence_intake::contacts::sample;
use ringfence_operations::{Place, workspace};
use ringfence_providers::{SettingKey, SettingKind, Vendor};

use self::campaign_text::campaign_text;
use self::guess::Columns;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `init`
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The kind of provider: twenty2, unleashx, iqra, knovvu, or sandbox to try without calling anyone
    #[arg(long)]
    pub kind: String,
    /// The contact file whose header the campaign is written for
    #[arg(long, value_name = "FILE")]
    pub contacts: PathBuf,
    /// The campaign's name [default: the contact file's]
    #[arg(long)]
    pub name: Option<String>,
    /// The column of the phone number [default: found by name and values]
    #[arg(long, value_name = "COLUMN")]
    pub phone: Option<String>,
    /// How to read numbers without a country code [default: told from the numbers]
    #[arg(long)]
    pub country: Option<Country>,
}

const CONFIG: &str = "ringfence.toml";
/// Rows that guesses are made from.
const ROWS: usize = 500;

/// Writes a configuration and a campaign from a contact file's header. Nothing that is there is overwritten.
pub(super) fn init(common: &Common, args: &InitArgs) -> Result<u8, Failure> {
    let vendors = workspace::vendors();
    let Some(vendor) = vendors.iter().find(|vendor| vendor.kind == args.kind) else {
        let known: Vec<&str> = vendors.iter().map(|vendor| vendor.kind).collect();
        return Err(Failure::input(
            format!("`{}` is not a kind of provider", args.kind),
            format!("known: {}", known.join(", ")),
        ));
    };
    let table = sample(&args.contacts, ROWS)?;
    let columns = Columns::guess(&table, args)?;
    let name = args.name.clone().unwrap_or_else(|| campaign_name(&args.contacts));
    if !is_name(&name) {
        return Err(Failure::input(
            format!("`{name}` is not a campaign name"),
            "choose a --name of lower-case letters, digits and hyphens",
        ));
    }
    // One above is used: a second database would know neither the do-not-call list nor who was called today.
    let found = workspace::find_config(&Place { config: None, ..common.place() }, None)?;
    let config = common.config.clone().or(found).unwrap_or_else(|| PathBuf::from(CONFIG));
    let campaign = PathBuf::from(format!("{name}.toml"));
    if campaign.exists() {
        return Err(Failure::input(
            format!("{} is there already, and is not overwritten", campaign.display()),
            "choose another --name, or remove it first",
        ));
    }
    let kept = config.exists();
    if kept {
        let (known, _) = Config::look(&config, &vendors, &|_| None);
        let kind = known.and_then(|known| known.lanes.get("main").map(|lane| lane.vendor.kind));
        if kind.is_some_and(|kind| kind != vendor.kind) {
            let kind = kind.unwrap_or_default();
            return Err(Failure::input(
                format!("{} is there already, and its [provider.main] is of kind {kind}", config.display()),
                format!("use --kind {kind}, another folder, or add a lane by hand"),
            ));
        }
    }
    if !kept {
        write_new(&config, &config_text(vendor))?;
    }
    write_new(&campaign, &campaign_text(&name, vendor, &args.contacts, &columns))?;
    let secrets: Vec<String> = vendor
        .settings
        .iter()
        .filter(|key| matches!(key.kind, SettingKind::Secret))
        .map(|key| variable(vendor, key))
        .collect();
    if common.json {
        screen::print_json(&serde_json::json!({
            "config": config, "config_written": !kept, "campaign": campaign, "phone": columns.phone, "country": columns.country.map(String::from),
            "timezone": columns.calling_zone(), "notes": columns.notes, "environment": secrets,
        }))?;
        return Ok(DONE);
    }
    let mut text = String::new();
    let place = config.display();
    text.push_str(&if kept {
        format!("{place} was there already and stays as it is\n")
    } else {
        format!("wrote {place}\n")
    });
    text.push_str(&format!("wrote {} (numbers from column `{}`)\n", campaign.display(), columns.phone));
    for note in &columns.notes {
        text.push_str(&format!("  {note}\n"));
    }
    text.push_str("\nnext:\n");
    for secret in secrets {
        text.push_str(&format!("  export {secret}=…\n"));
    }
    let campaign = campaign.display();
    for (command, does) in [
        (format!("check {campaign}"), "what is still missing"),
        (format!("preview {campaign}"), "the request of the first row"),
        (format!("test-call {campaign} PHONE"), "your own phone rings"),
        (format!("run {campaign}"), "everyone's"),
    ] {
        text.push_str(&format!("  ringfence {command:<32} # {does}\n"));
    }
    screen::print(&text)?;
    Ok(DONE)
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Failure::input(format!("{} cannot be written: {error}", path.display()), "choose another folder or --name")
    })
}

fn campaign_name(contacts: &Path) -> String {
    let stem = contacts.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "campaign".to_owned() } else { name }
}

/// The environment variable that a secret is read from.
fn variable(vendor: &Vendor, key: &SettingKey) -> String {
    format!("{}_{}", vendor.kind, key.name).to_uppercase()
}

/// A line of a file, with its comment in a column of its own.
fn commented(line: &str, comment: &str) -> String {
    if comment.is_empty() { format!("{line}\n") } else { format!("{line:<38} # {comment}\n") }
}

fn config_text(vendor: &Vendor) -> String {
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
