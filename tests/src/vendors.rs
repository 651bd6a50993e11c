//! Lanes of every registered vendor, filled in from what each declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::Campaign;
use ringfence_domain::lane::LaneSettings;
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{CampaignFacts, LaneSetup, Provider, SettingKind, Transport, Vendor};
use secrecy::SecretString;

/// The vendor of this kind.
pub fn vendor(kind: &str) -> &'static Vendor {
    VENDORS.iter().find(|vendor| vendor.kind == kind).unwrap_or_else(|| panic!("{kind} is registered"))
}

/// A lane's section with every setting that has no default filled in, reached below `base`: a
/// sandbox, or nowhere.
pub fn setup(vendor: &Vendor, settings: &LaneSettings, base: &str) -> LaneSetup {
    let path = ringfence_sandbox::PATHS.iter().find(|(kind, _)| *kind == vendor.kind).expect("the sandbox speaks it").1;
    let mut values = BTreeMap::new();
    for key in vendor.settings {
        let value = match (key.name, key.kind) {
            // Numbers of the tests are Indian.
            ("number_format", _) => Some("e164"),
            // Of its two dialects the one that can tell that a call was not placed.
            ("dialect", _) => Some("config"),
            (_, SettingKind::Text) => Some(key.default.unwrap_or("tests")),
            _ => key.default,
        };
        values.extend(value.map(|value| (key.name.to_owned(), value.to_owned())));
    }
    let secrets = vendor.settings.iter().filter(|key| matches!(key.kind, SettingKind::Secret));
    LaneSetup {
        settings: settings.clone(),
        base_url: format!("{base}{path}"),
        values,
        secrets: secrets.map(|key| (key.name.to_owned(), SecretString::from("tests"))).collect(),
        status_map: BTreeMap::new(),
    }
}

/// The vendor's adapter on a transport.
pub fn provider(vendor: &Vendor, settings: &LaneSettings, transport: Arc<dyn Transport>) -> Arc<dyn Provider> {
    build(vendor, setup(vendor, settings, "http://vendor.invalid"), transport)
}

/// The vendor's adapter of this section.
pub fn build(vendor: &Vendor, setup: LaneSetup, transport: Arc<dyn Transport>) -> Arc<dyn Provider> {
    (vendor.build)(setup, transport).unwrap_or_else(|message| panic!("{}: {message}", vendor.kind))
}

/// The same rules, as this vendor takes them.
pub fn suited(vendor: &Vendor, settings: &LaneSettings, mut rules: Campaign) -> Campaign {
    "123".clone_into(&mut rules.agent);
    let objects = |rules: &Campaign| {
        let facts = CampaignFacts {
            agent: Some(&rules.agent),
            caller_ids: &rules.caller_ids,
            variables: &rules.variables,
            metadata: &rules.metadata,
            vendor: &rules.vendor,
        };
        (vendor.check)(&setup(vendor, settings, ""), &facts)
    };
    if objects(&rules).iter().any(|objection| objection.key == "caller_ids") {
        rules.caller_ids.clear();
    }
    if objects(&rules).iter().any(|objection| objection.key == "campaign_id") {
        rules.vendor.insert("campaign_id".to_owned(), "campaign".parse().expect("a text"));
    }
    assert_eq!(objects(&rules), [], "{}", vendor.kind);
    rules
}
