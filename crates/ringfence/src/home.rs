//! Which configuration and which database a command works on.
//!
//! `--config`, `RINGFENCE_CONFIG`, else `ringfence.toml` nearest above the campaign file, then above the working directory,
//! then `/etc/ringfence/`. Paths in a file are relative to that file, the database's too, so that another working
//! directory, as cron's, never opens an empty database and dials everyone again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::brake::Brakes;
use ringfence_domain::{Brake, Campaign, Clock, Moment, ReportAddress};
use ringfence_intake::contact_files::NoFile;
use ringfence_intake::{Config, ConfigLane, Mistakes, campaign};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{HttpTransport, Provider, Vendor};
use ringfence_store::{CampaignRow, Database, Guarded, Location, Outage, StoreError};

use crate::cli::Common;
use crate::failure::Failure;
use crate::importing::{InputFile, look_at};
use crate::outage;
use crate::stop_file::StopFile;
use crate::zones;

const NAME: &str = "ringfence.toml";
const SYSTEM: &str = "/etc/ringfence/ringfence.toml";

/// Every kind of provider that configuration files may name.
pub fn vendors() -> Vec<&'static Vendor> {
    VENDORS.iter().copied().chain([&ringfence_sandbox::VENDOR]).collect()
}

/// The configuration file for a command about `campaign`, if there is one. From now on this process uses the zone data that it names.
pub fn find_config(common: &Common, campaign: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let found = look_for_config(common, campaign)?;
    if let Some(path) = &found {
        zones::prepare(path);
    }
    Ok(found)
}

fn look_for_config(common: &Common, campaign: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
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
        Some(path) => {
            let config = Config::read(&path, &vendors(), &|name| std::env::var(name).ok())?;
            for caution in zones::cautions() {
                eprint_line(&format!("{}: caution: {caution}", path.display()));
            }
            Ok(config)
        }
        None => Ok(Config::none(PathBuf::from(NAME))),
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
            "`ringfence init` writes one from a contact file; or name it with --config",
        ));
    }
    let config = read_config(common, Some(path))?;
    let campaign = campaign::read(path, &config, wall_clock())?;
    let vendor = lane(&config, &campaign)?.setup.settings.vendor_hours();
    for caution in crate::cautions::of(&campaign, vendor.as_ref(), wall_clock()) {
        eprint_line(&format!("{}: caution: {caution}", path.display()));
    }
    Ok((config, campaign))
}

/// Whether the campaign's contact file, if it is there, can be read to its end and has every column that the campaign asks for.
pub fn check_contacts(config: &Config, rules: &Campaign) -> Result<(), Failure> {
    let Some(lane) = config.lanes.get(&rules.provider) else { return Ok(()) };
    match InputFile::named_by(rules, lane.setup.settings.timezone, wall_clock()) {
        Ok(Some(path)) if path.exists() => Ok(look_at(&path, rules, &|| true)?.or_swallowed(&path)?),
        // It may come later.
        Ok(_) | Err(NoFile::NoMatch { .. }) => Ok(()),
        Err(error) => Err(Failure::input(error.to_string(), "mend contacts.file")),
    }
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

/// Opens the configuration's database as it is, or makes it.
pub async fn open_at(common: &Common, config: &Config, create: bool) -> Result<Arc<Database>, StoreError> {
    match locate(common, config) {
        Ok(location) => {
            let store = Arc::new(outage::keeping_receipts(Database::open(&location, create).await?, config));
            guard(common, config, &store).await?;
            Ok(store)
        }
        Err(failure) => Err(StoreError::Address(failure.to_string())),
    }
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
    let store = Database::open(&location, !common.no_create).await?;
    let store = Arc::new(outage::keeping_receipts(store, config));
    if let Guarded::Meant(was) = guard(common, config, &store).await? {
        eprint_line(&format!("caution: {} has dialled with another database, {was}", config.path.display()));
    }
    Ok(store)
}

/// Compares the database with its witnesses: one that may have forgotten calls dials nobody.
async fn guard(common: &Common, config: &Config, store: &Database) -> Result<Guarded, StoreError> {
    // An environment that names another database than before is no word about this very one.
    let by_environment = std::env::var("RINGFENCE_DATABASE_URL").ok();
    let meant = common.database.is_some() && common.database != by_environment;
    let guarded = store.guard(folder_of(config).as_deref(), meant).await?;
    if let Some(Outage { trouble, .. }) = store.outage() {
        eprint_line(&format!("caution: {trouble}; {}", trouble.hint()));
    }
    Ok(guarded)
}

/// The folder of the configuration file, if there is one.
pub fn folder_of(config: &Config) -> Option<PathBuf> {
    let path = config.path.is_file().then(|| std::path::absolute(&config.path).ok()).flatten()?;
    path.parent().map(Path::to_owned)
}

/// The configuration for those who only need its database, as far as it can be read, and what is wrong with it. A brake must not
/// fail for a credential that is not set in an operator's shell.
pub fn for_database(common: &Common) -> Result<(Config, Option<Mistakes>), Failure> {
    let (config, mistakes) = match find_config(common, None)? {
        Some(path) => Config::look(&path, &vendors(), &|name| std::env::var(name).ok()),
        None => (Some(Config::none(PathBuf::from(NAME))), None),
    };
    Ok(match (config, mistakes) {
        (Some(config), mistakes) if config.database.is_some() || common.database.is_some() => (config, mistakes),
        (_, Some(mistakes)) => return Err(mistakes.into()),
        (config, None) => (config.unwrap_or_else(|| Config::none(PathBuf::from(NAME))), None),
    })
}

/// A configuration, its database that must be there already, and the clock that everyone on it shares.
#[derive(Debug)]
pub struct Home {
    /// The configuration, as far as it can be read; an empty one when there is no file.
    pub config: Config,
    /// What is wrong with it. Only who needs a lane's section must mind: a brake works all the same.
    mistakes: Option<Mistakes>,
    /// The database.
    pub store: Arc<Database>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
}

impl Home {
    /// For commands about what is in the database.
    pub async fn enter(common: &Common) -> Result<Self, Failure> {
        let (config, mistakes) = for_database(common)?;
        let store = Database::open(&locate(common, &config)?, false).await?;
        let store = Arc::new(outage::keeping_receipts(store, &config));
        guard(common, &config, &store).await?;
        let clock = store.clock().await?;
        outage::take_back(&store, &*clock).await;
        Ok(Self { config, mistakes, store, clock })
    }

    /// The same for what may come first of all: a missing database is made.
    pub async fn enter_or_make(common: &Common) -> Result<Self, Failure> {
        let (config, mistakes) = for_database(common)?;
        let store = open(common, &config).await?;
        let clock = store.clock().await?;
        Ok(Self { config, mistakes, store, clock })
    }

    /// The configuration, when nothing in it is wrong.
    pub fn whole_config(&mut self) -> Result<&Config, Failure> {
        match self.mistakes.take() {
            Some(mistakes) => Err(mistakes.into()),
            None => Ok(&self.config),
        }
    }

    /// The time that decisions are made by.
    pub fn now(&self) -> Moment {
        self.clock.read().now
    }

    /// Says on stderr which campaigns cannot be read: nobody of them is dialled.
    pub async fn say_unreadable(&self) -> Result<(), Failure> {
        for (name, error) in self.store.unreadable_campaigns().await? {
            eprint_line(&format!("{name}: nobody of it is dialled: {error}; `ringfence apply` of its file mends it"));
        }
        Ok(())
    }

    /// The campaign of this name, or a failure that says which there are.
    pub async fn campaign(&self, name: &str) -> Result<CampaignRow, Failure> {
        if let Some(campaign) = self.store.campaign(name.to_owned()).await? {
            return Ok(campaign);
        }
        let names: Vec<String> =
            self.store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_listed(name)).collect();
        let hint = if names.is_empty() {
            "this database has none yet; `ringfence run campaign.toml` brings one".to_owned()
        } else {
            format!("known: {}", names.join(", "))
        };
        Err(Failure::input(format!("there is no campaign `{name}`"), hint))
    }

    /// The lane that a campaign dials through, as the configuration has it, and its provider.
    pub fn lane_of(&mut self, campaign: &Campaign) -> Result<(&ConfigLane, Arc<dyn Provider>), Failure> {
        let lane = lane(self.whole_config()?, campaign)?;
        Ok((lane, provider(lane)?))
    }
}

/// The lane that a campaign dials through, as the configuration has it.
pub fn lane<'c>(config: &'c Config, campaign: &Campaign) -> Result<&'c ConfigLane, Failure> {
    config.lanes.get(&campaign.provider).ok_or_else(|| {
        let path = config.path.display();
        Failure::input(
            format!("{path} has no [provider.{}], which {} dials through", campaign.provider, campaign.name),
            "name the configuration that has it with --config",
        )
    })
}

/// Whether a campaign is one of the operator's: test calls have campaigns of their own, which no list shows.
pub fn is_listed(name: &str) -> bool {
    !name.contains(':')
}

/// The file `STOP` beside the configuration.
pub fn brake(config: &Config) -> Arc<dyn Brake> {
    Arc::new(StopFile::beside(&config.path))
}

/// Everything beside the rows that forbids new calls, for who dials: the file `STOP`, and a database file that is gone.
pub fn brakes(config: &Config, store: &Database) -> Arc<dyn Brake> {
    let file = store.file().map(|file| Arc::new(file) as Arc<dyn Brake>);
    Arc::new(Brakes(std::iter::once(brake(config)).chain(file).collect()))
}

/// The file of the database was deleted, moved or replaced under this process.
pub fn gone(why: &str) -> Failure {
    Failure::Work {
        message: format!("{why}; nobody was dialled since"),
        hint: Some("put it back where it was, then start again; a copy needs `ringfence quarantine lift`".to_owned()),
    }
}

/// Where the vendors of this configuration's lanes report to, when they can reach us.
pub fn report_address(config: &Config, store: &Database) -> Option<ReportAddress> {
    let public_url = config.http.public_url.clone()?;
    Some(ReportAddress { public_url, key: store.report_key().clone() })
}

/// The same for calls of one lane, if its vendor takes an address for each.
pub fn reports_of(lane: &ConfigLane, config: &Config, store: &Database) -> Option<ReportAddress> {
    report_address(config, store).filter(|_| lane.vendor.can.reports)
}

/// The provider of a lane.
pub fn provider(lane: &ringfence_intake::ConfigLane) -> Result<Arc<dyn Provider>, Failure> {
    let transport = HttpTransport::new(lane.ca_file.as_deref()).map_err(Failure::work)?;
    (lane.vendor.build)(lane.setup.clone(), transport)
        .map_err(|message| Failure::input(format!("lane {}: {message}", lane.setup.settings.name), "mend its section"))
}

/// One line on stderr that is not a log.
pub fn eprint_line(line: &str) {
    crate::stderr::say(format!("{line}\n"));
}
