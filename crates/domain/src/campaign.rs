//! A campaign's rules, as read from its file and kept in the database.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::cap::Cap;
use crate::phone::Country;
use crate::safety::Safety;
use crate::schedule::Schedule;
use crate::template::Template;
use crate::window::{Calendar, Hours, WeekTable};
use crate::words::words;
use crate::{Outcome, Rate, Span, ZoneSet};

/// One campaign: who is called through which lane, when, how often, and what follows each outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Unique; lower case, digits, hyphens.
    pub name: String,
    /// The lane's name.
    pub provider: String,
    /// What the vendor knows the calling agent by; empty where the lane or the vendor itself says.
    pub agent: String,
    /// Numbers to call from, rotated.
    pub caller_ids: Vec<String>,
    /// 1 is dialled before 2, and so on to 9.
    pub priority: u8,
    /// Where the contacts come from and how a row is read.
    pub contacts: ContactSource,
    /// What the agent gets to know.
    pub variables: BTreeMap<String, Template>,
    /// What the vendor keeps with each call for the operator's own systems.
    #[serde(default)]
    pub metadata: BTreeMap<String, Template>,
    /// Vendor settings of this campaign, already checked by the vendor's own file. Those of a table are named
    /// `table.key`.
    pub vendor: BTreeMap<String, Template>,
    /// When contacts may be called.
    pub calling: Calling,
    /// How many at once and how fast.
    pub limits: CampaignLimits,
    /// What follows a call that did not reach its contact.
    pub retry: RetryRules,
    /// Which calls count as having reached the contact.
    pub reached: Reached,
    /// What to do about a call whose fate is unknown.
    pub on_unknown: OnUnknown,
    /// When it begins by itself, and its first and last day.
    #[serde(default)]
    pub schedule: Schedule,
    /// What holds it until a person accepts.
    #[serde(default)]
    pub safety: Safety,
}

/// Where contacts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSource {
    /// The contact file, absolute once read; may have `{date}` or the signs of a glob in its name.
    pub file: Option<String>,
    /// The columns of the person's phone numbers, tried in turn. Never empty.
    #[serde(alias = "phone", deserialize_with = "one_or_several")]
    pub phones: Vec<String>,
    /// How to read numbers without a country code.
    pub country: Option<Country>,
    /// The column of the contact's time zone.
    pub timezone: Option<String>,
    /// The column that recognises a person again when data or number change.
    #[serde(default)]
    pub id: Option<String>,
    /// What becomes of waiting contacts that a newer complete file no longer has.
    #[serde(default)]
    pub missing: Missing,
}

words! {
    /// What becomes of waiting contacts that a newer complete file no longer has.
    #[derive(Default)]
    Missing {
        /// They are called all the same.
        #[default]
        Keep = "keep",
        /// They are stopped.
        Stop = "stop",
    }
}

/// Rules that were stored when there was one column only have its name.
fn one_or_several<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Columns {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Columns::deserialize(value)? {
        Columns::One(column) => vec![column],
        Columns::Several(columns) => columns,
    })
}

/// When contacts may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calling {
    /// Weekly hours.
    pub hours: WeekTable,
    /// Whose clocks they are read on.
    pub timezone: CallingZone,
    /// No new call this long before closing.
    pub guard: Span,
}

/// Whose clocks a campaign's hours are read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallingZone {
    /// The same zone for everyone.
    Fixed(Tz),
    /// The contact's own: its column, else by its number.
    Contact,
}

/// How many at once and how fast, within the lane's own limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CampaignLimits {
    /// New calls in every sliding window.
    pub calls: Option<Rate>,
    /// Calls at once.
    pub concurrent: Option<u32>,
    /// Calls to one number, across campaigns.
    pub per_number: Vec<Cap>,
}

/// When an outcome is followed by another call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redial {
    /// It is not.
    Never,
    /// After the first such outcome the first delay, and so on; the last repeats. Never empty.
    After(Vec<Span>),
}

/// What follows a call that did not reach its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRules {
    /// Calls really placed, all outcomes together.
    pub max_attempts: u32,
    /// By outcome; an outcome that is not here is never redialled.
    pub after: BTreeMap<Outcome, Redial>,
}

/// Which calls count as having reached the contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Calls with one of these outcomes
    pub outcome: Vec<Outcome>,
    /// that lasted at least this many seconds.
    pub min_seconds: u32,
}

/// What to do about a call whose fate stays unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnUnknown {
    /// What follows when the provider cannot say.
    pub policy: UnknownPolicy,
    /// How long the provider is asked before the contact goes to review.
    pub ask_for: Span,
}

/// What follows when nobody can say whether a call was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPolicy {
    /// A person decides.
    Hold,
    /// It was: the contact is finished and never called again in this run.
    AssumePlaced,
    /// It was not: the contact is dialled again, and may get a second call.
    Redial,
}

/// Whether a campaign may be called so: lower-case letters, digits and hyphens.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Campaign {
    /// The window of contacts in `zones`, on a lane with these hours of its own.
    pub fn calendar(&self, zones: &ZoneSet, vendor: Option<&Hours>) -> Calendar {
        let others: Vec<Hours> = vendor.cloned().into_iter().collect();
        let (from, until) = self.schedule.bounds(zones);
        Calendar::for_zones(&self.calling.hours, zones, &others, self.calling.guard).between(from, until)
    }

    /// The zone of the campaign's own calendar: schedules, `today`, `{date}`. `lane` is its lane's.
    pub fn own_zone(&self, lane: Tz) -> Tz {
        match self.calling.timezone {
            CallingZone::Fixed(zone) => zone,
            CallingZone::Contact => lane,
        }
    }

    /// The zones that a contact's window is read in, given those that are its own.
    pub fn zones_for(&self, own: ZoneSet) -> ZoneSet {
        match self.calling.timezone {
            CallingZone::Fixed(zone) => ZoneSet::one(zone),
            CallingZone::Contact => own,
        }
    }

    /// The columns that the campaign takes from every row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let contacts = &self.contacts;
        let phones = contacts.phones.iter().map(String::as_str);
        phones.chain(contacts.timezone.as_deref()).chain(contacts.id.as_deref()).chain(
            [&self.variables, &self.metadata, &self.vendor]
                .into_iter()
                .flat_map(BTreeMap::values)
                .flat_map(Template::columns),
        )
    }
}

impl Default for RetryRules {
    fn default() -> Self {
        let after = |spans: &[Span]| Redial::After(spans.to_vec());
        Self {
            max_attempts: 3,
            after: BTreeMap::from([
                (Outcome::Busy, after(&[Span::from_minutes(15)])),
                (Outcome::NoAnswer, after(&[Span::from_hours(1), Span::from_hours(4), Span::from_days(1)])),
                (Outcome::Unreachable, after(&[Span::from_hours(2)])),
                (Outcome::Voicemail, after(&[Span::from_days(1)])),
                (Outcome::Failed, after(&[Span::from_hours(1)])),
                (Outcome::Rejected, Redial::Never),
            ]),
        }
    }
}

impl Default for Reached {
    fn default() -> Self {
        Self { outcome: vec![Outcome::Answered], min_seconds: 0 }
    }
}

impl Default for OnUnknown {
    fn default() -> Self {
        Self { policy: UnknownPolicy::Hold, ask_for: Span::from_secs(60) }
    }
}
