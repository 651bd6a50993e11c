//! Rules that leave no time to call. A window that never opens would wait for ever without a word.

use ringfence_domain::campaign::{CallingZone, WindowPart, contradiction};
use ringfence_domain::phone::Country;
use ringfence_domain::window::Hours;
use ringfence_domain::{Campaign, Moment, Zone, ZoneSet};

/// Returns the parts of the window that leave no time to call, wherever a contact may be; none
/// when there is some.
pub(super) fn never_opens(campaign: &Campaign, vendor: Option<&Hours>, now: Moment) -> Option<String> {
    let places = places(campaign);
    let opens = |place: &&ZoneSet| campaign.calendar_of_any_day(place, vendor).next_opening(now).is_some();
    if places.iter().any(|place| opens(&place)) {
        return only_outside_its_days(campaign, &places, vendor, now);
    }
    let place = places.first().cloned().unwrap_or_default();
    let parts = campaign.window(&place, vendor);
    let named = |chosen: &[&WindowPart]| {
        let anywhere = places.len() > 1;
        let says = |part: &WindowPart| if anywhere { part.written() } else { part.says() };
        let texts: Vec<String> = chosen.iter().map(|part| format!("{} `{}`", part.name, says(part))).collect();
        let guard = campaign.calling.guard;
        let before = if guard.millis() == 0 { String::new() } else { format!(", {guard} before closing excepted,") };
        format!("{}{before} {} no time to call", texts.join(" and "), if texts.len() > 1 { "leave" } else { "leaves" })
    };
    let chosen = contradiction(&parts, campaign.calling.guard, now);
    Some(format!("the window never opens: {}", named(&chosen)))
}

/// Finds a window that opens, and never between the campaign's first and last day. A campaign that
/// is over is no mistake.
fn only_outside_its_days(
    campaign: &Campaign,
    places: &[ZoneSet],
    vendor: Option<&Hours>,
    now: Moment,
) -> Option<String> {
    let (starts, ends) = (campaign.schedule.starts, campaign.schedule.ends?);
    let over = now.utc_date() > ends;
    let opens = |place: &ZoneSet| campaign.calendar(place, vendor).next_opening(now).is_some();
    if over || places.iter().any(opens) {
        return None;
    }
    let from = starts.map_or("now".to_owned(), |date| date.to_string());
    Some(format!("the window never opens between the campaign's first day ({from}) and its last ({ends})"))
}

/// Returns every place where a contact may be: where the campaign says, else in its country, else
/// anywhere.
fn places(campaign: &Campaign) -> Vec<ZoneSet> {
    if let (CallingZone::Fixed(zone), false) = (campaign.calling.timezone, campaign.needs_own_zone()) {
        return vec![ZoneSet::one(zone)];
    }
    let country = campaign.contacts.country.and_then(Country::calling_code);
    let places = country.map(ZoneSet::of_country).unwrap_or_default();
    if places.is_empty() || campaign.contacts.timezone.is_some() {
        return Zone::all().map(ZoneSet::one).collect();
    }
    places
}
