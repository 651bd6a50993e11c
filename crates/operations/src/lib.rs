//! Everything that a person or a program can ask for, one function each.
//!
//! The command line calls these functions, and so does whatever comes next. Their results are the
//! one source of every JSON document. An operation prints nothing, asks nobody, and knows neither
//! exit codes nor status codes: it returns a result or an [`Error`], and tells its [`Notices`] what
//! the person who asked should know besides.

pub mod amount;
pub mod attempts;
pub mod attention;
pub mod backup;
pub mod by_hand;
pub mod campaigns;
pub mod cautions;
pub mod changes;
pub mod charts;
pub mod check;
pub mod configuration;
pub mod contacts;
pub mod credentials;
mod differences;
pub mod dnc;
pub mod erasure;
pub mod error;
pub mod events;
pub mod export;
pub mod hours;
pub mod importing;
pub mod imports;
pub mod init;
pub mod input_file;
pub mod lanes;
pub mod lateness;
pub mod ledger;
pub mod list_check;
pub mod logins;
pub mod new_campaign;
pub mod notices;
pub mod outbox;
pub mod presets;
pub mod preview;
pub mod quarantine;
pub mod rejects;
pub mod review;
pub mod run;
pub mod runs;
pub mod scheduling;
pub mod schema;
pub mod search;
pub mod spreadsheet;
pub mod standby;
pub mod status;
pub mod stop;
pub mod summary;
pub mod test_call;
pub mod tokens;
pub mod uploads;
pub mod verify;
pub mod watch;
pub mod webhooks;
pub mod why;
pub mod windows;
pub mod workspace;
pub mod zones;

pub use differences::Difference;
pub use error::{Error, ErrorKind};
pub use input_file::InputFile;
pub use notices::Notices;
pub use workspace::{Place, Workspace};
