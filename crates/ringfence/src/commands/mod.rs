//! The commands, a file each: what may be typed, and what it does.

pub mod apply;
pub mod backup;
pub mod campaigns;
pub mod check;
pub mod completions;
pub mod contacts;
pub mod demo;
pub mod dnc;
mod dry_run;
pub mod export;
pub mod hours;
pub mod import;
pub mod init;
pub mod lanes;
pub mod migrate;
pub mod pause;
pub mod presets;
pub mod preview;
pub mod quarantine;
pub mod review;
pub mod run;
pub mod sandbox;
pub mod serve;
pub mod status;
pub mod stop;
pub mod test_call;
pub mod why;
