//! One real call to one number: through window, do-not-call list and caps, outside the campaign's
//! counts.
//!
//! It is a campaign of its own (`test-call:NAME`, which no list shows), so that it goes through the
//! same claim, limits and recovery as any call.

mod alone;
mod placed;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::template::Row;
use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{
    AttemptId, AttemptState, Campaign, ContactState, LaneState, Moment, Outcome, PhoneNumber, Span, StopReason,
    StopSwitch, ZoneSet,
};
use ringfence_engine::{LaneEngine, presence, receipts, stop_switches};
use ringfence_intake::Config;
use ringfence_providers::Provider;
use ringfence_store::{Begin, Database, LaneRow, ProcessLock, StopOrder, StopScope};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::input_file::{InputFile, in_background, until_left};
use crate::notices::Notices;
use crate::run::Leave;
use crate::workspace::{self, Needs, Place, Workspace};
use crate::{preview, zones};

/// A test call that is asked for.
#[derive(Debug, Clone)]
pub struct TestCall {
    /// The campaign file.
    pub campaign: PathBuf,
    /// The number, with + and country code unless the campaign names a country.
    pub phone: String,
    /// The row whose values are taken, counted from 1 without the header.
    pub row: i64,
    /// It is made although the campaign's window is closed.
    pub ignore_window: bool,
    /// Its outcome is waited for no longer than this.
    pub max_time: Span,
}

/// The values that the agent gets in a test call.
#[derive(Debug, Clone)]
pub enum Values {
    /// Those of a row of the campaign's contact file, counted from 1 without the header.
    Row(i64),
    /// These.
    These(Row),
}

/// A test call that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Called {
    /// The number.
    pub phone: String,
    /// The contact's state.
    pub state: ContactState,
    /// The attempt.
    pub attempt: AttemptId,
    /// Its state.
    pub attempt_state: AttemptState,
    /// How the call ended.
    pub outcome: Option<Outcome>,
    /// The vendor's name for it.
    pub call_id: Option<String>,
    /// Why it was not placed, or is of unknown fate.
    pub cause: Option<String>,
    /// When it was sent.
    pub sent_at: Option<Moment>,
    /// Seconds talked.
    pub talk_seconds: Option<i64>,
    /// What the vendor charged.
    pub cost: Option<String>,
    /// In which currency.
    pub currency: Option<String>,
    /// What the agent collected.
    pub outputs: std::collections::BTreeMap<String, serde_json::Value>,
    /// The recording.
    pub recording_url: Option<String>,
    /// The transcript.
    pub transcript_url: Option<String>,
}

/// What became of a test call.
#[derive(Debug)]
pub enum Ended {
    /// It was made; its outcome may not be known yet.
    Called(Box<Called>),
    /// A signal came first, with this exit code.
    Signal(u8),
}

/// A test call that may be made: everything that needs no database is checked.
#[derive(Debug)]
pub struct Prepared {
    config: Config,
    /// The campaign's rules for the one call.
    alone: Campaign,
    /// The name of the campaign that it stands beside.
    beside: String,
    provider: Arc<dyn Provider>,
    /// The number.
    pub number: PhoneNumber,
    zones: ZoneSet,
    fields: Row,
    max_time: Span,
    notices: Notices,
}

impl Prepared {
    /// Reads what the call needs. An error when anything is missing, or the window is closed.
    pub fn load(place: &Place, order: &TestCall) -> Result<Self, Error> {
        let (config, rules) = workspace::read_campaign(place, &order.campaign, Needs::Secrets)?;
        let values = Values::Row(order.row);
        Self::new(
            config,
            &rules,
            order.ignore_window,
            (&order.phone, values),
            order.max_time,
            place.notices.clone(),
            || true,
        )
    }

    /// The same for a campaign that is in the database, by its present rules.
    pub async fn of_campaign(
        workspace: &Workspace,
        name: &str,
        (phone, values): (&str, Values),
        ignore_window: bool,
        max_time: Span,
    ) -> Result<Self, Error> {
        let rules = workspace.campaign(name).await?.rules;
        let (config, notices, phone) = (workspace.with_secrets()?, workspace.notices.clone(), phone.to_owned());
        in_background(move |left| {
            Self::new(config, &rules, ignore_window, (&phone, values), max_time, notices, until_left(left))
        })
        .await?
    }

    fn new(
        config: Config,
        rules: &Campaign,
        ignore_window: bool,
        (phone, values): (&str, Values),
        max_time: Span,
        notices: Notices,
        is_wanted: impl Fn() -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        let lane = workspace::lane(&config, rules)?;
        let provider = workspace::provider(lane)?;
        let number = rules.contacts.number(phone).map_err(|error| {
            Error::input(format!("`{phone}`: {error}"), "write it with + and country code: +919876543210")
        })?;
        provider.can_call(&number).map_err(|why| Error::input(why, "call another number"))?;
        let settings = &lane.setup.settings;
        let now = workspace::wall_clock();
        let fields = match values {
            Values::These(fields) => fields,
            Values::Row(row) => match InputFile::of_campaign(rules, settings.timezone, now, &notices)? {
                Some(file) => preview::row(&file, rules, &*provider, row, is_wanted)?.1,
                None => Row::new(),
            },
        };
        // What is missing is told before anything is written.
        let wanted = ringfence_worker::Wanted {
            to: &number,
            fields: &fields,
            reference: "",
            turn: 0,
            at: now,
            ring_before: None,
            report_to: None,
        };
        ringfence_worker::request(rules, wanted)
            .map_err(|error| Error::input(error.to_string(), "give the campaign a contacts.file with that column"))?;
        let alone = alone::rules(rules, ignore_window);
        let zones = ZoneSet::of_number(&number);
        let mut calendar = alone.calendar(&zones, settings.vendor_hours().as_ref());
        if !calendar.at(now).open {
            let zone = alone.own_zone(settings.timezone);
            let opens = calendar.next_opening(now).map_or("never".to_owned(), |at| at.shown(zone));
            let own = "the lane's own hours are the vendor's";
            let hint = if ignore_window { own } else { "wait, or use --ignore-window" };
            return Err(Error::held(format!("the window is closed; it opens {opens}"), hint));
        }
        let beside = rules.name.clone();
        Ok(Self { config, alone, beside, provider, number, zones, fields, max_time, notices })
    }

    /// Makes the call, and waits for its outcome.
    pub async fn call(self, place: &Place, leave: Leave<'_>) -> Result<Ended, Error> {
        let store = workspace::open(place, &self.config).await?;
        let ended = self.call_on(&store, leave).await;
        store.close().await;
        ended
    }

    /// The same on a database that is open.
    pub async fn call_on(self, store: &Arc<Database>, leave: Leave<'_>) -> Result<Ended, Error> {
        let clock = store.clock().await?;
        let lane = workspace::lane(&self.config, &self.alone)?;
        let settings = lane.setup.settings.clone();
        let row = store.register_lane(settings.clone(), clock.read().now).await?;
        let stop_switch = stop_switches::all(&self.config.path, store);
        self.may_call(store, &row, &*stop_switch).await?;
        let (_, campaign) = store.apply(self.alone.clone(), row.id, Begin::Running, clock.read().now).await?;
        // What paused an earlier test call was shown to the person who made it.
        store.resume_campaign(campaign.id, true, clock.read().now).await?;
        let campaign = store.campaign_by_id(campaign.id).await?;
        let campaign =
            alone::contact(store, &*clock, campaign, &self.number, self.zones.clone(), self.fields.clone()).await?;
        let lock = ProcessLock::begin(store, clock.read().now);
        let zone = self.alone.own_zone(settings.timezone);
        let engine = LaneEngine::new(
            Arc::new(lock.works_on(store, "test-call")),
            clock.clone(),
            lock.name().to_owned(),
            row.id,
            settings,
            self.provider,
        )
        .with_stop_switch(stop_switch)
        .reported_to(workspace::reports_of(lane, &self.config, store))
        .only(campaign.id);
        presence::introduce(store, &*clock, lock.name(), "test-call").await?;
        let stop = CancellationToken::new();
        let living = presence::stay(store.clone(), clock.clone(), lock.name().to_owned(), stop.clone());
        let living = tokio::spawn(living);
        let running = tokio::spawn(engine.run(stop.clone()));
        let key = store.hasher().key(&self.number);
        let waiting = placed::Waiting { store, clock: &*clock, lane: row.id, campaign: &campaign, key };
        let ended = waiting.until_ended(self.max_time.duration(), leave).await;
        // Nobody dials it later.
        store.close_run(campaign.run, StopReason::Cancelled).await?;
        StopOrder::new(campaign.run, StopScope::All, StopReason::Cancelled, clock.read().now).carry_out(store).await?;
        stop.cancel();
        let (running, _) = tokio::join!(running, living);
        for line in receipts::leave(store) {
            self.notices.tell(&line);
        }
        let ended = ended?;
        running.map_err(|error| Error::work(format!("the engine ended badly: {error}")))?;
        let contact = match ended {
            placed::Looked::Signal(code) => return Ok(Ended::Signal(code)),
            placed::Looked::Contact(contact) => contact,
        };
        let contact = contact.ok_or_else(|| Error::work("the test call vanished from the database"))?;
        let attempts = store.attempts_at(key).await?;
        let last = attempts.into_iter().rfind(|attempt| attempt.run == campaign.run);
        placed::called(&contact, last, zone).map(|called| Ended::Called(Box::new(called)))
    }

    /// Whether nothing forbids every call: the list, a stop switch, a stop, a paused lane.
    async fn may_call(&self, store: &Database, lane: &LaneRow, stop_switch: &dyn StopSwitch) -> Result<(), Error> {
        let number = &self.number;
        // The campaign's own list is for its own calls, which this one stands for.
        let campaign = store.campaign(self.beside.clone()).await?.map(|campaign| campaign.id);
        for entry in store.dnc_entries(store.hasher().key(number)).await? {
            if entry.list.campaign.is_none() || entry.list.campaign == campaign {
                let message = format!("{number} is on the do-not-call list");
                return Err(Error::held(message, "`ringfence why` says since when"));
            }
        }
        if let Some(file) = stop_switch.active() {
            return Err(Error::held(format!("everything is stopped: {file}"), "remove that file"));
        }
        if let Some(stop) = store.stop().await? {
            let hint = match stop.by {
                StoppedBy::File | StoppedBy::Person => "`ringfence start` lets it go",
                StoppedBy::Quarantine => "`ringfence quarantine` says more",
                StoppedBy::ZoneData => zones::MEND,
            };
            return Err(Error::held(format!("everything is stopped: {}", stop.reason), hint));
        }
        if lane.state == LaneState::Paused {
            let (name, reason) = (&lane.settings.name, lane.reason.clone().unwrap_or_default());
            let hint = format!("`ringfence lanes resume {name}` lets it go");
            return Err(Error::held(format!("lane {name} is paused: {reason}"), hint));
        }
        Ok(())
    }
}

/// How often the call is looked at.
const LOOK: Duration = Duration::from_millis(200);
