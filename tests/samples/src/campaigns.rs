//! Lanes, campaigns and numbers that tests begin from.

use std::collections::BTreeMap;

use ringfence_domain::campaign::{
    Calling, CallingZone, CampaignLimits, ContactSource, Missing, OnUnknown, Reached, RetryRules,
};
use ringfence_domain::empty_words::EmptyWords;
use ringfence_domain::lane::{LaneLimits, LaneSettings};
use ringfence_domain::safety::Safety;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::window::Timetable;
use ringfence_domain::{Campaign, Moment, PhoneNumber, Rate, Span};

/// A Friday noon in India.
pub fn noon() -> Moment {
    "2026-11-20T06:30:00Z".parse().expect("a moment")
}

/// A lane with room for tests.
pub fn lane_settings(name: &str) -> LaneSettings {
    LaneSettings {
        name: name.to_owned(),
        kind: "sandbox".to_owned(),
        limits: LaneLimits {
            calls: Rate::per_second(1000),
            requests: Rate::per_second(1000),
            concurrent: 100,
            per_day: None,
        },
        hours: None,
        timezone: "Asia/Kolkata".parse().expect("a zone"),
        lower_priorities: LaneSettings::LOWER_PRIORITIES,
    }
}

/// A campaign open all day, with the default retries and no caps.
pub fn rules(name: &str, lane: &str) -> Campaign {
    Campaign {
        name: name.to_owned(),
        provider: lane.to_owned(),
        agent: "69de483c68b23495c853b43a".to_owned(),
        caller_ids: vec!["9876500000".to_owned()],
        priority: 5,
        contacts: ContactSource {
            countries: Vec::new(),
            allow: Vec::new(),
            file: None,
            phones: vec!["phone".to_owned()],
            country: Some("IN".parse().expect("a country")),
            timezone: None,
            id: None,
            missing: Missing::Keep,
            empty_words: EmptyWords::default(),
        },
        variables: BTreeMap::new(),
        metadata: BTreeMap::new(),
        vendor: BTreeMap::new(),
        calling: Calling {
            hours: Timetable::always(),
            timezone: CallingZone::Fixed("Asia/Kolkata".parse().expect("a zone")),
            closures: std::sync::Arc::default(),
            presets: Vec::new(),
            guard: Span::ZERO,
        },
        limits: CampaignLimits::default(),
        retry: RetryRules::default(),
        reached: Reached::default(),
        opt_out: None,
        refusal: None,
        callback: None,
        on_unknown: OnUnknown::default(),
        schedule: Schedule::default(),
        safety: Safety::default(),
    }
}

/// The `n`th number of a row of valid Indian mobile numbers.
pub fn number(n: usize) -> PhoneNumber {
    PhoneNumber::from_e164(&format!("+9198{:08}", 10_000_000 + n)).expect("a number")
}
