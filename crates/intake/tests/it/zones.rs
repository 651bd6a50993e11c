//! Time zones as files name them: in a column, by the number, in a campaign.

use std::path::{Path, PathBuf};

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::{Campaign, ZoneSet};
use ringfence_intake::{Config, ContactFile, ContactRow, RejectedRow, campaign};
use ringfence_samples::noon;
use ringfence_samples::vendors::all as vendors;

use crate::assert_told;

fn rows(file: &str, timezone: Option<&str>) -> Vec<Result<ContactRow, RejectedRow>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/contacts")).join(file);
    let mut rules: Campaign = ringfence_samples::rules("spring", "main");
    rules.calling.timezone = CallingZone::Contact;
    rules.contacts.timezone = timezone.map(str::to_owned);
    let mut file = ContactFile::open(&path, &rules, Box::new(|_| Ok(()))).expect("a header");
    std::iter::from_fn(|| file.next_row().expect("readable")).collect()
}

#[test]
fn a_clock_of_no_place_in_a_column_is_refused_with_the_city_that_was_meant() {
    let rows = rows("zones_est.csv", Some("tz"));
    let refused = rows[0].as_ref().expect_err("EST is not New York");
    assert_eq!(refused.code, "zone");
    assert!(refused.reason.contains("`EST`") && refused.reason.contains("America/New_York"), "{}", refused.reason);
    assert_eq!(rows[1].as_ref().expect("a place").zones.to_string(), "America/New_York");
}

#[test]
fn numbers_of_area_codes_that_lie_in_two_zones_have_both() {
    let zones: Vec<ZoneSet> =
        rows("zones_by_prefix.csv", None).into_iter().map(|row| row.expect("a number").zones).collect();
    let both = "America/Chicago|America/New_York";
    let shown: Vec<String> = zones.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["America/New_York", both, both, both]);
}

#[test]
fn a_clock_of_no_place_in_a_campaign_is_refused_at_its_place() {
    let config = "[provider.main]\nkind = \"sandbox\"";
    let config = Config::parse(Path::new("/srv/ringfence.toml"), config, &vendors(), &|_| None).expect("fine");
    for (name, city) in [("EST", "America/New_York"), ("UTC", "Asia/Kolkata"), ("Etc/GMT-5", "Asia/Kolkata")] {
        let text = format!(
            "name = \"a\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n[contacts]\nphone = \"p\"\n\
             [calling]\ntimezone = \"{name}\""
        );
        let mistakes = campaign::parse(Path::new("/srv/a.toml"), &text, &config, noon()).expect_err(name);
        assert_told(&mistakes, "a.toml:8:12", city);
        assert_told(&mistakes, "a.toml:8:12", name);
    }
    for (name, fine) in [("UTC", true), ("EST", false)] {
        let config = format!("[provider.main]\nkind = \"sandbox\"\nhours = \"09:00-21:00\"\ntimezone = \"{name}\"");
        let config = Config::parse(Path::new("/srv/ringfence.toml"), &config, &vendors(), &|_| None);
        assert_eq!(config.is_ok(), fine, "a vendor may keep {name}");
    }
}
