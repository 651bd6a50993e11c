//! What differs between two campaigns, key by key.

use std::collections::BTreeMap;

use ringfence_domain::Campaign;
use ringfence_intake::keys::form;
use toml::{Table, Value};

/// One key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The key, as in `calling.hours`.
    pub key: String,
    /// What it says now, if anything.
    pub from: Option<String>,
    /// What it would say.
    pub to: Option<String>,
}

/// What differs between two campaigns, by key.
pub(crate) fn differences(from: &Campaign, to: &Campaign) -> Vec<Difference> {
    let (from, to) = (said(from), said(to));
    let keys: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    keys.into_iter()
        .filter(|key| from.get(*key) != to.get(*key))
        .map(|key| Difference { key: key.clone(), from: from.get(key).cloned(), to: to.get(key).cloned() })
        .collect()
}

/// What a campaign says, with the versions of the data that its file only names.
fn said(campaign: &Campaign) -> BTreeMap<String, String> {
    let mut said = flat(&form(campaign));
    for preset in &campaign.calling.presets {
        said.insert(format!("calling.rules {}", preset.name), format!("version {}", preset.version));
    }
    let presets = campaign.calling.presets.iter().flat_map(|preset| &preset.closures.holidays);
    for holidays in campaign.calling.closures.holidays.iter().chain(presets) {
        let days = format!("{} days of {}-{}", holidays.days.len(), holidays.first, holidays.last);
        said.insert(format!("calling.holidays {}", holidays.name), days);
    }
    said
}

fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (key, value) in table {
        if let Value::Table(inner) = value {
            all.extend(flat(inner).into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
        } else {
            all.insert(key.clone(), value.to_string());
        }
    }
    all
}
