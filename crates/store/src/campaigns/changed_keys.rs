//! The keys of a campaign whose values another revision changes, for its event.

use std::collections::BTreeMap;

use ringfence_domain::Campaign;
use serde_json::Value;

/// The most keys that are named.
const NAMED: usize = 8;

/// Names the keys that differ, as in `calling.hours, limits.calls`.
pub(super) fn changed_keys(from: &Campaign, to: &Campaign) -> String {
    let flat = |campaign: &Campaign| {
        let mut keys = BTreeMap::new();
        flatten("", &serde_json::to_value(campaign).unwrap_or_default(), &mut keys);
        keys
    };
    let (from, to) = (flat(from), flat(to));
    let mut keys: Vec<&str> = from.keys().chain(to.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| from.get(*key) != to.get(*key));
    let more = keys.len().saturating_sub(NAMED);
    keys.truncate(NAMED);
    let named = keys.join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// Two levels are enough to find the place in a file.
fn flatten(prefix: &str, value: &Value, keys: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(table) if prefix.split('.').count() < 2 || prefix.is_empty() => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, keys);
            }
        }
        value => drop(keys.insert(prefix.to_owned(), value.clone())),
    }
}
