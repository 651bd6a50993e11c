//! JSON schemas of the files, by which editors complete and check them.

use ringfence_providers::{SettingKey, SettingKind, Vendor};
use serde_json::{Map, Value, json};

use super::{CAMPAIGN, CONFIG, Holds, Key, LANE, WEBHOOK};

/// The version of JSON Schema that editors of TOML understand.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// Returns the schema of a campaign file, whose lane may be of any of these vendors.
pub fn campaign(vendors: &[&'static Vendor]) -> Value {
    let mut root = Object::default();
    for key in CAMPAIGN.iter().flat_map(|section| section.iter()) {
        root.put(key.key.path, of_key(&key.key));
    }
    let mut settings = Object::default();
    for key in vendors.iter().flat_map(|vendor| vendor.campaign_settings) {
        settings.put(key.name, of_setting(key));
    }
    root.put("vendor", settings.done(&[], "Settings of the vendor for this campaign."));
    let mut schema = root.done(&["name", "provider", "contacts"], "A campaign of Ringfence.");
    schema["properties"]["contacts"]["oneOf"] = json!([{ "required": ["phone"] }, { "required": ["phones"] }]);
    titled(schema, "Ringfence campaign")
}

/// Returns the schema of `ringfence.toml`, with lanes of these vendors.
pub fn config(vendors: &[&'static Vendor]) -> Value {
    let mut root = Object::default();
    for key in CONFIG {
        root.put(key.path, of_key(key));
    }
    let lanes: Vec<Value> = vendors.iter().map(|vendor| lane(vendor)).collect();
    root.put("provider", json!({ "type": "object", "additionalProperties": { "oneOf": lanes } }));
    let mut webhook = Object::default();
    for key in WEBHOOK {
        webhook.put(key.path, of_key(key));
    }
    let webhook = webhook.done(&["url", "secret", "events"], "Somebody who is told what happens.");
    root.put("webhook", json!({ "type": "array", "items": webhook }));
    titled(root.done(&[], "The configuration of Ringfence."), "ringfence.toml")
}

fn lane(vendor: &Vendor) -> Value {
    let mut lane = Object::default();
    for key in LANE {
        lane.put(key.path, of_key(key));
    }
    for key in vendor.settings {
        lane.put(key.name, of_setting(key));
    }
    lane.put("kind", json!({ "const": vendor.kind, "description": "The vendor." }));
    let is_needed = |key: &&SettingKey| {
        key.default.is_none() && matches!(key.kind, SettingKind::Text | SettingKind::Secret | SettingKind::Country)
    };
    let settings = vendor.settings.iter().filter(is_needed).map(|key| key.name);
    let address = vendor.base_url.is_none().then_some("base_url");
    let needed: Vec<&str> = ["kind"].into_iter().chain(settings).chain(address).collect();
    lane.done(&needed, &format!("A lane at {}.", vendor.kind))
}

fn titled(mut schema: Value, title: &str) -> Value {
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!(title);
    schema
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_value(key.holds);
    schema["description"] = json!(key.says);
    // A default is written as in the file, so that it can be read as one.
    let default = key.default.and_then(|text| format!("it = {text}").parse::<toml::Table>().ok());
    if let Some(default) = default.and_then(|table| serde_json::to_value(&table["it"]).ok()) {
        schema["default"] = default;
    }
    schema
}

fn of_value(holds: Holds) -> Value {
    let text = || json!({ "type": "string" });
    let list_or_one = |one: Value| json!({ "anyOf": [one, { "type": "array", "items": one }] });
    let named = |values: Value| json!({ "type": "object", "additionalProperties": values });
    let like = |examples: &[&str]| json!({ "type": "string", "examples": examples });
    match holds {
        Holds::Text | Holds::Column | Holds::File | Holds::Address | Holds::Zone | Holds::Country => text(),
        Holds::Texts | Holds::Countries => list_or_one(text()),
        Holds::Word => json!({ "type": ["string", "integer"] }),
        Holds::OneOf(words) => json!({ "enum": words }),
        Holds::SomeOf(words) => list_or_one(json!({ "enum": words })),
        Holds::Whole(from, u32::MAX) => json!({ "type": "integer", "minimum": from }),
        Holds::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Holds::Flag => json!({ "type": "boolean" }),
        Holds::Span => like(&["60s", "15m", "1h30m", "7d"]),
        Holds::Rate => like(&["1/s", "60/m", "500/h"]),
        Holds::Percent => like(&["20%"]),
        Holds::Hours => like(&["09:00-21:00", "Mo-Fr 09:00-18:00; Sa 10:00-14:00; Su off"]),
        Holds::Date => like(&["2026-11-08"]),
        Holds::Cron => like(&["0 9 * * MON-FRI"]),
        Holds::Delays => list_or_one(like(&["never", "15m", "1h"])),
        Holds::Templates | Holds::Names => named(text()),
        Holds::Condition => named(json!({ "anyOf": [
            { "type": ["string", "integer", "boolean"] }, { "type": "array", "items": { "type": "string" } },
        ] })),
        Holds::Secret => json!({
            "type": "object",
            "properties": { "env": text(), "file": text() },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
        }),
    }
}

fn of_setting(key: &SettingKey) -> Value {
    let holds = match key.kind {
        SettingKind::Text | SettingKind::OptionalText => Holds::Text,
        SettingKind::Secret => Holds::Secret,
        SettingKind::OneOf(words) => Holds::OneOf(words),
        SettingKind::Flag => Holds::Flag,
        SettingKind::OptionalSpan => Holds::Span,
        SettingKind::Country => Holds::Country,
        SettingKind::OptionalZone => Holds::Zone,
        SettingKind::Table(keys) => {
            let mut table = Object::default();
            for inner in keys {
                table.put(inner, of_value(Holds::Text));
            }
            return table.done(&[], key.says);
        }
    };
    let mut schema = of_value(holds);
    schema["description"] = json!(key.says);
    if let Some(default) = key.default {
        schema["default"] = if matches!(holds, Holds::Flag) { json!(default == "true") } else { json!(default) };
    }
    schema
}

/// A table with no other keys than these.
#[derive(Default)]
struct Object {
    keys: Map<String, Value>,
    sections: std::collections::BTreeMap<String, Object>,
}

impl Object {
    fn put(&mut self, path: &str, schema: Value) {
        match path.split_once('.') {
            Some((section, rest)) => self.sections.entry(section.to_owned()).or_default().put(rest, schema),
            None => drop(self.keys.insert(path.to_owned(), schema)),
        }
    }

    fn done(self, required: &[&str], says: &str) -> Value {
        let mut keys = self.keys;
        for (name, section) in self.sections {
            keys.insert(name, section.done(&[], ""));
        }
        let mut schema = json!({ "type": "object", "properties": keys, "additionalProperties": false });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if !says.is_empty() {
            schema["description"] = json!(says);
        }
        schema
    }
}
