//! A process that dials: the loops of each lane wired together, the scheduler of campaigns with a
//! cron line, and the things that stop a process.
//!
//! The engine knows no configuration file, no contact file and no terminal. It prints nothing: it
//! logs, and returns what a person must be told.

pub mod cron_scheduler;
pub mod database_loss;
mod handing_over;
mod lane;
pub mod outage;
pub mod presence;
pub mod receipts;
mod shutdown;
pub mod stop_file;
pub mod stop_switches;

pub use cron_scheduler::{BeginCampaign, CronScheduler, NotBegun};
pub use database_loss::DatabaseLoss;
pub use lane::{LaneEngine, OpenProvider, Ownership};
pub use shutdown::Shutdown;
pub use stop_file::StopFile;
