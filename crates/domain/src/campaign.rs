//! A campaign's rules, as read from its file and kept in the database.

mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callback::Callback;
use crate::cap::Cap;
use crate::condition::Condition;
use crate::cool_off::CoolOff;
use crate::empty_words::EmptyWords;
use crate::number_limits::NumberLimits;
use crate::phone::{Country, NumberKind, PhoneError, PlannedNumber};
use crate::preset::Preset;
use crate::safety::Safety;
use crate::schedule::Schedule;
use crate::template::Template;
use crate::window::{Closures, Timetable};
use crate::words::words;
use crate::{Outcome, PhoneNumber, Rate, Span, Zone, ZoneSet};

pub use self::window::{WindowPart, closed_longest, contradiction};
pub use crate::zones::CallingZone;

/// One campaign: who is called through which lane, when, how often, and what follows each outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Unique; lower case, digits, hyphens. `test-call:NAME` is a test call: a campaign of its own,
    /// which no list shows, so that it goes through the same claim, caps and recovery as any call.
    pub name: String,
    /// The lane's name.
    pub provider: String,
    /// The vendor's name for the calling agent; empty where the lane or the vendor itself names it.
    pub agent: String,
    /// Numbers to call from, rotated.
    pub caller_ids: Vec<String>,
    /// 1 is dialled before 2, and so on to 9.
    pub priority: u8,
    /// Where the contacts come from and how a row is read.
    pub contacts: ContactSource,
    /// The values that the agent gets.
    pub variables: BTreeMap<String, Template>,
    /// The values that the vendor keeps with each call for the operator's own systems.
    #[serde(default)]
    pub metadata: BTreeMap<String, Template>,
    /// Vendor settings of this campaign, already checked by the vendor's own file. Those of a table
    /// are named `table.key`.
    pub vendor: BTreeMap<String, Template>,
    /// When contacts may be called.
    pub calling: Calling,
    /// How many at once and how fast.
    pub limits: CampaignLimits,
    /// What follows a call that did not reach its contact.
    pub retry: RetryRules,
    /// Which calls count as having reached the contact.
    pub reached: Reached,
    /// The outputs of a callee who wants no more calls from anyone.
    #[serde(default)]
    pub opt_out: Option<Condition>,
    /// The outputs of a callee who said no.
    #[serde(default)]
    pub refusal: Option<Condition>,
    /// Who is called back when they asked to be.
    #[serde(default)]
    pub callback: Option<Callback>,
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
    /// Countries whose numbers are called; all when it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// Kinds of numbers that are called besides those that cost no more than a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<NumberKind>,
    /// The column of the contact's time zone.
    pub timezone: Option<String>,
    /// The column that recognises a person again when data or number change.
    #[serde(default)]
    pub id: Option<String>,
    /// What becomes of waiting contacts that a newer complete file no longer has.
    #[serde(default)]
    pub missing: Missing,
    /// Cells that are such a word are empty.
    #[serde(default, skip_serializing_if = "EmptyWords::are_usual")]
    pub empty_words: EmptyWords,
}

impl ContactSource {
    /// Reads a number as its rows have it. One of another country, or of a kind that is not
    /// allowed, is an error.
    pub fn number(&self, text: &str) -> Result<PhoneNumber, PhoneError> {
        let planned = PlannedNumber::parse(text, self.country)?;
        self.judge(&planned)?;
        Ok(planned.number)
    }

    /// Tells whether a number that was read before may be called by these rules: they may be newer
    /// than the contact.
    pub fn admits(&self, number: &PhoneNumber) -> Result<(), PhoneError> {
        match PlannedNumber::parse(number.e164(), None) {
            Ok(planned) => self.judge(&planned),
            // Plans change. What is not in them any more is of no country that can be told.
            Err(_) if self.countries.is_empty() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn judge(&self, planned: &PlannedNumber) -> Result<(), PhoneError> {
        let PlannedNumber { kind, country, .. } = planned;
        match *kind {
            Some(kind) if !self.allow.contains(&kind) => Err(PhoneError::Kind(kind)),
            // A network of no country is named by its kind.
            Some(_) if country.is_none() => Ok(()),
            _ if self.countries.is_empty() || country.is_some_and(|country| self.countries.contains(&country)) => {
                Ok(())
            }
            _ => Err(PhoneError::OtherCountry(*country)),
        }
    }
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

/// Reads rules that were stored when there was one column only: they hold its name alone.
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
    /// Hours of weekdays and dates.
    pub hours: Timetable,
    /// Whose clocks they are read on.
    pub timezone: CallingZone,
    /// Days on which nobody is called.
    #[serde(default)]
    pub closures: Arc<Closures>,
    /// Rules of laws and codes, as they were when the campaign was applied.
    #[serde(default)]
    pub presets: Vec<Preset>,
    /// No new call this long before closing.
    pub guard: Span,
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
    /// How long a number is left alone after a conversation or a refusal, across campaigns.
    #[serde(default)]
    pub cool_off: CoolOff,
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
    /// Up to so many hundredths are added to each delay, at random.
    #[serde(default = "ten")]
    pub jitter: u8,
    /// A number that did not pick up is not tried again in the same hour of the day.
    #[serde(default)]
    pub avoid_same_hour: bool,
}

const fn ten() -> u8 {
    10
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

words! {
    /// What follows when nobody can say whether a call was placed.
    UnknownPolicy {
        /// A person decides.
        Hold = "hold",
        /// It was: the contact is finished and never called again in this run.
        AssumePlaced = "assume-placed",
        /// It was not: the contact is dialled again, and may get a second call.
        Redial = "redial",
    }
}

/// Tells whether a campaign may be called so: lower-case letters, digits and hyphens.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Campaign {
    /// Tells whether the place of each contact matters. Then a contact whose place is not known is
    /// never called.
    pub fn needs_own_zone(&self) -> bool {
        let presets = self.calling.presets.iter().map(|preset| preset.timezone);
        presets.chain([self.calling.timezone]).any(|zone| zone == CallingZone::Contact)
    }

    /// Returns the outputs of an agent that its rules ask for.
    pub fn asked_outputs(&self) -> std::collections::BTreeSet<&str> {
        let callback = self.callback.iter();
        let conditions = [&self.opt_out, &self.refusal].into_iter().flatten();
        let conditions = conditions.chain(callback.clone().filter_map(|rule| rule.when.as_ref()));
        let names = conditions.flat_map(|condition| condition.0.keys().map(String::as_str));
        names.chain(callback.map(|rule| rule.from.as_str())).collect()
    }

    /// Returns every limit on calls to one number: the campaign's own rules and those of its
    /// presets.
    pub fn number_limits(&self) -> NumberLimits {
        let presets = self.calling.presets.iter().map(Preset::number_limits);
        presets.fold(self.own_number_limits(), |all, preset| all.and(&preset))
    }

    /// Returns the campaign's own limits on calls to one number.
    pub fn own_number_limits(&self) -> NumberLimits {
        NumberLimits {
            caps: self.limits.per_number.clone(),
            cool_off: self.limits.cool_off,
            avoid_same_hour: self.retry.avoid_same_hour,
        }
    }

    /// Returns where a callee is taken to be: in their own zones, else where the campaign's hours
    /// are read.
    pub fn place_of(&self, own: &ZoneSet) -> ZoneSet {
        if own.is_empty() { self.zones_for(ZoneSet::default()) } else { own.clone() }
    }

    /// Returns the zone of the campaign's own calendar: schedules, `today`, `{date}`. `lane` is its
    /// lane's.
    pub fn own_zone(&self, lane: Zone) -> Zone {
        match self.calling.timezone {
            CallingZone::Fixed(zone) => zone,
            CallingZone::Contact => lane,
        }
    }

    /// Returns the zones that a contact's window is read in, given those that are its own.
    pub fn zones_for(&self, own: ZoneSet) -> ZoneSet {
        match self.calling.timezone {
            CallingZone::Fixed(zone) => ZoneSet::one(zone),
            CallingZone::Contact => own,
        }
    }

    /// Returns the columns that the campaign takes from every row.
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
            jitter: ten(),
            avoid_same_hour: false,
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
