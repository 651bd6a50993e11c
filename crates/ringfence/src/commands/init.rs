//! `ringfence init`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_domain::PhoneNumber;
use ringfence_domain::campaign::is_name;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::phone::Country;
use ringfence_intake::Config;
use ringfence_intake::contacts::{Sample, sample};
use ringfence_providers::{CampaignFacts, LaneSetup, SettingKey, SettingKind, Vendor};

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::{home, screen};

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
/// Countries that numbers without a code are tried in.
const COUNTRIES: [&str; 8] = ["IN", "US", "GB", "AU", "FR", "DE", "AE", "TR"];

/// Writes a configuration and a campaign from a contact file's header. Nothing that is there is overwritten.
pub(super) fn init(common: &Common, args: &InitArgs) -> Result<u8, Failure> {
    let vendors = home::vendors();
    let Some(vendor) = vendors.iter().find(|vendor| vendor.kind == args.kind) else {
        let known: Vec<&str> = vendors.iter().map(|vendor| vendor.kind).collect();
        return Err(Failure::input(
            format!("`{}` is not a kind of provider", args.kind),
            format!("known: {}", known.join(", ")),
        ));
    };
    let table = sample(&args.contacts, ROWS)?;
    let columns = Columns::guess(&table, args, vendor)?;
    let name = args.name.clone().unwrap_or_else(|| campaign_name(&args.contacts));
    if !is_name(&name) {
        return Err(Failure::input(
            format!("`{name}` is not a campaign name"),
            "choose a --name of lower-case letters, digits and hyphens",
        ));
    }
    // One above is used: a second database would know neither the do-not-call list nor who was called today.
    let found = home::find_config(&Common { config: None, ..common.clone() }, None)?;
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
            "environment": secrets,
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
    text.push_str(&format!("wrote {} (numbers from column `{}`)\n\nnext:\n", campaign.display(), columns.phone));
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

/// What the columns of a contact file are for, as far as that can be told.
#[derive(Debug)]
struct Columns {
    phone: String,
    others: Vec<String>,
    country: Option<Country>,
    timezone: Option<String>,
    id: Option<String>,
}

impl Columns {
    fn guess(table: &Sample, args: &InitArgs, vendor: &Vendor) -> Result<Self, Failure> {
        let path = args.contacts.display();
        let digits = |value: &str| value.bytes().filter(u8::is_ascii_digit).count();
        let like_numbers = |column: &str| {
            table.share(column, |value| {
                (7..=16).contains(&digits(value))
                    && !value.chars().any(|c| c.is_alphabetic() && !matches!(c, 'e' | 'E'))
            })
        };
        let named = |column: &str| {
            let name = column.to_lowercase();
            ["phone", "mobile", "msisdn", "cell", "tel", "whatsapp", "number", "contact"]
                .iter()
                .any(|word| name.contains(word))
        };
        let mut phones: Vec<String> =
            table.columns.iter().filter(|column| named(column) && like_numbers(column) >= 0.5).cloned().collect();
        if phones.is_empty() {
            phones.extend(table.columns.iter().find(|column| like_numbers(column) >= 0.8).cloned());
        }
        let phone = match &args.phone {
            Some(column) if table.columns.contains(column) => column.clone(),
            Some(column) => {
                return Err(Failure::input(
                    format!("{path} has no column `{column}`; it has: {}", table.columns.join(", ")),
                    "name one of them with --phone",
                ));
            }
            None => phones.first().cloned().ok_or_else(|| {
                Failure::input(
                    format!("no column of {path} looks like phone numbers; it has: {}", table.columns.join(", ")),
                    "name it with --phone",
                )
            })?,
        };
        let plus = table.share(&phone, |value| value.trim().trim_start_matches('\'').starts_with('+'));
        let valid = |country: &&str| {
            let country: Option<Country> = country.parse().ok();
            table.share(&phone, |value| PhoneNumber::parse(value, country).is_ok())
        };
        // A vendor of one country is asked to call numbers of it.
        let home = vendor.settings.iter().find(|key| matches!(key.kind, SettingKind::Country));
        let home = home.and_then(|key| key.default).filter(|home| plus < 1.0 && valid(home) >= 0.5);
        let country = args.country.or(home.and_then(|home| home.parse().ok())).or_else(|| {
            let best =
                COUNTRIES.iter().max_by(|a, b| valid(a).total_cmp(&valid(b)).then(std::cmp::Ordering::Greater))?;
            (plus < 1.0 && valid(best) >= 0.5).then(|| best.parse().ok()).flatten()
        });
        let by_name =
            |names: &[&str]| table.columns.iter().find(|column| names.contains(&column.to_lowercase().as_str()));
        let timezone = by_name(&["tz", "timezone", "time_zone", "zone"])
            .filter(|column| table.share(column, |value| value.parse::<ringfence_domain::Zone>().is_ok()) >= 0.8);
        let id = table.columns.iter().find(|column| {
            let name = column.to_lowercase();
            (name == "id" || name.ends_with("_id") || name.ends_with(" id") || name == "uuid")
                && table.is_unique(column)
        });
        let taken = |column: &String| *column == phone || Some(column) == timezone || column.is_empty();
        Ok(Self {
            others: table.columns.iter().filter(|column| !taken(column)).cloned().collect(),
            country,
            timezone: timezone.cloned(),
            id: id.cloned(),
            phone,
        })
    }
}

/// The keys that the vendor asks of a campaign on a lane with its default settings.
fn needs(vendor: &Vendor) -> Vec<&'static str> {
    let defaults = vendor.settings.iter().filter_map(|key| Some((key.name.to_owned(), key.default?.to_owned())));
    let setup = LaneSetup {
        settings: LaneSettings {
            name: "main".to_owned(),
            kind: vendor.kind.to_owned(),
            limits: (vendor.limits)(),
            hours: None,
            timezone: ringfence_domain::Zone::utc(),
        },
        base_url: String::new(),
        values: defaults.collect(),
        secrets: BTreeMap::new(),
        status_map: BTreeMap::new(),
    };
    let none = BTreeMap::new();
    let facts = CampaignFacts { agent: None, caller_ids: &[], variables: &none, metadata: &none, vendor: &none };
    (vendor.check)(&setup, &facts).into_iter().map(|objection| objection.key).collect()
}

fn campaign_text(name: &str, vendor: &Vendor, contacts: &Path, columns: &Columns) -> String {
    // A simulated account takes any agent.
    let trial = vendor.kind == "sandbox";
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let file = std::path::absolute(contacts).unwrap_or_else(|_| contacts.to_owned());
    let beside = std::env::current_dir().ok().and_then(|folder| file.strip_prefix(folder).ok().map(Path::to_owned));
    let file = beside.unwrap_or(file).display().to_string();
    let mut text = format!("name = {}\nprovider = \"main\"\n", quoted(name));
    let mut line = |text_of: String, comment: &str| text.push_str(&commented(&text_of, comment));
    let needs = needs(vendor);
    if needs.contains(&"agent") {
        let agent = if trial { "sandbox-agent" } else { "" };
        line(format!("agent = {}", quoted(agent)), "the vendor's id of the agent");
    }
    if needs.contains(&"caller_ids") {
        let from = if trial { "9876500000" } else { "" };
        line(format!("caller_ids = [{}]", quoted(from)), "your numbers there, rotated");
    }
    line("\n[contacts]".to_owned(), "");
    line(format!("file = {}", quoted(&file)), "or \"list-{date}.csv\"");
    line(format!("phone = {}", quoted(&columns.phone)), "or phones = [\"a\", \"b\"], in turn");
    match columns.country {
        Some(country) => {
            line(format!("country = {}", quoted(&String::from(country))), "of numbers without a +");
        }
        None => line("# country = \"IN\"".to_owned(), "without it, numbers need a +"),
    }
    if let Some(column) = &columns.timezone {
        line(format!("timezone = {}", quoted(column)), "everyone's own zone");
    }
    if let Some(column) = &columns.id {
        line(format!("id = {}", quoted(column)), "recognises a person again");
    }
    line("\n[variables]".to_owned(), "");
    for (place, column) in columns.others.iter().enumerate() {
        let key: String = column.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let comment = if place == 0 { "what the agent gets to know" } else { "" };
        line(format!("{key} = {}", quoted(&format!("{{{column}}}"))), comment);
    }
    let zone = if columns.timezone.is_some() { "contact" } else { zone_of(columns.country) };
    line("\n[calling]".to_owned(), "");
    line(format!("hours = {}", quoted(if trial { "24/7" } else { "Mo-Sa 09:00-20:00" })), "");
    line(format!("timezone = {}", quoted(zone)), "or \"contact\": their own clocks");
    if let Some((holidays, preset)) = laws_of(columns.country) {
        line(format!("# holidays = {}", quoted(holidays)), "nobody is called on these");
        line(format!("# rules = [{}]", quoted(preset)), "a preset; the narrowest wins");
    }
    line("\n[retry]".to_owned(), "");
    line("max_attempts = 3".to_owned(), "calls placed, over all outcomes");
    line("busy = \"15m\"".to_owned(), "");
    line("no_answer = [\"1h\", \"4h\"]".to_owned(), "the last repeats");
    line("\n[safety]".to_owned(), "");
    line("canary = 10".to_owned(), "these first; the rest waits");
    text
}

/// Holidays and the preset that campaigns in a country usually want; both are left to be chosen.
fn laws_of(country: Option<Country>) -> Option<(&'static str, &'static str)> {
    match country.map(String::from).as_deref() {
        Some("IN") => Some(("IN", "in-trai-promotional")),
        Some("US") => Some(("US", "us-tcpa")),
        Some("GB") => Some(("GB", "uk")),
        Some("FR") => Some(("FR", "fr")),
        Some("AU") => Some(("AU", "au")),
        _ => None,
    }
}

fn zone_of(country: Option<Country>) -> &'static str {
    match country.map(String::from).as_deref() {
        Some("IN") => "Asia/Kolkata",
        Some("GB") => "Europe/London",
        Some("FR") => "Europe/Paris",
        Some("DE") => "Europe/Berlin",
        Some("AE") => "Asia/Dubai",
        Some("TR") => "Europe/Istanbul",
        _ => "contact",
    }
}
