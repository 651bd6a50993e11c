//! `kind = "sandbox"`: a simulated account within the process, spoken to as Twenty2 is. It forgets
//! its calls with the process; `ringfence sandbox` runs one that does not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::lane::LaneLimits;
use ringfence_domain::{Clock, ClockReading, Moment, Rate};
use ringfence_providers::twenty2::{CAMPAIGN_SETTINGS, Twenty2, VENDOR as TWENTY2};
use ringfence_providers::{LaneSetup, SettingKey, SettingKind, Vendor};
use secrecy::SecretString;

use crate::{Behaviour, InProcess, Simulator, Tape, router};

/// The description of this vendor: its settings, limits, capabilities and refusals.
pub static VENDOR: Vendor = Vendor {
    kind: "sandbox",
    settings: &[
        SettingKey {
            name: "outcomes",
            kind: SettingKind::OptionalText,
            default: None,
            says: "How calls end: answered=3,busy=1.",
        },
        SettingKey {
            name: "faults",
            kind: SettingKind::OptionalText,
            default: None,
            says: "What goes wrong with requests.",
        },
        SettingKey {
            name: "talk",
            kind: SettingKind::Text,
            default: Some("2s"),
            says: "How long a conversation lasts.",
        },
        SettingKey { name: "ring", kind: SettingKind::Text, default: Some("500ms"), says: "How long a phone rings." },
        SettingKey {
            name: "latency",
            kind: SettingKind::Text,
            default: Some("5ms"),
            says: "How long an answer takes.",
        },
        SettingKey {
            name: "seed",
            kind: SettingKind::Text,
            default: Some("0"),
            says: "The number that all chance comes from.",
        },
    ],
    campaign_settings: CAMPAIGN_SETTINGS,
    base_url: Some("http://sandbox.invalid/api"),
    limits: || LaneLimits {
        calls: Rate::per_second(50),
        requests: Rate::per_second(200),
        concurrent: 40,
        per_day: None,
    },
    hours: |_| None,
    can: TWENTY2.can,
    faults: TWENTY2.faults,
    check: TWENTY2.check,
    build: |setup, _| {
        let simulator = Simulator::new(behaviour_of(&setup)?, Arc::new(MachineClock), Arc::new(Tape::default()));
        let transport = InProcess::new(router(&simulator));
        let values = BTreeMap::from([
            ("workspace_id".to_owned(), "sandbox".to_owned()),
            ("agent_field".to_owned(), "agent_id".to_owned()),
            ("number_format".to_owned(), "e164".to_owned()),
        ]);
        let secrets = ["api_key", "api_secret"].map(|name| (name.to_owned(), SecretString::from("sandbox"))).into();
        Ok(Arc::new(Twenty2::new(LaneSetup { values, secrets, ..setup }, transport)?))
    },
};

/// Returns the behaviour that a lane's section asks for.
fn behaviour_of(setup: &LaneSetup) -> Result<Behaviour, String> {
    let mut behaviour = Behaviour::default();
    let text = |name: &str| setup.values.get(name).map(String::as_str);
    let span =
        |name: &str| -> Result<_, String> { setup.value(name)?.parse().map_err(|error| format!("{name}: {error}")) };
    if let Some(outcomes) = text("outcomes") {
        behaviour.set_outcomes(outcomes).map_err(|error| format!("outcomes: {error}"))?;
    }
    if let Some(faults) = text("faults") {
        behaviour.set_faults(faults).map_err(|error| format!("faults: {error}"))?;
    }
    (behaviour.talk, behaviour.ring, behaviour.latency) = (span("talk")?, span("ring")?, span("latency")?);
    behaviour.seed = setup.value("seed")?.parse().map_err(|_| "seed: not a number".to_owned())?;
    Ok(behaviour)
}

/// The vendor's own wall clock, which is not ours.
#[derive(Debug)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn read(&self) -> ClockReading {
        #[expect(clippy::disallowed_methods, reason = "this is a clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        ClockReading::exact(Moment::from_millis(since.as_millis() as i64))
    }

    fn boot(&self) -> Duration {
        self.read().now.since(Moment::from_millis(0)).duration()
    }
}
