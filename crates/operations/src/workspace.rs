//! Which configuration and which database an operation works on.
//!
//! Paths in a configuration are relative to its file, the database's too, so that another working
//! directory, as cron's, never opens an empty database and dials everyone again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::phone::Country;
use ringfence_domain::{Campaign, Clock, Moment, PhoneNumber, ReportAddress};
use ringfence_engine::OpenProvider;
use ringfence_engine::receipts;
use ringfence_intake::{Config, ConfigLane, Mistakes};
use ringfence_providers::{HttpTransport, Provider};
use ringfence_store::{Actor, CampaignRow, Database, Guarded, Location, Outage, StoreError};

pub use crate::configuration::{
    Needs, Place, check_contacts, find_config, for_database, lane, read_campaign, read_config, vendors, wall_clock,
};
use crate::error::{Error, ErrorKind};
use crate::notices::Notices;

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
            let store = Database::open(&location, create).await?.changed_by(by_command());
            let store = Arc::new(receipts::keep_beside(&config.path, store));
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
    let store = Database::open(&location, !place.no_create).await?.changed_by(by_command());
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
    say_readable(place, config);
    Ok(guarded)
}

/// Warns of a database file that other users of the machine can read. New files are their user's
/// alone.
fn say_readable(place: &Place, config: &Config) {
    use std::os::unix::fs::PermissionsExt;
    if let Ok(Location::Sqlite(path)) = locate(place, config)
        && let Ok(file) = std::fs::metadata(&path)
        && file.permissions().mode() & 0o077 != 0
    {
        let path = path.display();
        place
            .notices
            .tell(&format!("caution: other users can read {path}, people's numbers are in it: chmod 600 {path}"));
    }
}

/// User and machine, for the record of what they change.
pub fn person() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = user.unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw()));
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{machine}")
}

/// The person who gives a command on this machine.
pub fn by_command() -> Actor {
    Actor::person(person(), "command line")
}

/// The folder of the configuration file, if there is one.
pub fn folder_of(config: &Config) -> Option<PathBuf> {
    let path = config.path.is_file().then(|| std::path::absolute(&config.path).ok()).flatten()?;
    path.parent().map(Path::to_owned)
}

/// A configuration, its database, and the clock that everyone on it shares.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The configuration, as far as it can be read; an empty one when there is no file.
    pub config: Arc<Config>,
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
        let store = Database::open(&locate(place, &config)?, false).await?.changed_by(by_command());
        let store = Arc::new(receipts::keep_beside(&config.path, store));
        guard(place, &config, &store).await?;
        let clock = store.clock().await?;
        receipts::take_back(&store, &*clock).await.iter().for_each(|line| place.notices.tell(line));
        Ok(Self { config: Arc::new(config), mistakes, store, clock, notices: place.notices.clone() })
    }

    /// The workspace of a process that has it all, for one request.
    pub fn of(config: Arc<Config>, store: Arc<Database>, clock: Arc<dyn Clock>, notices: Notices) -> Self {
        Self { config, mistakes: None, store, clock, notices }
    }

    /// The same for who only looks: a database that cannot be written to is shown all the same.
    pub async fn look(place: impl Into<Place>) -> Result<Self, Error> {
        let place = &place.into();
        let error = match Self::enter(place.clone()).await {
            Err(error) if error.kind == ErrorKind::Work => error,
            entered => return entered,
        };
        let (config, mistakes) = for_database(place)?;
        let Ok(store) = Database::open_to_read(&locate(place, &config)?).await else { return Err(error) };
        place.notices.tell(&format!("caution: this can only be read: {error}"));
        let (store, notices) = (Arc::new(store), place.notices.clone());
        let clock = store.clock().await?;
        Ok(Self { config: Arc::new(config), mistakes, store, clock, notices })
    }

    /// The same for what may come first of all: a missing database is made.
    pub async fn enter_or_make(place: impl Into<Place>) -> Result<Self, Error> {
        let place = &place.into();
        let (config, mistakes) = for_database(place)?;
        let store = open(place, &config).await?;
        let clock = store.clock().await?;
        Ok(Self { config: Arc::new(config), mistakes, store, clock, notices: place.notices.clone() })
    }

    /// The configuration, when nothing in it is wrong.
    pub fn whole_config(&mut self) -> Result<&Config, Error> {
        match self.mistakes.take() {
            Some(mistakes) => Err(mistakes.into()),
            None => Ok(&self.config),
        }
    }

    /// Reads the configuration once more, with the secrets of its lanes.
    pub fn with_secrets(&self) -> Result<Config, Error> {
        if self.config.path.is_file() {
            return Ok(Config::load(&self.config.path, &vendors(), &|name| std::env::var(name).ok())?);
        }
        Ok((*self.config).clone())
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
        Err(Error::missing(format!("there is no campaign `{name}`"), hint))
    }

    /// Reads a number that a person typed: with its country code, or as the campaigns here read
    /// numbers, when all of them read them alike.
    pub async fn number(&self, text: &str) -> Result<PhoneNumber, Error> {
        let campaigns = self.store.campaigns().await?;
        let mut countries: Vec<Country> =
            campaigns.iter().filter_map(|campaign| campaign.rules.contacts.country).collect();
        countries.dedup();
        let country = match countries.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        PhoneNumber::parse(text, country).map_err(|error| {
            Error::input(format!("`{text}`: {error}"), "write it with + and country code: +919876543210")
        })
    }

    /// The lane that a campaign dials through, as the configuration has it, and its provider, which
    /// cannot call anybody: it has no secrets.
    pub fn lane_of(&mut self, campaign: &Campaign) -> Result<(&ConfigLane, Arc<dyn Provider>), Error> {
        let lane = lane(self.whole_config()?, campaign)?;
        Ok((lane, provider(lane)?))
    }
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

/// How a process makes the provider of a lane anew, with the secrets that its files hold by then.
pub fn opener(lane: &ConfigLane) -> OpenProvider {
    let lane = lane.clone();
    OpenProvider(Arc::new(move || {
        let present = lane.with_present_secrets()?;
        provider(&present).map_err(|error| error.to_string())
    }))
}
