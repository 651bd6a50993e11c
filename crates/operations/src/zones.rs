//! Which time zone data this process uses, and what keeps the operator's folder from being used.

use std::path::Path;
use std::sync::OnceLock;

use ringfence_domain::zone_data::ZoneData;
use ringfence_intake::{config, zone_folder};

/// What is wrong with the folder, once the configuration was found.
static TROUBLE: OnceLock<Option<String>> = OnceLock::new();

pub use ringfence_domain::zone_data::MEND;

/// Zones that are named in a caution, at most.
const NAMED: usize = 5;

/// Takes the zone data of `[zones] folder` into use, if it is newer than what is built in. For the
/// first configuration that a process finds, and before anything else of it is read.
pub fn prepare(config: &Path) {
    TROUBLE.get_or_init(|| {
        let folder = config::zones_folder(config)?;
        match zone_folder::load(&folder) {
            Ok(data) => data.take_into_use().err().map(|error| error.to_string()),
            Err(error) => error.is_trouble().then(|| format!("{error}; used is {}", ZoneData::in_use())),
        }
    });
}

/// What an operator should look after, a sentence each.
pub fn cautions() -> Vec<String> {
    let data = ZoneData::in_use();
    let unread = data.unreadable();
    let folder = data.folder().unwrap_or_default();
    let closed = (!unread.is_empty()).then(|| {
        let more = if unread.len() > NAMED { " and others" } else { "" };
        format!(
            "{} zone files of {folder} are missing or cannot be read, and nobody there is called: {}{more}",
            unread.len(),
            unread[..unread.len().min(NAMED)].join(", ")
        )
    });
    TROUBLE.get().cloned().flatten().into_iter().chain(closed).collect()
}
