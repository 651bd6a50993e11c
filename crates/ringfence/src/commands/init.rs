//! `ringfence init`

use std::path::PathBuf;

use ringfence_domain::phone::Country;
use ringfence_operations::init::{self, InitRequest, Written};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `init`
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The kind of provider: twenty2, unleashx, iqra, knovvu, or sandbox to try without calling
    /// anyone
    #[arg(long)]
    pub kind: String,
    /// The contact file whose header the campaign is written for
    #[arg(long, value_name = "FILE")]
    pub contacts: PathBuf,
    /// The campaign's name [default: the contact file's]
    #[arg(long)]
    pub name: Option<String>,
    /// The column of the phone number [default: found by name and values]
    #[arg(long, value_name = "COLUMN")]
    pub phone: Option<String>,
    /// How to read numbers without a country code [default: told from the numbers]
    #[arg(long)]
    pub country: Option<Country>,
}

/// Writes a configuration and a campaign from a contact file's header. Neither is overwritten;
/// the schemas beside them are those of this version of the program.
pub fn init(common: &Common, args: &InitArgs) -> Result<u8, Failure> {
    let request = InitRequest {
        kind: &args.kind,
        contacts: &args.contacts,
        name: args.name.as_deref(),
        phone: args.phone.as_deref(),
        country: args.country,
    };
    let written = init::init(&common.place(), &request)?;
    if common.json {
        screen::print_json(&written)?;
    } else {
        screen::print(&text(&written))?;
    }
    Ok(DONE)
}

fn text(written: &Written) -> String {
    let place = written.config.display();
    let mut text = if written.config_written {
        format!("wrote {place}\n")
    } else {
        format!("{place} was there already and stays as it is\n")
    };
    let campaign = written.campaign.display();
    text.push_str(&format!("wrote {campaign} (numbers from column `{}`)\n", written.phone));
    for note in &written.notes {
        text.push_str(&format!("  {note}\n"));
    }
    text.push_str(&format!("wrote {} (editors complete and check both files by it)\n", written.schemas.display()));
    text.push_str("\nnext:\n");
    for secret in &written.environment {
        text.push_str(&format!("  export {secret}=…\n"));
    }
    for (command, does) in [
        (format!("check {campaign}"), "what is still missing"),
        (format!("preview {campaign}"), "the request of the first row"),
        (format!("test-call {campaign} PHONE"), "your own phone rings"),
        (format!("run {campaign}"), "everyone's"),
    ] {
        text.push_str(&format!("  ringfence {command:<32} # {does}\n"));
    }
    text
}
