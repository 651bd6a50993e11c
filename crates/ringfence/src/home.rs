//! Which configuration and which database a command works on.
//!
//! `--config`, `RINGFENCE_CONFIG`, else `ringfence.toml` nearest above the campaign file, then above the working directory,
//! then `/etc/ringfence/`. Paths in a file are relative to that file, the database's too, so that another working
//! directory, as cron's, never opens an empty database and dials everyone again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::{Campaign, Clock, Moment};
use ringfence_intake::{Config, campaign};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{HttpTransport, Provider, Vendor};
use ringfence_store::{Database, Location};

use crate::cli::Common;
use crate::failure::Failure;

const NAME: &str = "ringfence.toml";
const SYSTEM: &str = "/etc/ringfence/ringfence.toml";

/// Every kind of provider that configuration files may name.
pub fn vendors() -> Vec<&'static Vendor> {
    VENDORS.iter().copied().chain([&ringfence_sandbox::VENDOR]).collect()
}

/// The configuration file for a command about `campaign`, if there is one.
pub fn find_config(common: &Common, campaign: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = &common.config {
        return if path.is_file() {
            Ok(Some(path.clone()))
        } else {
            Err(Failure::input(format!("there is no {}", path.display()), "name a configuration file with --config"))
        };
    }
    let above = |start: &Path| {
        let start = std::path::absolute(start).ok()?;
        start.ancestors().skip(1).map(|folder| folder.join(NAME)).find(|path| path.is_file())
    };
    let beside_campaign = campaign.and_then(above);
    let working = std::env::current_dir().ok().and_then(|folder| above(&folder.join("x")));
    let system = Some(PathBuf::from(SYSTEM)).filter(|path| path.is_file());
    Ok(beside_campaign.or(working).or(system))
}

/// Reads the configuration; an empty one when there is no file.
pub fn read_config(common: &Common, campaign: Option<&Path>) -> Result<Config, Failure> {
    match find_config(common, campaign)? {
        Some(path) => Ok(Config::read(&path, &vendors(), &|name| std::env::var(name).ok())?),
        None => Ok(Config { path: PathBuf::from(NAME), database: None, lanes: BTreeMap::new() }),
    }
}

/// Like [`read_config`], for commands that need a campaign's lane.
pub fn read_campaign(common: &Common, path: &Path) -> Result<(Config, Campaign), Failure> {
    if !path.is_file() {
        return Err(Failure::input(
            format!("there is no file {}", path.display()),
            "name a campaign file: campaigns/my.toml",
        ));
    }
    if find_config(common, Some(path))?.is_none() {
        return Err(Failure::input(
            format!("no {NAME} was found above {} or the working directory", path.display()),
            "write one beside your campaigns (deploy/ringfence.toml shows how), or name it with --config",
        ));
    }
    let config = read_config(common, Some(path))?;
    let campaign = campaign::read(path, &config, wall_clock())?;
    Ok((config, campaign))
}

/// The time before any database is open: enough to look for mistakes by.
pub fn wall_clock() -> Moment {
    ringfence_sandbox::MachineClock.read().now
}

/// Where the database is: `--database`, else the configuration's, relative to its file.
pub fn locate(common: &Common, config: &Config) -> Result<Location, Failure> {
    let working = std::env::current_dir()?;
    if let Some(url) = &common.database {
        return Ok(Location::parse(url, &working)?);
    }
    let Some(url) = &config.database else {
        return Err(Failure::input(
            "no database is named",
            "add [database] url = \"sqlite://ringfence.db\" to ringfence.toml, or use --database",
        ));
    };
    let folder = std::path::absolute(&config.path)?.parent().map(Path::to_owned).unwrap_or(working);
    Ok(Location::parse(url, &folder)?)
}

/// Opens the database; makes a missing file unless told not to.
pub async fn open(common: &Common, config: &Config) -> Result<Arc<Database>, Failure> {
    let location = locate(common, config)?;
    if let Location::Sqlite(path) = &location
        && !path.exists()
        && !common.no_create
    {
        eprint_line(&format!("making a new database: {}", path.display()));
    }
    Ok(Arc::new(Database::open(&location, !common.no_create).await?))
}

/// Opens a database that must be there already.
pub async fn open_existing(common: &Common) -> Result<Arc<Database>, Failure> {
    let config = read_config(common, None)?;
    let location = locate(common, &config)?;
    Ok(Arc::new(Database::open(&location, false).await?))
}

/// The provider of a lane.
pub fn provider(lane: &ringfence_intake::ConfigLane) -> Result<Arc<dyn Provider>, Failure> {
    let transport = HttpTransport::new(lane.ca_file.as_deref()).map_err(Failure::work)?;
    (lane.vendor.build)(lane.setup.clone(), transport)
        .map_err(|message| Failure::input(format!("lane {}: {message}", lane.setup.settings.name), "mend its section"))
}

/// One line on stderr that is not a log.
pub fn eprint_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
