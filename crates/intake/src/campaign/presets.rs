//! The presets that are shipped: one file of data each, in `data/presets`.

use std::collections::BTreeMap;

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::cool_off::CoolOff;
use ringfence_domain::preset::Preset;
use ringfence_domain::window::Closures;
use toml::de::DeTable;

use super::{limits, when};
use crate::section::{Explain, Found, Section, closest};

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Each preset's name and data.
        const SHIPPED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../data/presets/", $name, ".toml")))),+];
    };
}

shipped! {
    "au", "ca", "fr", "in-rbi-recovery", "in-trai-conservative", "in-trai-promotional", "uk", "us-fl", "us-ok", "us-regf", "us-tcpa",
}

/// No preset has this name, or holidays that it needs cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PresetError {
    message: String,
    hint: String,
}

impl Explain for PresetError {
    fn explain(&self) -> (Option<String>, Option<std::ops::Range<usize>>) {
        (Some(self.hint.clone()), None)
    }
}

/// Returns the names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// Returns the preset of this name, with the holidays that it needs; the operator's `own` come
/// before those that are shipped.
pub fn preset(name: &str, own: &BTreeMap<String, String>) -> Result<Preset, PresetError> {
    let Some((name, text)) = SHIPPED.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = names().collect();
        let hint = closest(name, names())
            .map_or_else(|| format!("known: {}", known.join(", ")), |close| format!("did you mean `{close}`?"));
        return Err(PresetError { message: format!("`{name}` is not a preset"), hint });
    };
    parse(name, text, own).map_err(|message| PresetError {
        message: format!("the preset `{name}` cannot be read: {message}"),
        hint: "mend the file that [holidays] in ringfence.toml names".to_owned(),
    })
}

fn parse(name: &str, text: &str, own: &BTreeMap<String, String>) -> Result<Preset, String> {
    let document = DeTable::parse(text).map_err(|error| error.to_string())?;
    let found = Found::default();
    let mut root = Section::root(&document, &found);
    let version = when::day(&mut root, "version");
    let effective = when::day(&mut root, "effective");
    let source = root.required_text("source", "name the law").map(|text| text.value);
    let (mut hours, mut timezone, mut closures) = (None, CallingZone::Contact, Closures::default());
    if let Some(mut section) = root.section("calling") {
        hours = section.parsed("hours");
        timezone = when::timezone(&mut section);
        closures = when::closures(&mut section, own);
        section.finish();
    }
    let (mut per_number, mut cool_off) = (Vec::new(), CoolOff::default());
    if let Some(mut section) = root.section("limits") {
        per_number = limits::per_number(&mut section).unwrap_or_default();
        cool_off = limits::cool_off(&mut section);
        section.finish();
    }
    root.finish();
    let mistakes = found.take();
    match (version, effective, source) {
        (Some(version), Some(effective), Some(source)) if mistakes.is_empty() => {
            let (name, closures) = (name.to_owned(), std::sync::Arc::new(closures));
            Ok(Preset { name, version, source, effective, hours, timezone, closures, per_number, cool_off })
        }
        _ => Err(mistakes.first().map_or_else(|| "it is incomplete".to_owned(), ToString::to_string)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_read_and_says_where_it_comes_from() {
        for name in names() {
            let preset = preset(name, &BTreeMap::new()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(preset.hours.is_some() && preset.source.len() > 40, "{name}");
            assert!(preset.effective <= preset.version, "{name}");
        }
        assert_eq!(names().count(), 11);
    }

    #[test]
    fn a_name_that_is_almost_one_gets_a_hint() {
        let error = preset("in-trai-promotion", &BTreeMap::new()).expect_err("unknown");
        assert!(error.hint.contains("in-trai-promotional"), "{}", error.hint);
    }
}
