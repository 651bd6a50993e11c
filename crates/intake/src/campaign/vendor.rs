//! `[vendor]`, and the vendor's own objections to a campaign.
//!
//! Each setting is a template, because some take columns of the row (Knovvu's `end_user`). A table
//! of settings is flattened to keys `table.key`.

use std::collections::BTreeMap;

use ringfence_domain::template::Template;
use ringfence_providers::{CampaignFacts, SettingKind, Vendor};

use crate::section::{Placed, Section};
use crate::{ConfigLane, Mistake, config};

/// Returns the settings that the vendor has for a campaign. Texts may take {columns} from the row.
pub(super) fn settings(root: &mut Section<'_>, vendor: Option<&Vendor>) -> BTreeMap<String, Template> {
    let (Some(mut section), Some(vendor)) = (root.section("vendor"), vendor) else { return BTreeMap::new() };
    let mut values = BTreeMap::new();
    for key in vendor.campaign_settings {
        match key.kind {
            SettingKind::Flag => {
                let flag = section.flag(key.name);
                values.extend(flag.and_then(|flag| Some((key.name.to_owned(), flag.to_string().parse().ok()?))));
            }
            SettingKind::Table(keys) => {
                let Some(mut table) = section.section(key.name) else { continue };
                for inner in keys {
                    let text = table.text(inner);
                    values.extend(text.and_then(|text| Some((format!("{}.{inner}", key.name), table.parse(&text)?))));
                }
                table.finish();
            }
            _ => {
                let Some(text) = section.text(key.name) else { continue };
                config::lane::check_word(&section, key, &text);
                values.extend(template(&section, &text).map(|text| (key.name.to_owned(), text)));
            }
        }
    }
    section.finish();
    values
}

fn template(section: &Section<'_>, text: &Placed<String>) -> Option<Template> {
    if text.value.trim().is_empty() {
        section.found().add(Mistake::new(text.at.clone(), "this setting is empty").hint("fill it in, or leave it out"));
        return None;
    }
    section.parse(text)
}

/// Adds the vendor's objections, at the key that is to be mended.
pub(super) fn objections(root: &mut Section<'_>, lane: &ConfigLane, facts: &CampaignFacts<'_>, told: bool) {
    let inner = root.section("vendor");
    for objection in (lane.vendor.check)(&lane.setup, facts) {
        if told && objection.key == "caller_ids" {
            continue;
        }
        let place = objection.item.and_then(|item| root.place_of_item(objection.key, item));
        let place = place.or_else(|| root.place_of(objection.key));
        let place = place.or_else(|| inner.as_ref().and_then(|section| section.place_of(objection.key)));
        let message = match &place {
            Some(_) => objection.message.replace("is missing", "is empty"),
            None => objection.message,
        };
        let mistake = Mistake::new(place.unwrap_or(root.at()), message).hint(objection.hint);
        root.found().add(mistake);
    }
}
