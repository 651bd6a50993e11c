//! `ringfence check`

use serde_json::json;

use crate::cli::{CheckArgs, Common};
use crate::failure::{DONE, Failure};
use crate::{home, screen};
use ringfence_intake::{Config, Mistakes, campaign};

/// Every mistake of the configuration and of all files, in one go.
pub(super) fn check(common: &Common, args: &CheckArgs) -> Result<u8, Failure> {
    let first = args.files.first().map(std::path::PathBuf::as_path);
    let Some(path) = home::find_config(common, first)? else {
        return Err(Failure::input(
            "no ringfence.toml was found",
            "write one beside your campaigns (deploy/ringfence.toml shows how), or name it with --config",
        ));
    };
    let mut wrong: Vec<Mistakes> = Vec::new();
    let environment = |name: &str| std::env::var(name).ok();
    let config = match Config::read(&path, &home::vendors(), &environment) {
        Ok(config) => Some(config),
        Err(mistakes) => {
            wrong.push(mistakes);
            None
        }
    };
    let mut fine = Vec::new();
    for file in &args.files {
        // A campaign is checked against its lane, so the configuration comes first.
        let Some(config) = &config else { break };
        match campaign::read(file, config, home::wall_clock()) {
            Ok(campaign) => fine.push((file, campaign)),
            Err(mistakes) => wrong.push(mistakes),
        }
    }
    if common.json {
        let mistakes: Vec<String> = wrong.iter().flat_map(Mistakes::lines).collect();
        screen::print_json(&json!({ "ok": mistakes.is_empty(), "config": path, "mistakes": mistakes }))?;
        return Ok(u8::from(!wrong.is_empty()));
    }
    if !wrong.is_empty() {
        return Err(Failure::Files(wrong));
    }
    screen::print(&format!("{}: fine\n", path.display()))?;
    for (file, campaign) in fine {
        screen::print(&format!("{}: fine ({} through lane {})\n", file.display(), campaign.name, campaign.provider))?;
    }
    Ok(DONE)
}
