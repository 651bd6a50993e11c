//! Bars that show how a run, or the reading of a file, goes on.

use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringfence_domain::Moment;
use ringfence_domain::summary::Summary;

/// Everything that is drawn over and over; logs are written around it.
pub static PROGRESS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// The progress of a run: a bar on a terminal, a line every ten seconds elsewhere.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    last_line: Option<Moment>,
}

impl Progress {
    /// Begins.
    pub fn begin(total: i64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None, last_line: None };
        }
        PROGRESS.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let bar = PROGRESS.add(ProgressBar::new(total.unsigned_abs()));
        let style = ProgressStyle::with_template("{spinner:.cyan} {bar:30.cyan/blue} {pos}/{len} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸─"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar: Some(bar), last_line: None }
    }

    /// Shows how the run stands.
    pub fn show(&mut self, summary: &Summary) {
        let contacts = &summary.contacts;
        let outcomes = |name: &str| summary.outcomes.get(name).copied().unwrap_or_default();
        let text = format!(
            "{} in flight · {} answered · {} no answer · {} busy{}{}",
            summary.attempts.in_flight,
            outcomes("answered"),
            outcomes("no_answer"),
            outcomes("busy"),
            if summary.waiting_for.retry > 0 {
                format!(" · {} to retry", summary.waiting_for.retry)
            } else {
                String::new()
            },
            if contacts.review > 0 { format!(" · {} in review", contacts.review) } else { String::new() },
        );
        if let Some(bar) = &self.bar {
            bar.set_length(contacts.total.unsigned_abs());
            bar.set_position((contacts.done + contacts.stopped).unsigned_abs());
            bar.set_message(text);
            return;
        }
        let now = summary.as_of;
        if self.last_line.is_none_or(|last| now.since(last).secs() >= 10) {
            self.last_line = Some(now);
            tracing::info!(
                campaign = summary.campaign,
                finished = contacts.done + contacts.stopped,
                total = contacts.total,
                "{}: {} of {} finished · {text}",
                summary.campaign,
                contacts.done + contacts.stopped,
                contacts.total
            );
        }
    }

    /// Clears the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The progress of reading a large file: a bar on a terminal, nothing elsewhere.
#[derive(Debug)]
pub struct FileProgress(ProgressBar);

impl FileProgress {
    /// Begins a file of so many bytes.
    pub fn begin(bytes: u64) -> Self {
        PROGRESS.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{bar:30.cyan/blue} {bytes}/{total_bytes} {wide_msg} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(PROGRESS.add(ProgressBar::new(bytes)).with_style(style.progress_chars("━╸─")))
    }

    /// So many bytes are read, and so many rows.
    pub fn at(&self, bytes: u64, rows: u64) {
        self.0.set_position(bytes);
        self.0.set_message(format!("{rows} rows"));
    }

    /// Clears the bar away.
    pub fn end(self) {
        self.0.finish_and_clear();
    }
}
