//! Every key of the files that operators write, with what it holds and what it means.
//!
//! A campaign's form ([`form`]), the differences between two campaigns and the schemas for editors
//! ([`schema`]) are made from these lists. Tests read each key with the reader, so that neither can
//! know a key that the other does not.

mod campaign;
mod config;
mod form;
mod retry;
pub mod schema;

pub use self::campaign::CAMPAIGN;
pub use self::config::{CONFIG, LANE, WEBHOOK};
pub use self::form::form;

/// One key of a file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its place, as in `limits.cool_off.after_answered`.
    pub path: &'static str,
    /// The kind of its value.
    pub holds: Holds,
    /// Its value when it is left out, as TOML.
    pub default: Option<&'static str>,
    /// Its meaning, in one sentence.
    pub says: &'static str,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// Any text.
    Text,
    /// The name of a column of the contact file.
    Column,
    /// A list of texts; one text alone will do.
    Texts,
    /// A text or a whole number.
    Word,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of these words; one alone will do.
    SomeOf(&'static [&'static str]),
    /// A whole number within these bounds.
    Whole(u32, u32),
    /// true or false.
    Flag,
    /// A length of time.
    Span,
    /// A number of calls or requests in a length of time.
    Rate,
    /// A share of a hundred.
    Percent,
    /// Hours of weekdays and dates.
    Hours,
    /// The name of a time zone.
    Zone,
    /// A day.
    Date,
    /// Two letters that name a country.
    Country,
    /// A list of countries; one alone will do.
    Countries,
    /// Moments, in the five fields of cron.
    Cron,
    /// `never`, or the delays before the next calls, in turn.
    Delays,
    /// A web address.
    Address,
    /// A file or folder; relative to the file that names it.
    File,
    /// Names that the operator chooses, each with a text that may take `{column}` from the row.
    Templates,
    /// Names that the operator chooses, each with a text.
    Names,
    /// Outputs of the agent, each with the value, or the values, that fulfil the condition.
    Condition,
    /// The place of a secret: `{ env = "NAME" }` or `{ file = "path" }`.
    Secret,
}

/// One key of a campaign file.
#[derive(Debug, Clone, Copy)]
pub struct CampaignKey {
    /// The key.
    pub key: Key,
    /// Its value in a campaign, if there is one to write.
    pub(crate) value: fn(&ringfence_domain::Campaign) -> Option<toml::Value>,
}
