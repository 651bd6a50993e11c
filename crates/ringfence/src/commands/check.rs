//! `ringfence check`

use ringfence_domain::zone_data::ZoneData;
use ringfence_intake::keys;
use ringfence_operations::check;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `check`
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Campaign files; without any, only the configuration is checked
    pub files: Vec<std::path::PathBuf>,
    /// Print each campaign with every default filled in
    #[arg(long)]
    pub show_defaults: bool,
}

/// Every mistake of the configuration and of all files, in one go.
pub fn check(common: &Common, args: &CheckArgs) -> Result<u8, Failure> {
    let found = check::check(&common.place(), &args.files, args.show_defaults)?;
    if common.json {
        screen::print_json(&found)?;
        return Ok(u8::from(!found.ok));
    }
    for caution in &found.cautions {
        crate::stderr::eprint_line(caution);
    }
    if !found.ok {
        return Err(Failure::files(found.mistakes));
    }
    if args.show_defaults {
        for (file, campaign) in &found.fine {
            let text = toml::to_string(&keys::form(campaign)).map_err(|error| Failure::work(error.to_string()))?;
            screen::print(&format!("# {} with every default\n{text}\n", file.display()))?;
        }
        return Ok(DONE);
    }
    screen::print(&format!("{}: fine\nzone data: {}\n", found.config.display(), ZoneData::in_use()))?;
    for (file, campaign) in found.fine {
        screen::print(&format!("{}: fine ({} through lane {})\n", file.display(), campaign.name, campaign.provider))?;
    }
    Ok(DONE)
}
