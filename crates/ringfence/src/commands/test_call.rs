//! `ringfence test-call`

use std::path::PathBuf;
use std::time::Duration;

use ringfence_domain::campaign::RetryRules;
use ringfence_domain::safety::Safety;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::template::Row;
use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::window::Timetable;
use ringfence_domain::{
    AttemptState, Campaign, CampaignState, ContactState, LaneState, NumberKey, PhoneNumber, Span, StopReason, ZoneSet,
};
use ringfence_engine::{LaneEngine, brakes, receipts};
use ringfence_operations::{InputFile, amount::amount, preview, workspace, zones};
use ringfence_store::{
    Begin, CampaignRow, CompleteOrder, ContactRow, Database, ImportChunk, ImportCounts, ImportOrder, ImportStart,
    NewContact, ProcessLock, StopOrder, StopScope,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::failure::{DONE, Failure, REVIEW};
use crate::{home, screen};

/// `test-call`
#[derive(Debug, clap::Args)]
pub struct TestCallArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// The number to call, with + and country code unless the campaign names a country
    pub phone: String,
    /// Take the values of this row of the contact file, counted from 1 without the header
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub row: i64,
    /// Call although the campaign's window is closed; asks first
    #[arg(long)]
    pub ignore_window: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Stop waiting for its outcome after this time: 90s, 10m
    #[arg(long, default_value = "10m", value_name = "TIME")]
    pub max_time: Span,
}

/// How often the call is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// One real call to one number: through window, do-not-call list and caps, outside the campaign's counts.
pub(super) async fn test_call(common: &Common, args: &TestCallArgs) -> Result<u8, Failure> {
    let (config, rules) = workspace::read_campaign(&common.place(), &args.campaign)?;
    let lane = workspace::lane(&config, &rules)?;
    let provider = home::provider(lane)?;
    let number = rules.contacts.number(&args.phone).map_err(|error| {
        Failure::input(format!("`{}`: {error}", args.phone), "write it with + and country code: +919876543210")
    })?;
    provider.can_call(&number).map_err(|why| Failure::input(why, "call another number"))?;
    let settings = lane.setup.settings.clone();
    let file = InputFile::of_campaign(&rules, settings.timezone, workspace::wall_clock(), &common.place().notices)?;
    let fields = match &file {
        Some(file) => preview::row(file, &rules, &*provider, args.row)?.1,
        None => Row::new(),
    };
    // Whatever is missing is told before anything is written.
    let wanted = ringfence_worker::Wanted {
        to: &number,
        fields: &fields,
        reference: "",
        turn: 0,
        at: workspace::wall_clock(),
        ring_before: None,
        report_to: None,
    };
    ringfence_worker::request(&rules, wanted)
        .map_err(|error| Failure::input(error.to_string(), "give the campaign a contacts.file with that column"))?;
    let alone = alone(&rules, args.ignore_window);
    let zone = alone.own_zone(settings.timezone);
    let zones = ZoneSet::of_number(&number);
    let mut calendar = alone.calendar(&zones, settings.vendor_hours().as_ref());
    let now = workspace::wall_clock();
    if !calendar.at(now).open {
        let opens = calendar.next_opening(now).map_or("never".to_owned(), |at| screen::moment(at, zone));
        let hint =
            if args.ignore_window { "the lane's own hours are the vendor's" } else { "wait, or use --ignore-window" };
        return Err(Failure::held(format!("the window is closed; it opens {opens}"), hint));
    }
    let question = format!("{number} is called now, outside the campaign's window. Call?");
    if args.ignore_window && !args.yes && !screen::confirm(&question)? {
        return Err(Failure::held("nobody was called", "answer y, or use --yes"));
    }
    let store = workspace::open(&common.place(), &config).await?;
    let clock = store.clock().await?;
    let row = store.register_lane(settings.clone(), clock.read().now).await?;
    // The campaign's own list is for its own calls, which this one stands for.
    let campaign = store.campaign(rules.name.clone()).await?.map(|campaign| campaign.id);
    for entry in store.dnc_entries(store.hasher().key(&number)).await? {
        if entry.list.campaign.is_none() || entry.list.campaign == campaign {
            return Err(Failure::held(
                format!("{number} is on the do-not-call list"),
                "`ringfence why` says since when",
            ));
        }
    }
    let brake = brakes::all(&config.path, &store);
    if let Some(file) = brake.pulled() {
        return Err(Failure::held(format!("everything is stopped: {file}"), "remove that file"));
    }
    if let Some(stop) = store.stop().await? {
        let hint = match stop.by {
            StoppedBy::File | StoppedBy::Person => "`ringfence start` lets it go",
            StoppedBy::Quarantine => "`ringfence quarantine` says more",
            StoppedBy::ZoneData => zones::MEND,
        };
        return Err(Failure::held(format!("everything is stopped: {}", stop.reason), hint));
    }
    if row.state == LaneState::Paused {
        let reason = row.reason.unwrap_or_default();
        let hint = format!("`ringfence lanes resume {}` lets it go", settings.name);
        return Err(Failure::held(format!("lane {} is paused: {reason}", settings.name), hint));
    }
    let (_, campaign) = store.apply(alone, row.id, Begin::Running, clock.read().now).await?;
    // What paused an earlier test call was shown to whoever made it.
    store.resume_campaign(campaign.id, true, clock.read().now).await?;
    let campaign = store.campaign_by_id(campaign.id).await?;
    let campaign = contact(&store, &*clock, campaign, &number, zones, fields).await?;
    let lifeline = ProcessLock::begin(&store, clock.read().now);
    let engine = LaneEngine::new(store.clone(), clock.clone(), lifeline.name().to_owned(), row.id, settings, provider)
        .braked_by(brake)
        .reported_to(workspace::reports_of(lane, &config, &store))
        .only(campaign.id);
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let key = store.hasher().key(&number);
    let deadline = clock.boot() + args.max_time.duration();
    let left = super::run::signalled();
    tokio::pin!(left);
    let mut signal = None;
    let ended = loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            code = &mut left => {
                signal = Some(code?);
                break store.contact_by_number(campaign.run, key).await?;
            }
        }
        let Some(contact) = store.contact_by_number(campaign.run, key).await? else { break None };
        let put_off = contact.state == ContactState::Waiting && contact.due_at > clock.read().now;
        let under_way = matches!(contact.state, ContactState::Waiting | ContactState::Active) && !put_off;
        // What was refused waits for a person, not for a time.
        let refused = contact.state == ContactState::Waiting && is_held(&store, row.id, &campaign, key).await?;
        if !under_way || refused || clock.boot() >= deadline {
            break Some(contact);
        }
    };
    // Nobody dials it later.
    store.close_run(campaign.run, StopReason::Cancelled).await?;
    StopOrder::new(campaign.run, StopScope::All, StopReason::Cancelled, clock.read().now).carry_out(&store).await?;
    stop.cancel();
    let running = running.await;
    home::eprint_lines(receipts::leave(&store));
    running.map_err(|error| Failure::work(format!("the engine ended badly: {error}")))?;
    let attempts = store.attempts_at(key).await?;
    store.close().await;
    if let Some(code) = signal {
        return Ok(code);
    }
    let contact = ended.ok_or_else(|| Failure::work("the test call vanished from the database"))?;
    let last = attempts.into_iter().rfind(|attempt| attempt.run == campaign.run);
    tell(common, &contact, last.as_ref(), zone)
}

/// Whether lane or campaign was paused by the answer to the call, or nothing of it could be sent.
async fn is_held(
    store: &Database,
    lane: ringfence_domain::LaneId,
    campaign: &CampaignRow,
    key: NumberKey,
) -> Result<bool, Failure> {
    let attempts = store.attempts_at(key).await?;
    let last = attempts.into_iter().rfind(|attempt| attempt.run == campaign.run);
    let state = last.map(|attempt| attempt.state);
    if state == Some(AttemptState::NotSent) {
        return Ok(true);
    }
    let lanes = store.lanes().await?;
    let paused = lanes.iter().any(|row| row.id == lane && row.state == LaneState::Paused);
    let held = store.campaign_by_id(campaign.id).await?.state != CampaignState::Running;
    Ok(state == Some(AttemptState::Refused) && (paused || held))
}

/// The campaign's rules for one call that stands beside it.
fn alone(rules: &Campaign, ignore_window: bool) -> Campaign {
    let mut alone = Campaign {
        name: format!("test-call:{}", rules.name),
        priority: 1,
        retry: RetryRules { max_attempts: 1, after: std::collections::BTreeMap::new(), ..RetryRules::default() },
        schedule: Schedule::default(),
        safety: Safety { canary: None, max_file_age: None, ..rules.safety.clone() },
        ..rules.clone()
    };
    alone.contacts.file = None;
    if ignore_window {
        alone.calling.hours = Timetable::always();
        alone.calling.closures = std::sync::Arc::default();
        for preset in &mut alone.calling.presets {
            (preset.hours, preset.closures) = (None, std::sync::Arc::default());
        }
        alone.calling.guard = Span::ZERO;
    }
    alone
}

/// A fresh run with this one contact.
async fn contact(
    store: &Database,
    clock: &dyn ringfence_domain::Clock,
    campaign: CampaignRow,
    number: &PhoneNumber,
    zones: ZoneSet,
    fields: Row,
) -> Result<CampaignRow, Failure> {
    let key = uuid::Uuid::new_v4().simple().to_string();
    let now = clock.read().now;
    let (run, _) = store.begin_run(campaign.id, key.clone(), now).await?;
    let columns: Vec<String> = fields.keys().cloned().collect();
    let order = ImportOrder {
        run: run.id,
        source: "test call".to_owned(),
        digest: key,
        columns: columns.clone(),
        written_at: None,
        now,
    };
    let ImportStart::Begin(import) = store.begin_import(order).await? else {
        return Err(Failure::work("a test call stood in the database already"));
    };
    let contact = NewContact {
        row_number: 1,
        line: 1,
        numbers: vec![(number.clone(), store.hasher().key(number))],
        zones,
        external_id: None,
        fields,
    };
    let chunk = ImportChunk { import, run: run.id, contacts: vec![contact], rejects: Vec::new(), columns, now };
    store.import_chunk(chunk).await?;
    let counts = ImportCounts { rows: 1, accepted: 1, ..ImportCounts::default() };
    store.complete_import(CompleteOrder { import, counts, missing: 0, canary: None, now }).await?;
    Ok(CampaignRow { run: run.id, ..campaign })
}

fn tell(
    common: &Common,
    contact: &ContactRow,
    last: Option<&ringfence_store::AttemptRow>,
    zone: ringfence_domain::Zone,
) -> Result<u8, Failure> {
    let called = last.filter(|attempt| attempt.sending_at.is_some());
    if let (ContactState::Stopped, Some(reason), None) = (contact.state, contact.stop_reason, called) {
        return Err(Failure::held(
            format!("{} was not called: {reason}", contact.number),
            "`ringfence why` and the phone number say more",
        ));
    }
    let Some(attempt) = called else {
        return Err(Failure::held(
            format!(
                "{} was not called: a rule puts it off until {}",
                contact.number,
                screen::moment(contact.due_at, zone)
            ),
            "`ringfence why` and the phone number say which",
        ));
    };
    let cost = attempt.cost_micros.map(amount);
    let told = json!({
        "phone": contact.number.e164(), "state": contact.state, "attempt": attempt.id, "attempt_state": attempt.state,
        "outcome": attempt.outcome, "call_id": attempt.call_id, "cause": attempt.cause, "sent_at": attempt.sending_at,
        "talk_seconds": attempt.talk_seconds, "cost": cost, "currency": attempt.currency, "outputs": attempt.outputs,
        "recording_url": attempt.recording_url, "transcript_url": attempt.transcript_url,
    });
    if common.json {
        screen::print_json(&told)?;
    } else {
        let mut table = screen::table(&[]);
        let mut line = |name: &str, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                table.add_row([name.to_owned(), text]);
            }
        };
        line("called", Some(contact.number.e164().to_owned()));
        let outcome = attempt.outcome.map(|outcome| outcome.to_string());
        let stands = match attempt.state {
            AttemptState::Refused | AttemptState::NotSent => "nobody was called".to_owned(),
            state => format!("not known yet ({state})"),
        };
        line("outcome", Some(outcome.unwrap_or(stands)));
        line("why", attempt.cause.clone());
        line("talked", attempt.talk_seconds.map(|seconds| format!("{seconds} s")));
        line("cost", cost.map(|cost| format!("{cost} {}", attempt.currency.clone().unwrap_or_default())));
        line("call id", attempt.call_id.clone());
        for (name, value) in &attempt.outputs {
            line(&format!("out.{name}"), Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        line("recording", attempt.recording_url.clone());
        line("transcript", attempt.transcript_url.clone());
        screen::print(&format!("{table}\n"))?;
    }
    match (attempt.outcome, contact.state) {
        (Some(_), ContactState::Done | ContactState::Stopped | ContactState::Waiting) => Ok(DONE),
        (_, ContactState::Review | ContactState::Active) => Ok(REVIEW),
        _ => Err(Failure::work(attempt.cause.clone().unwrap_or_else(|| "the call was not placed".to_owned()))),
    }
}
