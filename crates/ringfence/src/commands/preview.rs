//! `ringfence preview`

use std::path::PathBuf;

use ringfence_operations::preview::{self, PreviewedRequest};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `preview`
#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// Of this row of the contact file, counted from 1 without the header
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub row: i64,
    /// The contact file, instead of the campaign's own; - for standard input
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
}

/// Prints the requests that would be sent for one row, one for each number of the person. Nothing
/// is sent.
pub fn preview(common: &Common, args: &PreviewArgs) -> Result<u8, Failure> {
    let requests = preview::preview(&common.place(), &args.campaign, args.contacts.as_deref(), args.row)?;
    if common.json {
        screen::print_json(&requests)?;
    } else {
        for request in &requests {
            screen::print(&text(request))?;
        }
    }
    Ok(DONE)
}

fn text(request: &PreviewedRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&format!("\n{}\n\n", request.body_text));
    text
}
