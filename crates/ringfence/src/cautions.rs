//! What is no mistake of a campaign's rules and yet will surprise somebody.

use ringfence_domain::{Campaign, Moment, Span};

/// Data that ends so soon is spoken of.
const SOON: Span = Span::from_days(60);

/// One sentence for each.
pub fn of(campaign: &Campaign, now: Moment) -> Vec<String> {
    let mut cautions = Vec::new();
    let presets = campaign.calling.presets.iter().map(|preset| &preset.closures);
    for closures in presets.chain([&campaign.calling.closures]) {
        let Some((name, last)) = closures.first_to_end() else { continue };
        let ends = chrono::NaiveDate::from_ymd_opt(last, 12, 31).unwrap_or(chrono::NaiveDate::MAX);
        let soon = (now + SOON).utc().date_naive() > ends;
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
    if campaign.opt_out.is_none() && campaign.refusal.is_none() && campaign.limits.cool_off.after_refusal.is_some() {
        cautions.push(
            "cool_off.after_refusal sees declined calls only: name what the agent collects from someone who says no in \
             [results] refusal"
                .to_owned(),
        );
    }
    cautions
}

#[cfg(test)]
mod tests {
    use ringfence_intake::{Config, campaign};

    use super::*;

    fn cautions(text: &str, now: &str) -> Vec<String> {
        let config = "[provider.main]\nkind = \"sandbox\"";
        let path = std::path::Path::new("/x/ringfence.toml");
        let config = Config::parse(path, config, &crate::home::vendors(), &|_| None).expect("a configuration");
        let now: Moment = now.parse().expect("a moment");
        let text = format!("name = \"a\"\nprovider = \"main\"\nagent = \"a\"\n[contacts]\nphone = \"p\"\n{text}");
        of(&campaign::parse(path, &text, &config, now).unwrap_or_else(|error| panic!("{error}")), now)
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
    }
}
