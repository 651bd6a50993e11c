//! `[limits]`: how fast, how many at once, and how often one number.

use ringfence_domain::campaign::CampaignLimits;
use ringfence_domain::cap::Cap;
use ringfence_domain::cool_off::CoolOff;

use crate::section::Section;

pub(super) fn default() -> CampaignLimits {
    CampaignLimits { per_number: vec![Cap::per_day(3)], ..CampaignLimits::default() }
}

pub(super) fn limits(mut section: Section<'_>) -> CampaignLimits {
    let limits = CampaignLimits {
        calls: section.parsed("calls"),
        concurrent: section.integer("concurrent", 1..=100_000),
        per_number: per_number(&mut section).unwrap_or_else(|| default().per_number),
        cool_off: cool_off(&mut section),
    };
    section.finish();
    limits
}

/// Reads `per_number`: caps, if there are any.
pub(crate) fn per_number(section: &mut Section<'_>) -> Option<Vec<Cap>> {
    let caps = section.texts("per_number")?;
    Some(caps.iter().filter_map(|cap| section.parse(cap)).collect())
}

/// Reads `cool_off = { after_answered = "7d", after_refusal = "60d" }`.
pub(crate) fn cool_off(section: &mut Section<'_>) -> CoolOff {
    let Some(mut inner) = section.section("cool_off") else { return CoolOff::default() };
    let cool_off = CoolOff { after_answered: inner.span("after_answered"), after_refusal: inner.span("after_refusal") };
    inner.finish();
    cool_off
}
