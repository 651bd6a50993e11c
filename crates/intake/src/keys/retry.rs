//! The keys of `[retry]`.

use ringfence_domain::campaign::Redial;
use ringfence_domain::{Campaign, Outcome};
use toml::Value;

use super::campaign::{key, text, texts};
use super::{CampaignKey, Holds};

pub(super) const RETRY: &[CampaignKey] = &[
    key(
        "retry.max_attempts",
        Holds::Whole(1, 100),
        Some("3"),
        "The most calls to one contact in a run, all outcomes together.",
        |c| Some(Value::Integer(c.retry.max_attempts.into())),
    ),
    key(
        "retry.avoid_same_hour",
        Holds::Flag,
        Some("false"),
        "Whether a number that did not pick up is tried at another hour of the day, for a week.",
        |c| Some(Value::Boolean(c.retry.avoid_same_hour)),
    ),
    key("retry.jitter", Holds::Percent, Some("\"10%\""), "The most that is added to each delay, at random.", |c| {
        text(format!("{}%", c.retry.jitter))
    }),
    key("retry.busy", Holds::Delays, Some("\"15m\""), "What follows a busy line.", |c| redial(c, Outcome::Busy)),
    key(
        "retry.no_answer",
        Holds::Delays,
        Some("[\"1h\", \"4h\", \"1d\"]"),
        "What follows a call that nobody took.",
        |c| redial(c, Outcome::NoAnswer),
    ),
    key("retry.unreachable", Holds::Delays, Some("\"2h\""), "What follows a phone that is off or out of reach.", |c| {
        redial(c, Outcome::Unreachable)
    }),
    key("retry.voicemail", Holds::Delays, Some("\"1d\""), "What follows an answering machine.", |c| {
        redial(c, Outcome::Voicemail)
    }),
    key("retry.failed", Holds::Delays, Some("\"1h\""), "What follows a call that failed at the provider.", |c| {
        redial(c, Outcome::Failed)
    }),
    key("retry.rejected", Holds::Delays, Some("\"never\""), "What follows a call that was declined.", |c| {
        redial(c, Outcome::Rejected)
    }),
];

fn redial(campaign: &Campaign, outcome: Outcome) -> Option<Value> {
    match campaign.retry.after.get(&outcome)? {
        Redial::Never => text("never"),
        Redial::After(delays) => match delays.as_slice() {
            [only] => text(only),
            several => texts(several),
        },
    }
}
