//! A vendor's description of itself, by which configuration files are checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::Outcome;
use ringfence_domain::lane::{LaneLimits, LaneSettings};
use ringfence_domain::phone::Country;
use ringfence_domain::template::Template;
use secrecy::SecretString;

use crate::{Fault, NumberFormat, Provider, Transport};

/// One kind of provider.
#[derive(Debug)]
pub struct Vendor {
    /// The word in `kind = "…"`.
    pub kind: &'static str,
    /// Its settings in a lane's section, beyond those that all lanes have.
    pub settings: &'static [SettingKey],
    /// Its settings in a campaign's `[vendor]` section.
    pub campaign_settings: &'static [SettingKey],
    /// Where its API is, unless the lane says otherwise. None: the lane must say.
    pub base_url: Option<&'static str>,
    /// Limits of a lane that sets none.
    pub limits: fn() -> LaneLimits,
    /// The vendor's own hours at this address, as `(hours, zone)`.
    pub hours: fn(base_url: &str) -> Option<(&'static str, &'static str)>,
    /// What this vendor can do beyond taking calls.
    pub can: Capabilities,
    /// What its refusals mean.
    pub faults: &'static [Fault],
    /// Tells what is wrong with a campaign on one of its lanes, before anyone is called.
    pub check: fn(&LaneSetup, &CampaignFacts<'_>) -> Vec<Objection>,
    /// Makes the provider of a lane.
    pub build: Build,
}

/// What a vendor can do beyond taking calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How a call whose answer was lost is found again.
    pub finds: Finds,
    /// The most calls that can be asked about with one request.
    pub asks_together: u32,
    /// Whether a call that is out can be ended.
    pub cancels: bool,
    /// Whether it holds calls outside its own hours, instead of refusing them.
    pub holds: bool,
    /// Whether it takes an address for each call that its end is reported to.
    pub reports: bool,
    /// Whether a campaign's `[metadata]` has a place there.
    pub takes_metadata: bool,
}

/// How a call whose answer was lost is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finds {
    /// By our reference: whether it was placed is known.
    ByReference,
    /// By number and time: it may be found, and its absence proves nothing.
    ByNumber,
    /// Not at all, unless the vendor reports its end by itself.
    Never,
}

/// The parts of a campaign file that the vendor itself checks.
#[derive(Debug, Clone, Copy)]
pub struct CampaignFacts<'a> {
    /// Its agent, if it names one.
    pub agent: Option<&'a str>,
    /// The numbers to call from.
    pub caller_ids: &'a [String],
    /// Its `[variables]`.
    pub variables: &'a BTreeMap<String, Template>,
    /// Its `[metadata]`.
    pub metadata: &'a BTreeMap<String, Template>,
    /// Its `[vendor]` section.
    pub vendor: &'a BTreeMap<String, Template>,
}

/// Something about a campaign that the vendor would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The key to mend, at the top of the campaign file or in `[vendor]`.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
    /// Which one of a list it is about, counted from 0.
    pub item: Option<usize>,
}

impl Objection {
    /// Makes an objection about a key.
    pub fn new(key: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key, message: message.into(), hint: hint.into(), item: None }
    }

    /// Makes an objection about one item of the key's list.
    #[must_use]
    pub fn at_item(self, item: usize) -> Self {
        Self { item: Some(item), ..self }
    }

    /// Makes the objection to a key that this vendor needs and the campaign lacks.
    pub fn missing(key: &'static str, hint: impl Into<String>) -> Self {
        Self::new(key, format!("`{key}` is missing"), hint)
    }
}

impl CampaignFacts<'_> {
    /// Makes the objection to a campaign without an agent.
    pub fn needs_agent(&self, hint: &str) -> Option<Objection> {
        self.agent.is_none().then(|| Objection::missing("agent", hint))
    }

    /// Makes the objection to a campaign that names no number to call from.
    pub fn needs_caller_ids(&self, hint: &str) -> Option<Objection> {
        self.caller_ids.is_empty().then(|| Objection::missing("caller_ids", hint))
    }
}

/// Makes the provider of a lane from its section, or returns why it cannot.
pub type Build = fn(LaneSetup, Arc<dyn Transport>) -> Result<Arc<dyn Provider>, String>;

/// A setting of a vendor.
#[derive(Debug, Clone, Copy)]
pub struct SettingKey {
    /// Its name.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: SettingKind,
    /// The value when it is left out. None: it must be given, unless its kind is optional.
    pub default: Option<&'static str>,
    /// Its meaning, in one sentence.
    pub says: &'static str,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Any text, or nothing.
    OptionalText,
    /// A credential, by reference to the environment or a file.
    Secret,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// true or false.
    Flag,
    /// A length of time, or nothing.
    OptionalSpan,
    /// A two-letter country code.
    Country,
    /// A time zone's name, or nothing.
    OptionalZone,
    /// A table with some of these keys, each a text that may take {columns} from the row.
    Table(&'static [&'static str]),
}

/// A lane's section, checked.
#[derive(Debug, Clone)]
pub struct LaneSetup {
    /// What all lanes have.
    pub settings: LaneSettings,
    /// Where the API is, without a slash at the end.
    pub base_url: String,
    /// The vendor's own settings, defaults filled in.
    pub values: BTreeMap<String, String>,
    /// Its credentials.
    pub secrets: BTreeMap<String, SecretString>,
    /// The vendor's words for outcomes, beyond the known ones.
    pub status_map: BTreeMap<String, Outcome>,
}

impl LaneSetup {
    /// Returns a setting that was checked to be there.
    pub fn value(&self, name: &str) -> Result<&str, String> {
        self.values.get(name).map(String::as_str).ok_or_else(|| format!("the setting `{name}` is missing"))
    }

    /// Returns how the lane wants numbers written.
    pub fn number_format(&self) -> Result<NumberFormat, String> {
        NumberFormat::read(self.value("number_format")?)
    }

    /// Returns a country that was checked to be one.
    pub fn country(&self, name: &str) -> Result<Country, String> {
        self.value(name)?.parse()
    }

    /// Returns a credential that was checked to be there.
    pub fn secret(&self, name: &str) -> Result<&SecretString, String> {
        self.secrets.get(name).ok_or_else(|| format!("the secret `{name}` is missing"))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_setup_prints_that_it_has_a_secret_and_never_which() {
        let setup = LaneSetup {
            settings: LaneSettings {
                name: "main".into(),
                kind: "twenty2".into(),
                limits: (crate::twenty2::VENDOR.limits)(),
                hours: None,
                timezone: ringfence_domain::Zone::utc(),
                lower_priorities: LaneSettings::LOWER_PRIORITIES,
            },
            base_url: "https://vendor.invalid".into(),
            values: BTreeMap::new(),
            secrets: [("api_key".to_owned(), SecretString::from("s3cr3t-canary"))].into(),
            status_map: BTreeMap::new(),
        };
        for printed in [format!("{setup:?}"), format!("{setup:#?}")] {
            assert!(printed.contains("api_key") && !printed.contains("s3cr3t"), "{printed}");
        }
        assert_eq!(setup.secret("api_key").map(secrecy::ExposeSecret::expose_secret), Ok("s3cr3t-canary"));
    }
}
