//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A self-hosted, durable bulk campaign dialer.
///
/// Phones every contact of a CSV through your calling provider: once, only inside the calling window, never faster than
/// allowed, again after busy and no answer. It may be killed at any moment and started again: nobody is called twice and
/// nobody is lost.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, propagate_version = true)]
#[command(
    after_help = "Start here:\n  ringfence demo                      a campaign is dialled before your eyes, nothing set up\n  ringfence check campaign.toml       every mistake with its line\n  ringfence run campaign.toml         dials it\n\nExit codes: 0 done, 1 wrong input, 2 could not be done, 3 done but calls are in review, 4 held on purpose."
)]
pub struct Cli {
    /// What holds for all commands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for all commands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The configuration file [default: ringfence.toml nearest above the campaign file, else above the working
    /// directory, else /etc/ringfence/ringfence.toml]
    #[arg(long, global = true, env = "RINGFENCE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database: sqlite://FILE or postgres://USER@HOST/NAME [default: the configuration file's]
    #[arg(long, global = true, env = "RINGFENCE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,
    /// Refuse to make a database that is not there
    #[arg(long, global = true)]
    pub no_create: bool,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Dial a sample campaign on a simulated provider, nothing set up
    #[command(after_help = "Example:\n  ringfence demo --contacts 100")]
    Demo(DemoArgs),
    /// Apply a campaign, import its contacts, dial, print the summary
    #[command(
        after_help = "Examples:\n  ringfence run campaigns/survey.toml --until idle\n  ringfence run campaigns/survey.toml --dry-run\n\nRun twice, it never dials a finished contact again."
    )]
    Run(RunArgs),
    /// Find every mistake in the configuration and in campaign files; touches nothing
    #[command(after_help = "Example:\n  ringfence check campaigns/survey.toml")]
    Check(CheckArgs),
    /// Show the summary of a campaign
    #[command(after_help = "Examples:\n  ringfence status survey\n  ringfence status --all --json")]
    Status(StatusArgs),
    /// Explain one contact: what happened, may it be dialled now, and if not, why not and until when
    #[command(after_help = "Example:\n  ringfence why +919876543210 --campaign survey")]
    Why(WhyArgs),
    /// Evaluate calling hours without any campaign
    #[command(
        after_help = "Example:\n  ringfence hours \"Mo-Sa 09:00-21:00\" --timezone Asia/Kolkata --at 2026-11-20T15:29:00Z"
    )]
    Hours(HoursArgs),
    /// List the lanes and what holds or slows them
    #[command(after_help = "Examples:\n  ringfence lanes\n  ringfence lanes --check\n  ringfence lanes resume main")]
    Lanes(LanesArgs),
    /// Print one line a contact, safe to open in a spreadsheet
    #[command(after_help = "Example:\n  ringfence export survey --only unreached > unreached.csv")]
    Export(ExportArgs),
    /// Run a simulated Twenty2 over HTTP
    #[command(
        after_help = "Example:\n  ringfence sandbox --listen 127.0.0.1:9922 --tape tape.jsonl --faults lost_answer=2%\n\nNational numbers 7000000xyz end by their last two digits: 10 answered, 11 voicemail, 12 busy, 13 no answer,\n14 rejected, 15 unreachable, 16 failed; 50 answer lost, 51 request lost, 52 error after placing, 53 error before,\n54 no call id, 55 HTML, 56 slow, 57 throttled, 58 unauthorized, 59 unknown agent, 60 no balance, 61 invalid number."
    )]
    Sandbox(SandboxArgs),
    /// Bring the database's schema up to date and list its migrations
    #[command(after_help = "Example:\n  ringfence migrate --database sqlite://ringfence.db")]
    Migrate,
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many contacts
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub contacts: u32,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// When to leave
    #[arg(long, value_enum, default_value_t = Until::Today)]
    pub until: Until,
    /// Leave after this time at the latest: 30m, 6h
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<ringfence_domain::Span>,
    /// The contact file, instead of the campaign's own; - for standard input
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// Write rejected rows here, with their reasons
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Check everything and read every row, but change nothing and dial nobody
    #[arg(long)]
    pub dry_run: bool,
}

/// When `run` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// When nobody may be dialled any more before midnight
    Today,
    /// When nobody may be dialled now
    Idle,
    /// When every contact is finished
    Done,
}

/// `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Campaign files; without any, only the configuration is checked
    pub files: Vec<PathBuf>,
}

/// `status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The campaign
    #[arg(required_unless_present = "all")]
    pub campaign: Option<String>,
    /// All campaigns
    #[arg(long, conflicts_with = "campaign")]
    pub all: bool,
}

/// `why`
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The number, with + and country code
    pub phone: String,
    /// The campaign [default: every campaign that has the number]
    #[arg(long)]
    pub campaign: Option<String>,
}

/// `hours`
#[derive(Debug, Args)]
pub struct HoursArgs {
    /// The hours, as in OpenStreetMap: "Mo-Sa 09:00-21:00; Su off"
    pub expression: String,
    /// Whose clocks: an IANA name
    #[arg(long, value_name = "TZ")]
    pub timezone: String,
    /// At this moment [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub at: Option<ringfence_domain::Moment>,
    /// Also list every change up to this moment
    #[arg(long, value_name = "RFC3339")]
    pub until: Option<ringfence_domain::Moment>,
}

/// `lanes`
#[derive(Debug, Args)]
pub struct LanesArgs {
    /// Try the credentials of every lane, without calling anyone
    #[arg(long)]
    pub check: bool,
    /// What to do with one lane
    #[command(subcommand)]
    pub action: Option<LaneAction>,
}

/// What to do with a lane.
#[derive(Debug, Subcommand)]
pub enum LaneAction {
    /// Stop new calls on a lane
    Pause {
        /// The lane
        lane: String,
        /// Why, for everyone who asks later
        #[arg(long, default_value = "paused by hand")]
        reason: String,
    },
    /// Let a lane dial again
    Resume {
        /// The lane
        lane: String,
    },
}

/// `export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The campaign
    pub campaign: String,
    /// The form
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
    /// Only these contacts
    #[arg(long, value_enum)]
    pub only: Option<ExportOnly>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Json,
}

/// Which contacts are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportOnly {
    /// Those reached as the campaign defines it
    Reached,
    /// Those not reached, or not yet
    Unreached,
    /// Those whose call is of unknown fate
    Review,
}

/// `sandbox`
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9922", value_name = "ADDR")]
    pub listen: std::net::SocketAddr,
    /// Append every request to this file before it is answered
    #[arg(long, value_name = "FILE")]
    pub tape: Option<PathBuf>,
    /// How calls end, by weight: answered=60,no_answer=40
    #[arg(long, value_name = "WEIGHTS")]
    pub outcomes: Option<String>,
    /// What goes wrong, in percent: lost_answer=2%,error_before=1%
    #[arg(long, value_name = "SHARES")]
    pub faults: Option<String>,
    /// How long answered calls last on the average
    #[arg(long, default_value = "2s", value_name = "TIME")]
    pub talk: ringfence_domain::Span,
    /// How long calls ring
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub ring: ringfence_domain::Span,
    /// How long each answer takes
    #[arg(long, default_value = "5ms", value_name = "TIME")]
    pub latency: ringfence_domain::Span,
    /// Other seeds end other calls otherwise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
