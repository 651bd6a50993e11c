//! The transitions of a dialer's rows, each one transaction, on SQLite and on Postgres alike.
//!
//! [`Store`] is the whole list. Both databases run the same transition from the same file; only the text of a
//! statement differs where their dialects do, and then both texts stand side by side. Rules are not decided here:
//! a transition reads what the rule needs, asks `ringfence-domain`, and writes what follows.
//!
//! Locks are always taken in one order, so that transactions wait for each other but never in a circle: the fence,
//! lane and campaign, imports, attempts, contacts, the run, buckets, counts; rows of one table by ascending id. Planning
//! skips contacts that anyone else holds.
//!
//! Adding a transition: a file or function here that takes a `Session`, one method in [`Store`], one case in the
//! conformance suite (`tests/tests/it/conformance`).

mod acquaintances;
mod adopt;
mod backup;
mod brakes;
mod campaigns;
mod canaries;
mod claim;
mod clock;
mod contacts;
mod counts;
mod database;
mod database_file;
mod dnc;
mod effects;
mod error;
mod fence;
mod health;
mod import_chunk;
mod import_release;
mod imports;
mod lanes;
mod leftover_log;
mod lifeline;
mod live_calls;
mod making;
mod numbers;
mod open;
#[cfg(test)]
mod plans;
mod portions;
mod postgres;
mod quarantine;
mod questions;
mod receipts;
mod receipts_file;
mod record;
mod reports;
mod review;
mod runs;
mod said;
mod schedules;
mod session;
mod set_back;
mod settle;
mod slots;
mod sqlite;
mod stopping;
mod store;
mod summary;
mod sweep;
mod tenure;
mod throttled;
mod transaction;
mod trouble;
mod turns;
mod uncap;
mod watch;
mod witness;
mod witness_file;
mod zone_data;

pub use adopt::{AdoptOrder, Adopted, VendorCall};
pub use backup::Backup;
pub use brakes::{Stop, StoppedBy};
pub use campaigns::{Applied, Begin, CampaignRow, Resumed};
pub use canaries::Canary;
pub use claim::{Burst, BurstCall, ClaimOrder, Claimed, Refused, Withheld};
pub use clock::DatabaseClock;
pub use database::{Database, DatabaseKind, Location};
pub use database_file::DatabaseFile;
pub use dnc::{DncList, DncListId, DncRow};
pub use effects::LaneEffect;
pub use error::StoreError;
pub use health::Outage;
pub use import_chunk::{ImportChunk, NewContact, RowVerdict};
pub use import_release::CompleteOrder;
pub use imports::{ImportCounts, ImportOrder, ImportRow, ImportStart, Reject};
pub use lanes::{LaneRow, Owner, TakeOver};
pub use lifeline::{KnownAs, Lifeline};
pub use live_calls::LiveCall;
pub use open::{Closed, EligibleBucket, LaneLoad, Opened, Pick, Plan};
pub use quarantine::{LaneInquiry, Lifted, QuarantineRow};
pub use questions::{AttemptRow, ContactFilter, ContactRow};
pub use receipts::{Receipts, TakenBack, WrittenDown};
pub use record::{Recorded, Sent, SentResult};
pub use reports::{NewReport, Reported, UnreadReport};
pub use review::{ReviewRow, Verdict};
pub use runs::{Failing, RunRow};
pub use schedules::ScheduleRow;
pub use settle::{Settled, Settlement};
pub use slots::InHand;
pub use stopping::{StopOrder, StoppedSome, Whom};
pub use store::Store;
pub use summary::{BucketNumbers, Numbers};
pub use sweep::{SweepOrder, Swept};
pub use tenure::{Before, Tenure};
pub use trouble::{Trouble, TroubleKind};
pub use witness::Guarded;
