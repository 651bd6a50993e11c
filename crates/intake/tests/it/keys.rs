//! The lists of keys are what the readers read: no key is known to one of them only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringfence_domain::Campaign;
use ringfence_intake::keys::{CAMPAIGN, CONFIG, Holds, Key, LANE, WEBHOOK, form};
use ringfence_intake::{Config, Mistakes, campaign};
use ringfence_samples::noon;
use ringfence_samples::vendors::all as vendors;

const LANE_OF_MAIN: &str = "[provider.main]\nkind = \"twenty2\"\nworkspace_id = \"w\"\napi_key = { env = \"K\" }\napi_secret = { env = \"K\" }\n";

/// A word that looks like no key.
const STRANGE: &str = "qqqqqqq";

fn config(text: &str) -> Result<Config, Mistakes> {
    Config::parse(Path::new("/srv/ringfence.toml"), text, &vendors(), &|_| Some("k".to_owned()))
}

/// Reads a campaign with what every campaign needs, and these further keys.
fn read(head: &str, contacts: &str, sections: &str) -> Result<Campaign, Mistakes> {
    let text = format!(
        "name = \"spring\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n{head}\n\
         [contacts]\nphone = \"mobile\"\n{contacts}\n{sections}\n"
    );
    campaign::parse(Path::new("/srv/spring.toml"), &text, &config(LANE_OF_MAIN).expect("fine"), noon())
}

/// Reads a campaign with one more key.
fn with(path: &str, value: &str) -> Result<Campaign, Mistakes> {
    match path.rsplit_once('.') {
        None => read(&format!("{path} = {value}"), "", ""),
        Some(("contacts", key)) => read("", &format!("{key} = {value}"), ""),
        Some((section, key)) => {
            let needed = if section == "callback" && key != "from" { "from = \"at\"\n" } else { "" };
            read("", "", &format!("[{section}]\n{needed}{key} = {value}"))
        }
    }
}

fn campaign_keys() -> impl Iterator<Item = &'static Key> {
    CAMPAIGN.iter().flat_map(|section| section.iter()).map(|key| &key.key)
}

/// The names within each section: of its keys, and of the sections in it.
fn by_section<'k>(keys: impl Iterator<Item = &'k Key>) -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in keys {
        let mut section = String::new();
        for name in key.path.split('.') {
            sections.entry(section.clone()).or_default().insert(name.to_owned());
            section = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        }
    }
    sections
}

/// The names that a reader says it knows, when it meets a strange one.
fn known(mistakes: &Mistakes) -> BTreeSet<String> {
    let told = mistakes.list().iter().find(|mistake| mistake.message.contains(STRANGE));
    let hint = told.and_then(|mistake| mistake.hint.as_deref()).unwrap_or_else(|| panic!("{mistakes}"));
    let names = hint.strip_prefix("known here: ").unwrap_or_else(|| panic!("{hint}"));
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn each_section_of_a_campaign_reads_the_keys_that_are_listed_and_no_others() {
    for (section, listed) in by_section(campaign_keys()) {
        let path = if section.is_empty() { STRANGE.to_owned() } else { format!("{section}.{STRANGE}") };
        let told = known(&with(&path, "1").expect_err(&path));
        assert_eq!(told, listed, "[{section}]");
    }
}

#[test]
fn each_section_of_the_configuration_reads_the_keys_that_are_listed_and_no_others() {
    for (section, mut listed) in by_section(CONFIG.iter()) {
        let text = match section.as_str() {
            "" => {
                listed.extend(["provider".to_owned(), "webhook".to_owned()]);
                format!("{STRANGE} = 1\n")
            }
            _ => format!("[{section}]\n{STRANGE} = 1\n"),
        };
        assert_eq!(known(&config(&text).expect_err(&text)), listed, "[{section}]");
    }
    let text = format!(
        "[[webhook]]\nurl = \"https://a.example\"\nsecret = {{ env = \"K\" }}\nevents = [\"call.ended\"]\n{STRANGE} = 1\n"
    );
    assert_eq!(known(&config(&text).expect_err(&text)), by_section(WEBHOOK.iter())[""], "[[webhook]]");
    for (section, mut listed) in by_section(LANE.iter()) {
        let text = match section.as_str() {
            "" => {
                let vendors = vendors();
                let vendor = vendors.iter().find(|vendor| vendor.kind == "twenty2").expect("a vendor");
                listed.extend(vendor.settings.iter().map(|key| key.name.to_owned()));
                format!("{LANE_OF_MAIN}{STRANGE} = 1\n")
            }
            _ => format!("{LANE_OF_MAIN}[provider.main.{section}]\n{STRANGE} = 1\n"),
        };
        assert_eq!(known(&config(&text).expect_err(&text)), listed, "[provider.main.{section}]");
    }
}

#[test]
fn what_is_left_out_has_the_default_that_is_told() {
    let rules = read("", "", "[callback]\nfrom = \"at\"").expect("fine");
    let told = form(&rules);
    for key in campaign_keys() {
        let found = key.path.split('.').try_fold(&toml::Value::Table(told.clone()), |at, name| at.get(name)).cloned();
        let listed = key.default.map(|text| format!("it = {text}").parse::<toml::Table>().expect("TOML")["it"].clone());
        let given = ["name", "provider", "agent", "caller_ids", "contacts.phone", "callback.from"];
        if !given.contains(&key.path) {
            assert_eq!(found, listed, "{}", key.path);
        }
    }
}

#[test]
fn whole_numbers_have_the_bounds_that_are_listed() {
    for key in campaign_keys() {
        let Holds::Whole(from, to) = key.holds else { continue };
        for (number, fits) in
            [(i64::from(from) - 1, false), (from.into(), true), (to.into(), true), (i64::from(to) + 1, false)]
        {
            assert_eq!(with(key.path, &number.to_string()).is_ok(), fits, "{} = {number}", key.path);
        }
    }
}

#[test]
fn words_are_those_that_are_listed() {
    for key in campaign_keys() {
        let (Holds::OneOf(words) | Holds::SomeOf(words)) = key.holds else { continue };
        for word in words {
            assert!(with(key.path, &format!("\"{word}\"")).is_ok(), "{} = {word}", key.path);
        }
        let told = with(key.path, &format!("\"{STRANGE}\"")).expect_err(key.path).to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}
