//! Lanes of every registered vendor, filled in from what each declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::Campaign;
use ringfence_domain::lane::LaneSettings;
use ringfence_providers::registry::VENDORS;
use ringfence_providers::twenty2::Twenty2;
use ringfence_providers::{CampaignFacts, LaneSetup, Provider, SettingKind, Transport, Vendor};
use secrecy::SecretString;

/// Every vendor that a lane may name.
pub fn all() -> Vec<&'static Vendor> {
    VENDORS.iter().copied().chain([&ringfence_sandbox::VENDOR]).collect()
}

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

/// Twenty2's adapter on a transport.
pub fn twenty2(settings: &LaneSettings, number_format: &str, transport: Arc<dyn Transport>) -> Arc<dyn Provider> {
    twenty2_at("http://vendor.invalid/api", settings, number_format, transport)
}

/// Twenty2's adapter for a vendor at this address.
pub fn twenty2_at(
    base_url: &str,
    settings: &LaneSettings,
    number_format: &str,
    transport: Arc<dyn Transport>,
) -> Arc<dyn Provider> {
    let values = [("workspace_id", "tests"), ("agent_field", "agent_id"), ("number_format", number_format)];
    let setup = LaneSetup {
        settings: settings.clone(),
        base_url: base_url.to_owned(),
        values: values.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        secrets: ["api_key", "api_secret"].map(|name| (name.to_owned(), SecretString::from("tests"))).into(),
        status_map: BTreeMap::new(),
    };
    Arc::new(Twenty2::new(setup, transport).expect("settings"))
}
