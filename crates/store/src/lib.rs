//! The transitions of a dialer's rows, each one transaction, on SQLite and on Postgres alike.
//!
//! They are the methods of [`Database`]; `transitions/` has the whole list. Both databases run the
//! same transition from the same file; only the text of a statement differs where their dialects
//! do, and then both texts stand side by side. Rules are not decided here: a transition reads what
//! the rule needs, asks `ringfence-domain`, and writes what follows.
//!
//! Locks are always taken in one order, so that transactions wait for each other but never in a
//! circle: the fence, lane and campaign, imports, attempts, contacts, the run, buckets, counts;
//! rows of one table by ascending id. Planning skips contacts that anyone else holds.
//!
//! Adding a transition: a function in its room that takes a `Session`, one line in `transitions/`,
//! one case in the conformance suite (`tests/tests/it/conformance`).

mod attempts;
mod buckets;
mod by_hand;
mod campaigns;
mod changes;
mod contacts;
mod counters;
mod database;
mod dnc;
mod erasure;
mod error;
mod events;
mod forgotten;
mod idempotency;
mod imports;
mod lanes;
mod logins;
pub mod measures;
#[cfg(test)]
mod plans;
mod processes;
mod quarantine;
mod queues;
mod receipts;
mod reports;
mod rules_cache;
mod run_conditions;
mod run_figures;
mod run_hours;
mod session;
mod stop_all;
mod stop_contacts;
mod tokens;
mod transitions;
mod verdicts;
mod webhooks;
mod zone_data;

pub use attempts::adopt::{AdoptOrder, Adopted, VendorCall};
pub use attempts::bursts::{Burst, BurstCall};
pub use attempts::called::{ClaimedAttempt, Place as ClaimedPlace};
pub use attempts::claim::{ClaimOrder, Claimed, Refused, Withheld};
pub use attempts::eligible::{EligibleBucket, LaneLoad, LaneStanding};
pub use attempts::live::{CallAge, LiveCall};
pub use attempts::plan::{Closed, Opened, Pick, Plan};
pub use attempts::record::Recorded;
pub use attempts::review::{ReviewAnswer, ReviewRow};
pub use attempts::settle::{Settled, Settlement};
pub use attempts::sweep::{SweepOrder, Swept};
pub use attempts::take_back::TakenBack;
pub use campaigns::apply::{Applied, Begin, Expected};
pub use campaigns::hold::Resumed;
pub use campaigns::recent_failures::Failing;
pub use campaigns::rows::CampaignRow;
pub use campaigns::runs::RunRow;
pub use campaigns::schedules::ScheduleRow;
pub use changes::{ChangePlace, ChangeQuery, Changed};
pub use contacts::attempt_rows::AttemptRow;
pub use contacts::rows::{ContactFilter, ContactRow, ContactText};
pub use counters::{Counter, UnknownCounter};
pub use database::clock::DatabaseClock;
pub use database::{Answer, Backup, Database, DatabaseKind, Guarded, KnownAs, Location, Lockstep, Outage, ProcessLock};
pub use dnc::{DncEntry, DncList, DncListId, DncRow};
pub use erasure::ErasableRun;
pub use error::StoreError;
pub use error::trouble::{Trouble, TroubleKind};
pub use events::{Actor, EventFilter, EventScope, Subject};
pub use forgotten::Forgotten;
pub use idempotency::{Begun, Replay, RequestKey};
pub use imports::begin::{ImportOrder, ImportStart};
pub use imports::canary::Canary;
pub use imports::chunk::{ImportChunk, NewContact, RowVerdict};
pub use imports::rejects::Reject;
pub use imports::release::CompleteOrder;
pub use imports::rows::{ImportCounts, ImportRow};
pub use lanes::lease::{EarlierUse, LaneLease};
pub use lanes::ownership::{Acquired, Owner};
pub use lanes::recent_calls::RecentCalls;
pub use lanes::rows::LaneRow;
pub use logins::{IDLE as LOGIN_IDLE, LoginBy, LoginRow, NewLoginCode};
pub use processes::{ProcessRow, Takes};
pub use quarantine::database_file::DatabaseFile;
pub use quarantine::rows::{LaneInquiry, QuarantineEnd, QuarantineRow};
pub use queues::WaitingIn;
pub use receipts::sent::Sent;
pub use receipts::{Receipts, WrittenDown};
pub use reports::{NewReport, ReportOfCall, Reported, UnreadReport};
pub use rules_cache::{Rules, RulesCache};
pub use run_conditions::RunConditions;
pub use run_figures::{BucketFigures, RunFigures};
pub use run_hours::RunHour;
pub use stop_all::Stop;
pub use stop_contacts::{StopOrder, StopScope, StoppedSome};
pub use tokens::{NewToken, TokenRow};
pub use transitions::names as transaction_names;
pub use webhooks::{MessageRow, NewMessage, SentMessage, WebhookRow};
