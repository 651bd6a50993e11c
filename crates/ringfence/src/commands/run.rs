//! `ringfence run`

use std::path::PathBuf;

use ringfence_domain::Span;
use ringfence_domain::summary::Summary;
use ringfence_operations::run::{self, Ended, Ran, RunOrder, Watch};
use ringfence_store::KnownAs;
use tokio::signal::unix::{SignalKind, signal};

use crate::common::Common;
use crate::failure::{DONE, Failure, HELD, REVIEW};
use crate::leaving;
use crate::progress::Progress;
use crate::screen;
use crate::stderr::eprint_line;
use crate::summary_table;

/// `run`
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// When to leave
    #[arg(long, value_enum, default_value_t = Until::Today)]
    pub until: Until,
    /// Leave after this time at the latest: 30m, 6h
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<Span>,
    /// The contact file, instead of the campaign's own; - for standard input
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// Write the rows that were not taken in here, with their line and reason
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Begin a fresh run over everyone, unless this key, such as today's date, began one before
    #[arg(long, value_name = "KEY")]
    pub fresh: Option<String>,
    /// Check everything and read every row, but change nothing and dial nobody
    #[arg(long)]
    pub dry_run: bool,
}

/// When `run` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Until {
    /// When nobody may be dialled any more before midnight
    Today,
    /// When nobody may be dialled now
    Idle,
    /// When every contact is finished
    Done,
}

impl From<Until> for run::Until {
    fn from(until: Until) -> Self {
        match until {
            Until::Today => Self::Today,
            Until::Idle => Self::Idle,
            Until::Done => Self::Done,
        }
    }
}

/// Applies, imports, dials, and prints the summary.
pub async fn run(common: &Common, args: &RunArgs) -> Result<u8, Failure> {
    if args.dry_run {
        return super::dry_run::dry_run(common, args);
    }
    let order = RunOrder {
        campaign: args.campaign.clone(),
        contacts: args.contacts.clone(),
        rejects: args.rejects.clone(),
        fresh: args.fresh.clone(),
        until: args.until.into(),
        max_time: args.max_time,
    };
    let leave = signalled()?;
    tokio::pin!(leave);
    let ran = run::run(&common.place(), &order, &mut Bar::default(), leave).await?;
    let Some(summary) = &ran.summary else { return Ok(exit_code(&ran)) };
    if let Some(other) = &ran.leader {
        eprint_line(&left_to(other, &summary.campaign, ran.zone));
    }
    report(common, summary, ran.zone)?;
    Ok(exit_code(&ran))
}

/// The progress of a run on the terminal.
#[derive(Debug, Default)]
pub(super) struct Bar(Option<Progress>);

impl Watch for Bar {
    fn show(&mut self, summary: &Summary) {
        self.0.get_or_insert_with(|| Progress::begin(summary.contacts.total)).show(summary);
    }

    fn end(&mut self) {
        if let Some(progress) = self.0.take() {
            progress.end();
        }
    }
}

/// What is said when another process already runs the campaign.
fn left_to(process: &str, campaign: &str, zone: ringfence_domain::Zone) -> String {
    let process = match KnownAs::of(process) {
        Some(KnownAs { host, process, since }) => {
            format!("process {process} on {host}, which began at {}", since.shown(zone))
        }
        None => format!("the process {process}"),
    };
    format!(
        "{campaign} is already run by {process}. This command leaves the calls to it; \
         `ringfence status {campaign} --watch` shows how it goes on"
    )
}

/// Hears signals that ask to leave, from now on. The exit code of the first, once it comes.
pub(super) fn signalled() -> std::io::Result<impl Future<Output = std::io::Result<u8>> + Send> {
    leaving::in_time()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        Ok(tokio::select! {
            _ = terminate.recv() => 143,
            _ = interrupt.recv() => 130,
        })
    })
}

fn report(common: &Common, summary: &Summary, zone: ringfence_domain::Zone) -> Result<(), Failure> {
    let text = if common.json { screen::json(summary)? } else { summary_table::summary(summary, zone) };
    screen::print_last(&text)
}

fn exit_code(ran: &Ran) -> u8 {
    let summary = ran.summary.as_ref();
    match ran.ended {
        Ended::Signal(code) => code,
        Ended::Held => HELD,
        _ if ran.is_quarantined => HELD,
        Ended::LeftToAnother => DONE,
        _ if summary.is_some_and(|summary| summary.held_by.is_some() && summary.contacts.waiting > 0) => HELD,
        // Slots may be held by calls of another campaign.
        _ if summary.is_some_and(|summary| summary.contacts.review > 0 || summary.slots_are_stuck) => REVIEW,
        Ended::AsAsked | Ended::TimeUp => DONE,
    }
}
