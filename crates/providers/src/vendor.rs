//! What a vendor declares about itself, so that configuration files can be checked without knowing it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::Outcome;
use ringfence_domain::lane::{LaneLimits, LaneSettings};

use crate::{Provider, Secret, Transport};

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
    /// Whether a campaign must name numbers to call from.
    pub needs_caller_id: bool,
    /// Makes the provider of a lane.
    pub build: Build,
}

/// Makes the provider of a lane from its section; the reason when that cannot be.
pub type Build = fn(LaneSetup, Arc<dyn Transport>) -> Result<Arc<dyn Provider>, String>;

/// A setting of a vendor.
#[derive(Debug, Clone, Copy)]
pub struct SettingKey {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: SettingKind,
    /// What it is when it is left out. None: it must be given, unless its kind is optional.
    pub default: Option<&'static str>,
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
    pub secrets: BTreeMap<String, Secret>,
    /// The vendor's words for outcomes, beyond the known ones.
    pub status_map: BTreeMap<String, Outcome>,
}

impl LaneSetup {
    /// A setting that was checked to be there.
    pub fn value(&self, name: &str) -> Result<&str, String> {
        self.values.get(name).map(String::as_str).ok_or_else(|| format!("the setting `{name}` is missing"))
    }

    /// A credential that was checked to be there.
    pub fn secret(&self, name: &str) -> Result<&Secret, String> {
        self.secrets.get(name).ok_or_else(|| format!("the secret `{name}` is missing"))
    }
}
