//! Which configuration and which database an operation works on.
//!
//! `--config`, `RINGFENCE_CONFIG`, else `ringfence.toml` nearest above the campaign file, then
//! above the working directory, then `/etc/ringfence/`. Paths in a file are relative to that file,
//! the database's too, so that another working directory, as cron's, never opens an empty database
//! and dials everyone again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::{Campaign, Clock, Moment, ReportAddress};
use ringfence_engine::receipts;
use ringfence_intake::contact_files::NoFile;
use ringfence_intake::{Config, ConfigLane, Mistakes, campaign};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{HttpTransport, Provider, Vendor};
use ringfence_store::{CampaignRow, Database, Guarded, Location, Outage, StoreError};

use crate::error::Error;
use crate::importing::look_at;
use crate::input_file::InputFile;
use crate::notices::Notices;
use crate::zones;

const NAME: &str = "ringfence.toml";
const SYSTEM: &str = "/etc/ringfence/ringfence.toml";

/// Where to look for the configuration and the database, and who is told what is seen there.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The configuration file. Without one it is looked for.
    pub config: Option<PathBuf>,
    /// The database's address, instead of the configuration's.
    pub database: Option<String>,
    /// Whether a database that is not there is refused instead of made.
    pub no_create: bool,
    /// Who is told cautions.
    pub notices: Notices,
}

/// Every kind of provider that configuration files may name.
pub fn vendors() -> Vec<&'static Vendor> {
    VENDORS.iter().copied().chain([&ringfence_sandbox::VENDOR]).collect()
}

/// The configuration file for a command about `campaign`, if there is one. From now on this process
/// uses the zone data that it names.
pub fn find_config(place: &Place, campaign: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    let found = look_for_config(place, campaign)?;
    if let Some(path) = &found {
        zones::prepare(path);
    }
    Ok(found)
}

fn look_for_config(place: &Place, campaign: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    if let Some(path) = &place.config {
        return if path.is_file() {
            Ok(Some(path.clone()))
        } else {
            Err(Error::input(format!("there is no {}", path.display()), "name a configuration file with --config"))
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
pub fn read_config(place: &Place, campaign: Option<&Path>) -> Result<Config, Error> {
    match find_config(place, campaign)? {
        Some(path) => {
            let config = Config::load(&path, &vendors(), &|name| std::env::var(name).ok())?;
            for caution in zones::cautions() {
                place.notices.tell(&format!("{}: caution: {caution}", path.display()));
            }
            Ok(config)
        }
        None => Ok(Config::none(PathBuf::from(NAME))),
    }
}

/// Like [`read_config`], for commands that need a campaign's lane.
pub fn read_campaign(place: &Place, path: &Path) -> Result<(Config, Campaign), Error> {
    if !path.is_file() {
        return Err(Error::input(
            format!("there is no file {}", path.display()),
            "name a campaign file: campaigns/my.toml",
        ));
    }
    if find_config(place, Some(path))?.is_none() {
        return Err(Error::input(
            format!("no {NAME} was found above {} or the working directory", path.display()),
            "`ringfence init` writes one from a contact file; or name it with --config",
        ));
    }
    let config = read_config(place, Some(path))?;
    let campaign = campaign::load(path, &config, wall_clock())?;
    let vendor = lane(&config, &campaign)?.setup.settings.vendor_hours();
    for caution in crate::cautions::about(&campaign, vendor.as_ref(), wall_clock()) {
        place.notices.tell(&format!("{}: caution: {caution}", path.display()));
    }
    Ok((config, campaign))
}

/// Whether the campaign's contact file, if it is there, can be read to its end and has every column
/// that the campaign asks for.
pub fn check_contacts(config: &Config, rules: &Campaign) -> Result<(), Error> {
    let Some(lane) = config.lanes.get(&rules.provider) else { return Ok(()) };
    match InputFile::named_by(rules, lane.setup.settings.timezone, wall_clock()) {
        Ok(Some(path)) if path.exists() => Ok(look_at(&path, rules, &|| true)?.or_swallowed(&path)?),
        // It may come later.
        Ok(_) | Err(NoFile::NoMatch { .. }) => Ok(()),
        Err(error) => Err(Error::input(error.to_string(), "mend contacts.file")),
    }
}

/// The time before any database is open: enough to look for mistakes by.
pub fn wall_clock() -> Moment {
    ringfence_sandbox::MachineClock.read().now
}

/// Where the database is: `--database`, else the configuration's, relative to its file.
pub fn locate(place: &Place, config: &Config) -> Result<Location, Error> {
    let working = std::env::current_dir()?;
    if let Some(url) = &place.database {
        return Ok(Location::parse(url, &working)?);
    }
    let Some(url) = &config.database else {
        return Err(Error::input(
            "no database is named",
            "add [database] url = \"sqlite://ringfence.db\" to ringfence.toml, or use --database",
        ));
    };
    let folder = std::path::absolute(&config.path)?.parent().map(Path::to_owned).unwrap_or(working);
    Ok(Location::parse(url, &folder)?)
}

/// Opens the configuration's database as it is, or makes it.
pub async fn open_at(place: &Place, config: &Config, create: bool) -> Result<Arc<Database>, StoreError> {
    match locate(place, config) {
        Ok(location) => {
            let store = Arc::new(receipts::keep_beside(&config.path, Database::open(&location, create).await?));
            guard(place, config, &store).await?;
            Ok(store)
        }
        Err(failure) => Err(StoreError::Address(failure.to_string())),
    }
}

/// Opens the database; makes a missing file unless told not to.
pub async fn open(place: &Place, config: &Config) -> Result<Arc<Database>, Error> {
    let location = locate(place, config)?;
    if let Location::Sqlite(path) = &location
        && !path.exists()
        && !place.no_create
    {
        place.notices.tell(&format!("making a new database: {}", path.display()));
    }
    let store = Database::open(&location, !place.no_create).await?;
    let store = Arc::new(receipts::keep_beside(&config.path, store));
    if let Guarded::Meant(was) = guard(place, config, &store).await? {
        place.notices.tell(&format!("caution: {} has dialled with another database, {was}", config.path.display()));
    }
    Ok(store)
}

/// Compares the database with its witnesses: one that may have forgotten calls dials nobody.
async fn guard(place: &Place, config: &Config, store: &Database) -> Result<Guarded, StoreError> {
    // An environment that names another database than before is no word about this very one.
    let by_environment = std::env::var("RINGFENCE_DATABASE_URL").ok();
    let meant = place.database.is_some() && place.database != by_environment;
    let guarded = store.guard(folder_of(config).as_deref(), meant).await?;
    if let Some(Outage { trouble, .. }) = store.outage() {
        place.notices.tell(&format!("caution: {trouble}; {}", trouble.hint()));
    }
    Ok(guarded)
}

/// The folder of the configuration file, if there is one.
pub fn folder_of(config: &Config) -> Option<PathBuf> {
    let path = config.path.is_file().then(|| std::path::absolute(&config.path).ok()).flatten()?;
    path.parent().map(Path::to_owned)
}

/// The configuration for those who only need its database, as far as it can be read, and what is
/// wrong with it. A stop switch must not fail for a credential that is not set in an operator's
/// shell.
pub fn for_database(place: &Place) -> Result<(Config, Option<Mistakes>), Error> {
    let (config, mistakes) = match find_config(place, None)? {
        Some(path) => Config::look(&path, &vendors(), &|name| std::env::var(name).ok()),
        None => (Some(Config::none(PathBuf::from(NAME))), None),
    };
    Ok(match (config, mistakes) {
        (Some(config), mistakes) if config.database.is_some() || place.database.is_some() => (config, mistakes),
        (_, Some(mistakes)) => return Err(mistakes.into()),
        (config, None) => (config.unwrap_or_else(|| Config::none(PathBuf::from(NAME))), None),
    })
}

/// A configuration, its database, and the clock that everyone on it shares.
#[derive(Debug)]
pub struct Workspace {
    /// The configuration, as far as it can be read; an empty one when there is no file.
    pub config: Config,
    /// What is wrong with it. Only who needs a lane's section must mind: a stop switch works all
    /// the same.
    mistakes: Option<Mistakes>,
    /// The database.
    pub store: Arc<Database>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Who is told cautions.
    pub notices: Notices,
}

impl Workspace {
    /// Opens the workspace for what is in its database, which must be there.
    pub async fn enter(place: impl Into<Place>) -> Result<Self, Error> {
        let place = &place.into();
        let (config, mistakes) = for_database(place)?;
        let store = Database::open(&locate(place, &config)?, false).await?;
        let store = Arc::new(receipts::keep_beside(&config.path, store));
        guard(place, &config, &store).await?;
        let clock = store.clock().await?;
        receipts::take_back(&store, &*clock).await.iter().for_each(|line| place.notices.tell(line));
        Ok(Self { config, mistakes, store, clock, notices: place.notices.clone() })
    }

    /// The same for what may come first of all: a missing database is made.
    pub async fn enter_or_make(place: impl Into<Place>) -> Result<Self, Error> {
        let place = &place.into();
        let (config, mistakes) = for_database(place)?;
        let store = open(place, &config).await?;
        let clock = store.clock().await?;
        Ok(Self { config, mistakes, store, clock, notices: place.notices.clone() })
    }

    /// The configuration, when nothing in it is wrong.
    pub fn whole_config(&mut self) -> Result<&Config, Error> {
        match self.mistakes.take() {
            Some(mistakes) => Err(mistakes.into()),
            None => Ok(&self.config),
        }
    }

    /// The time that decisions are made by.
    pub fn now(&self) -> Moment {
        self.clock.read().now
    }

    /// Tells which campaigns cannot be read: nobody of them is dialled.
    pub async fn say_unreadable(&self) -> Result<(), Error> {
        for (name, error) in self.store.unreadable_campaigns().await? {
            self.notices
                .tell(&format!("{name}: nobody of it is dialled: {error}; `ringfence apply` of its file mends it"));
        }
        Ok(())
    }

    /// The campaign of this name, or a failure that says which there are.
    pub async fn campaign(&self, name: &str) -> Result<CampaignRow, Error> {
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
        Err(Error::input(format!("there is no campaign `{name}`"), hint))
    }

    /// The lane that a campaign dials through, as the configuration has it, and its provider.
    pub fn lane_of(&mut self, campaign: &Campaign) -> Result<(&ConfigLane, Arc<dyn Provider>), Error> {
        let lane = lane(self.whole_config()?, campaign)?;
        Ok((lane, provider(lane)?))
    }
}

/// The lane that a campaign dials through, as the configuration has it.
pub fn lane<'c>(config: &'c Config, campaign: &Campaign) -> Result<&'c ConfigLane, Error> {
    config.lanes.get(&campaign.provider).ok_or_else(|| {
        let path = config.path.display();
        Error::input(
            format!("{path} has no [provider.{}], which {} dials through", campaign.provider, campaign.name),
            "name the configuration that has it with --config",
        )
    })
}

/// Whether a campaign is one of the operator's: test calls have campaigns of their own, which no
/// list shows.
pub fn is_listed(name: &str) -> bool {
    !name.contains(':')
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
pub fn provider(lane: &ringfence_intake::ConfigLane) -> Result<Arc<dyn Provider>, Error> {
    let transport = HttpTransport::new(lane.ca_file.as_deref()).map_err(Error::work)?;
    (lane.vendor.build)(lane.setup.clone(), transport)
        .map_err(|message| Error::input(format!("lane {}: {message}", lane.setup.settings.name), "mend its section"))
}
