//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::apply::{ApplyArgs, PlanArgs};
use crate::commands::backup::BackupArgs;
use crate::commands::check::CheckArgs;
use crate::commands::completions::{CompletionsArgs, ManArgs};
use crate::commands::contacts::ContactsArgs;
use crate::commands::demo::DemoArgs;
use crate::commands::dnc::DncArgs;
use crate::commands::erase::EraseArgs;
use crate::commands::events::EventsArgs;
use crate::commands::export::ExportArgs;
use crate::commands::hours::HoursArgs;
use crate::commands::import::{ImportArgs, ImportsArgs, RejectsArgs};
use crate::commands::init::InitArgs;
use crate::commands::lanes::LanesArgs;
use crate::commands::login::LoginArgs;
use crate::commands::pause::{CancelArgs, PauseArgs, ResumeArgs};
use crate::commands::preview::PreviewArgs;
use crate::commands::quarantine::QuarantineArgs;
use crate::commands::review::ReviewArgs;
use crate::commands::run::RunArgs;
use crate::commands::runs::RunsArgs;
use crate::commands::sandbox::SandboxArgs;
use crate::commands::serve::ServeArgs;
use crate::commands::status::StatusArgs;
use crate::commands::stop::StopArgs;
use crate::commands::test_call::TestCallArgs;
use crate::commands::token::TokenArgs;
use crate::commands::verify::VerifyArgs;
use crate::commands::webhooks::WebhooksArgs;
use crate::commands::why::WhyArgs;

pub use crate::common::Common;

/// A self-hosted, durable bulk campaign dialer.
///
/// Phones every contact of a CSV through your calling provider: once, only inside the calling
/// window, never faster than allowed, again after busy and no answer. It may be killed at any
/// moment and started again: nobody is called twice and nobody is lost.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, propagate_version = true)]
#[command(
    after_help = "Start here:\n  ringfence demo                                      a campaign is dialled before your eyes, nothing set up\n  ringfence init --kind twenty2 --contacts list.csv   writes ringfence.toml and a campaign for your list\n  ringfence check list.toml                           every mistake with its line\n  ringfence run list.toml                             dials it\n  ringfence stop                                      no new call begins, whatever runs\n\nExit codes: 0 done, 1 wrong input, 2 could not be done, 3 done but calls are in review, 4 held on purpose."
)]
pub struct Cli {
    /// What holds for all commands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Dial a sample campaign on a simulated provider, nothing set up
    #[command(after_help = "Example:\n  ringfence demo --contacts 20")]
    Demo(DemoArgs),
    /// Write ringfence.toml and a campaign from a contact file's header; overwrites neither
    #[command(after_help = "Example:\n  ringfence init --kind sandbox --contacts contacts.csv --name first-try")]
    Init(InitArgs),
    /// Find every mistake in the configuration and in campaign files; touches nothing
    #[command(after_help = "Examples:\n  ringfence check survey.toml\n  ringfence check survey.toml --show-defaults")]
    Check(CheckArgs),
    /// Print the exact requests that would be sent for a row, secrets masked; sends nothing
    #[command(after_help = "Example:\n  ringfence preview survey.toml --row 2")]
    Preview(PreviewArgs),
    /// Make one real call, outside the campaign's counts, and print its outcome and what was
    /// collected
    #[command(after_help = "Example:\n  ringfence test-call survey.toml +919820012399")]
    TestCall(TestCallArgs),
    /// Apply a campaign, import its contacts, dial, print the summary
    #[command(
        after_help = "Examples:\n  ringfence run survey.toml --dry-run\n  ringfence run survey.toml --until idle\n  ringfence run survey.toml --fresh 2026-11-21 --until idle\n\nRun twice, it never dials a finished contact again. While it runs it owns its lane, and dials the other campaigns\nthat were started on it, too: `pause` those that are to wait."
    )]
    Run(RunArgs),
    /// Dial every lane of ringfence.toml, begin campaigns on schedule and serve HTTP, until told to stop
    #[command(
        after_help = "Examples:\n  ringfence serve --config ringfence.toml\n  ringfence serve --listen 127.0.0.1:8080"
    )]
    Serve(ServeArgs),
    /// Stop every new call on this database within a second, whatever runs, across restarts
    #[command(
        after_help = "Example:\n  ringfence stop --reason \"wrong list\"\n\nA file STOP beside ringfence.toml does the same without a database."
    )]
    Stop(StopArgs),
    /// Let this database dial again after a stop
    #[command(after_help = "Example:\n  ringfence start")]
    Start,
    /// Show the summary of a campaign
    #[command(
        after_help = "Examples:\n  ringfence status survey\n  ringfence status survey --watch\n  ringfence status --all --json"
    )]
    Status(StatusArgs),
    /// Explain one contact: what happened, may it be dialled now, and if not, why not and until
    /// when
    #[command(after_help = "Example:\n  ringfence why +919820012310 --campaign survey")]
    Why(WhyArgs),
    /// Print one line a contact, or a call, safe to open in a spreadsheet
    #[command(
        after_help = "Examples:\n  ringfence export survey --only unreached\n  ringfence export survey --attempts --format json\n  ringfence export survey --refresh"
    )]
    Export(ExportArgs),
    /// Show what applying a campaign file would change, for how many contacts; changes nothing
    #[command(after_help = "Example:\n  ringfence plan survey.toml")]
    Plan(PlanArgs),
    /// Store a campaign's rules; the running system goes by them from the very next call
    #[command(
        after_help = "Examples:\n  ringfence apply survey.toml --yes\n  ringfence apply survey.toml --draft --yes"
    )]
    Apply(ApplyArgs),
    /// List the campaigns and when they begin by themselves
    #[command(after_help = "Example:\n  ringfence campaigns")]
    Campaigns,
    /// Stop new calls of a campaign
    #[command(after_help = "Example:\n  ringfence pause survey --reason \"the agent says the wrong name\"")]
    Pause(PauseArgs),
    /// Let a campaign dial again after a pause; with --accept also after a safety rail
    #[command(after_help = "Examples:\n  ringfence resume survey\n  ringfence resume survey --accept")]
    Resume(ResumeArgs),
    /// End a campaign for good: nobody waits in it any more
    #[command(after_help = "Example:\n  ringfence cancel survey --yes")]
    Cancel(CancelArgs),
    /// Take a contact file into a campaign; nothing of it is dialled before all of it is in
    #[command(
        after_help = "Examples:\n  ringfence import survey contacts.csv --rejects rejects.csv\n  ringfence import --undo 1"
    )]
    Import(ImportArgs),
    /// List the imports and what became of their rows
    #[command(after_help = "Example:\n  ringfence imports survey")]
    Imports(ImportsArgs),
    /// Print the rows of an import that were not taken in, with line and reason, to be mended and
    /// imported again
    #[command(after_help = "Example:\n  ringfence rejects survey")]
    Rejects(RejectsArgs),
    /// List contacts of a campaign
    #[command(after_help = "Example:\n  ringfence contacts survey --state waiting --limit 20")]
    Contacts(ContactsArgs),
    /// The do-not-call list, effective for the very next call
    #[command(
        after_help = "Examples:\n  ringfence dnc add +919820012345 --reason \"asked by mail\"\n  ringfence dnc import dnc.csv --country IN\n  ringfence dnc list"
    )]
    Dnc(DncArgs),
    /// Calls whose fate is unknown: list them, say what became of them
    #[command(after_help = "Examples:\n  ringfence review\n  ringfence review settle all not-placed --campaign survey")]
    Review(ReviewArgs),
    /// Show why this database dials nobody after a restore, a copy or a move, and let it dial again
    #[command(
        after_help = "Examples:\n  ringfence quarantine\n  ringfence quarantine lift --strangers --reason \"restored the backup of Monday\"\n\nA database that was restored, rewound, copied, moved, or is new to this configuration may have forgotten calls. Until the\nquarantine is lifted nobody is dialled, and `run` exits with 4. Providers that keep a list of calls are asked for what is missing."
    )]
    Quarantine(QuarantineArgs),
    /// Erase the people and calls of runs that are over and old; their counts stay
    #[command(
        after_help = "Examples:\n  ringfence erase --older-than 180d --dry-run\n  ringfence erase --older-than 180d --yes\n\nA run is over when a fresh one began, its campaign was cancelled, or its last day passed. One with somebody in review is\nkept until a person settles that. `serve` erases by itself, each hour, when ringfence.toml has [retention] people = \"180d\".\nThe do-not-call list is kept, and so are calls that a limit per number still remembers."
    )]
    Erase(EraseArgs),
    /// Go through every call again: nobody twice, nobody lost, in the window, within the limits
    #[command(
        after_help = "Examples:\n  ringfence verify\n  ringfence verify --tape tape.jsonl --json\n\nIt changes nothing. Exit codes: 0 all of it held; 2 some of it did not; 3 it held, and calls of unknown fate or contacts in review are left.\nA tape is the provider's own list of calls, one JSON document a line with `at` and `callee`: `ringfence sandbox --tape FILE` writes one.\nCalls from before the last `apply` of their campaign are not held against its present window and limits."
    )]
    Verify(VerifyArgs),
    /// List the runs of a campaign with their figures
    #[command(after_help = "Example:\n  ringfence runs survey")]
    Runs(RunsArgs),
    /// Print every change of state, with who made it and why, the oldest first
    #[command(after_help = "Examples:\n  ringfence events --since 12h\n  ringfence events --lane main")]
    Events(EventsArgs),
    /// Print an address that logs a browser in to the dashboard, once, within ten minutes
    #[command(after_help = "Examples:\n  ringfence login\n  ringfence login --scope viewer")]
    Login(LoginArgs),
    /// Make, list and revoke tokens for requests over HTTP
    #[command(
        after_help = "Examples:\n  ringfence token create --scope operator --name crm --expires 90d\n  ringfence token list"
    )]
    Token(TokenArgs),
    /// List who is told what happens, and send messages once more
    #[command(after_help = "Example:\n  ringfence webhooks")]
    Webhooks(WebhooksArgs),
    /// Write a consistent copy of a SQLite database while it is in use
    #[command(
        after_help = "Example:\n  ringfence backup monday.db\n\nTo restore: stop every process, put the copy in place of the database, delete the database's -wal and -shm files, then\n`ringfence quarantine lift`."
    )]
    Backup(BackupArgs),
    /// List the lanes and what holds or slows them
    #[command(after_help = "Examples:\n  ringfence lanes\n  ringfence lanes --check\n  ringfence lanes resume main")]
    Lanes(LanesArgs),
    /// Evaluate calling hours without any campaign
    #[command(
        after_help = "Example:\n  ringfence hours \"Mo-Sa 09:00-21:00\" --timezone Asia/Kolkata --at 2026-11-20T15:29:00Z"
    )]
    Hours(HoursArgs),
    /// Print the presets of calling rules, each with its source
    #[command(after_help = "Example:\n  ringfence presets")]
    Presets,
    /// Run all four providers, simulated, over HTTP; numbers 7000000xyz behave by their last two
    /// digits, whatever the options say
    #[command(
        after_help = "Example:\n  ringfence sandbox --listen 127.0.0.1:9922 --tape tape.jsonl --faults lost_answer=2%\n\nNational numbers 7000000xyz end by their last two digits: 10 answered, 11 voicemail, 12 busy, 13 no answer,\n14 rejected, 15 unreachable, 16 failed, 17 asks to be called back, 18 opts out, 19 says no (with Twenty2); 50 answer lost, 51 request lost, 52 error after placing, 53 error before,\n54 no call id, 55 HTML, 56 slow, 57 throttled, 58 unauthorized, 59 unknown agent, 60 no balance, 61 invalid number, 62 answer cut off, 63 answer too large; with the phone ringing all the same:\n64 HTTP 404, 65 a redirect, 66 `success: false` that no page documents."
    )]
    Sandbox(SandboxArgs),
    /// Bring the database's schema up to date and list its migrations
    #[command(after_help = "Example:\n  ringfence migrate")]
    Migrate,
    /// Print the script that completes commands and options in a shell
    #[command(after_help = "Example:\n  ringfence completions bash")]
    Completions(CompletionsArgs),
    /// Print or write manual pages
    #[command(after_help = "Example:\n  ringfence man --out man")]
    Man(ManArgs),
}
