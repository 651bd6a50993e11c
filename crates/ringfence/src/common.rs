//! What holds for all commands.

use std::path::PathBuf;

use clap::Args;
use ringfence_operations::{Notices, Place};

/// What holds for all commands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The configuration file [default: ringfence.toml nearest above the campaign file, else above
    /// the working directory, else /etc/ringfence/ringfence.toml]
    #[arg(long, global = true, env = "RINGFENCE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database: sqlite://FILE or postgres://USER@HOST/NAME [default: the configuration file's]
    #[arg(long, global = true, env = "RINGFENCE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,
    /// Refuse to make a database that is not there
    #[arg(long, global = true)]
    pub no_create: bool,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Common {
    /// Returns where operations look for configuration and database. Their notices go to stderr.
    pub fn place(&self) -> Place {
        Place {
            config: self.config.clone(),
            database: self.database.clone(),
            no_create: self.no_create,
            notices: notices(),
        }
    }
}

impl From<&Common> for Place {
    fn from(common: &Common) -> Self {
        common.place()
    }
}

/// Returns what shows the sentences of an operation on stderr.
pub fn notices() -> Notices {
    Notices::to(crate::stderr::eprint_line)
}
