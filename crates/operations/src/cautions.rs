//! What is no mistake of a campaign's rules and yet will surprise somebody.

use ringfence_domain::phone::Country;
use ringfence_domain::window::Hours;
use ringfence_domain::{Campaign, Moment, Span, ZoneSet, date};

/// Data that ends so soon is spoken of.
const SOON: Span = Span::from_days(60);

/// One sentence for each.
pub fn about(campaign: &Campaign, vendor: Option<&Hours>, now: Moment) -> Vec<String> {
    let mut cautions = Vec::new();
    let presets = campaign.calling.presets.iter().map(|preset| &preset.closures);
    for closures in presets.chain([&campaign.calling.closures]) {
        let Some((name, last)) = closures.first_to_end() else { continue };
        let Some(ends) = date::valid(last, 12, 31) else { continue };
        let soon = (now + SOON).utc_date() > ends;
        if soon || campaign.schedule.ends.is_some_and(|day| day > ends) {
            cautions.push(format!(
                "the holidays of {name} are known up to {last} only: nobody is called after that year. Bring newer ones \
                 with [holidays] in ringfence.toml"
            ));
        }
    }
    if let (Some(_), Some(span)) = (&campaign.callback, campaign.number_limits().cool_off.after_answered) {
        cautions.push(format!(
            "cool_off.after_answered = {span} holds callbacks, too: nobody is called back earlier than that"
        ));
    }
    if campaign.refusal.is_none() && campaign.number_limits().cool_off.after_refusal.is_some() {
        cautions.push(
            "cool_off.after_refusal sees declined calls only: name what the agent collects from someone who says no in \
             [results] refusal"
                .to_owned(),
        );
    }
    if campaign.opt_out.is_none() {
        cautions.push(
            "nobody who asks for no more calls is heeded: name what the agent collects from them, [results] opt_out = { when = { \
             opted_out = \"yes\" } }"
                .to_owned(),
        );
    }
    cautions.extend(unreachable_places(campaign, vendor, now));
    cautions
}

/// Numbers that nobody will ever call, because the hours of all places where they may be never
/// meet.
fn unreachable_places(campaign: &Campaign, vendor: Option<&Hours>, now: Moment) -> Option<String> {
    let country = campaign.contacts.country.and_then(Country::calling_code)?;
    if !campaign.needs_own_zone() {
        return None;
    }
    let never = |zones: &&ZoneSet| campaign.calendar_of_any_day(zones, vendor).next_opening(now).is_none();
    let places = ZoneSet::of_country(country);
    let closed: Vec<&ZoneSet> = places.iter().filter(never).collect();
    let first = closed.first()?;
    let column = if campaign.contacts.timezone.is_some() { ", unless their row names another zone" } else { "" };
    Some(match first.zones() {
        [only] => {
            format!("the window never opens in {only}: numbers of +{country} from there are never called{column}")
        }
        _ => format!(
            "some numbers of +{country} may be in {}, where these hours never meet: they are never called{column}. Name a \
             column with the zone in [contacts] timezone, or widen the hours",
            first.short()
        ),
    })
}

#[cfg(test)]
mod tests {
    use ringfence_intake::{Config, campaign};

    use super::*;

    fn cautions(text: &str, now: &str) -> Vec<String> {
        let config = "[provider.main]\nkind = \"sandbox\"";
        let path = std::path::Path::new("/x/ringfence.toml");
        let config = Config::parse(path, config, &crate::workspace::vendors(), &|_| None).expect("a configuration");
        let now: Moment = now.parse().expect("a moment");
        let head = "name = \"a\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n[contacts]\nphone = \"p\"\n";
        let text = format!("{head}{text}");
        let campaign = campaign::parse(path, &text, &config, now).unwrap_or_else(|error| panic!("{error}"));
        // Only the campaigns of one test have a rule for opt-outs.
        about(&campaign, None, now).into_iter().filter(|caution| !caution.contains("no more calls")).collect()
    }

    #[test]
    fn data_that_ends_is_spoken_of_in_time() {
        let india = "[calling]\nholidays = \"IN\"";
        assert!(cautions(india, "2035-10-31T00:00:00Z").is_empty());
        let told = cautions(india, "2035-11-15T00:00:00Z");
        assert!(told[0].contains("up to 2035 only"), "{told:?}");
        let later = cautions(&format!("{india}\n[schedule]\nends = \"2036-01-05\""), "2026-11-15T00:00:00Z");
        assert_eq!(later.len(), 1, "{later:?}");
        assert!(cautions("[calling]\nrules = [\"fr\"]", "2035-12-15T00:00:00Z")[0].contains("FR"));
    }

    #[test]
    fn rules_that_work_against_each_other_are_spoken_of() {
        let both = "[callback]\nfrom = \"time\"\n[limits]\ncool_off = { after_answered = \"7d\" }";
        assert!(cautions(both, "2026-11-15T00:00:00Z")[0].contains("holds callbacks"));
        assert!(cautions("[callback]\nfrom = \"time\"", "2026-11-15T00:00:00Z").is_empty());
        let france = "[calling]\nrules = [\"fr\"]";
        assert!(
            cautions(france, "2026-11-15T00:00:00Z")[0].contains("declined calls only"),
            "nobody hears a spoken no"
        );
        let hears = format!("{france}\n[results]\nrefusal = {{ when = {{ interested = \"no\" }} }}");
        assert!(cautions(&hears, "2026-11-15T00:00:00Z").is_empty());
    }

    #[test]
    fn numbers_that_are_never_called_are_spoken_of() {
        let office = |country: &str| format!("country = \"{country}\"\n[calling]\nhours = \"10:00-18:00\"");
        let told = cautions(&office("RU"), "2026-11-15T00:00:00Z");
        assert!(told[0].contains("+7 may be in any of") && told[0].contains("never called"), "{told:?}");
        assert!(cautions(&office("IN"), "2026-11-15T00:00:00Z").is_empty());
    }
}
