//! `ringfence verify`

use std::path::PathBuf;

use ringfence_operations::verify::{self, Verified};

use crate::common::Common;
use crate::failure::{BROKEN, DONE, Failure, REVIEW};
use crate::home::Home;
use crate::screen;

/// `verify`
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The provider's own list of calls, as `ringfence sandbox --tape FILE` writes it
    #[arg(long, value_name = "FILE")]
    pub tape: Option<PathBuf>,
}

/// Tells whether what was promised held, in all runs.
pub async fn verify(common: &Common, args: &VerifyArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let found = verify::verify(&home, args.tape.as_deref()).await;
    home.store.close().await;
    let found = found?;
    if common.json {
        screen::print_json(&found)?;
    } else {
        screen::print(&told(&found))?;
    }
    Ok(match found.holds() {
        false => BROKEN,
        true if found.unknown > 0 || found.review > 0 => REVIEW,
        true => DONE,
    })
}

fn told(found: &Verified) -> String {
    let mut table = screen::table(&[]);
    let mut line = |name: &str, n: String, note: &str| {
        table.add_row([name.to_owned(), n, note.to_owned()]);
    };
    line("contacts", found.contacts.to_string(), "in all runs");
    line("calls", found.calls.to_string(), "made, or perhaps made");
    if let Some(taped) = found.taped {
        line("on the tape", taped.to_string(), "calls that the provider took");
    }
    line("ok", found.ok.to_string(), "calls with nothing wrong");
    line("duplicated", found.duplicated.to_string(), "called twice, or by nobody's order");
    line("lost", found.lost.to_string(), "contacts or calls that nobody would come to again");
    line("out of window", found.out_of_window.to_string(), "called while the window was closed");
    line("over limit", found.over_limit.to_string(), "above a limit of lane, campaign or number");
    line("unknown", found.unknown.to_string(), "calls whose fate nobody knows yet");
    line("review", found.review.to_string(), "contacts that wait for a person's word");
    if found.before_rules > 0 {
        line("not judged", found.before_rules.to_string(), "window and limits of calls from before the present rules");
    }
    let mut text = format!("{table}\n");
    for finding in &found.findings {
        text.push_str(&format!("{}: {}\n", kind(finding), finding.what));
    }
    text
}

fn kind(finding: &verify::Finding) -> &'static str {
    match finding.kind {
        verify::Broken::Duplicated => "duplicated",
        verify::Broken::Lost => "lost",
        verify::Broken::OutOfWindow => "out of window",
        verify::Broken::OverLimit => "over limit",
    }
}
