//! The keys of a campaign whose values another revision changes, for its event.

use std::collections::BTreeMap;

use ringfence_domain::Campaign;
use serde_json::Value;

/// The most keys that are named.
const NAMED: usize = 8;

/// The keys that differ, with the values before and after.
pub(super) struct ChangedKeys {
    before: BTreeMap<String, Value>,
    after: BTreeMap<String, Value>,
}

impl ChangedKeys {
    pub(super) fn between(from: &Campaign, to: &Campaign) -> Self {
        let (mut before, mut after) = (flat(from), flat(to));
        let same: Vec<String> =
            before.iter().filter(|(key, value)| after.get(*key) == Some(value)).map(|(key, _)| key.clone()).collect();
        for key in same {
            before.remove(&key);
            after.remove(&key);
        }
        Self { before, after }
    }

    /// Every key of a campaign that is new.
    pub(super) fn of_new(campaign: &Campaign) -> Self {
        Self { before: BTreeMap::new(), after: flat(campaign) }
    }

    /// Names them, as in `calling.hours, limits.calls`.
    pub(super) fn named(&self) -> String {
        let mut keys: Vec<&str> = self.before.keys().chain(self.after.keys()).map(String::as_str).collect();
        keys.sort_unstable();
        keys.dedup();
        let more = keys.len().saturating_sub(NAMED);
        keys.truncate(NAMED);
        let named = keys.join(", ");
        if more > 0 { format!("{named} and {more} more") } else { named }
    }

    /// Their values, before and after.
    pub(super) fn values(self) -> (Value, Value) {
        let table = |keys: BTreeMap<String, Value>| Value::Object(keys.into_iter().collect());
        (table(self.before), table(self.after))
    }
}

fn flat(campaign: &Campaign) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    flatten("", &serde_json::to_value(campaign).unwrap_or_default(), &mut keys);
    keys
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
