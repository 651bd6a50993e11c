//! Where a database is.

use std::path::{Path, PathBuf};

use super::postgres::hide_password;
use crate::StoreError;

/// Which database is used, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server's address, with its password.
    Postgres(String),
}

impl Location {
    /// Reads `sqlite://file`, relative to `base`, or `postgres://…`.
    pub fn parse(url: &str, base: &Path) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            if path.is_empty() || path.contains('?') {
                return Err(StoreError::Address(url.to_owned()));
            }
            return Ok(Self::Sqlite(base.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(StoreError::Address(hide_password(url)))
    }
}

/// The address without its password.
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => f.write_str(&hide_password(url)),
        }
    }
}
