//! Campaign files.

use std::path::Path;

use ringfence_domain::Campaign;
use ringfence_intake::{Config, Mistakes, campaign};
use ringfence_samples::noon;
use ringfence_samples::vendors::all as vendors;

const CONFIG: &str = "[provider.main]\nkind = \"twenty2\"\nworkspace_id = \"w\"\napi_key = { env = \"K\" }\napi_secret = { env = \"K\" }";

const CAMPAIGN: &str = r#"name = "spring"
provider = "main"
agent = "a"
caller_ids = ["9876500000"]

[contacts]
file = "people.csv"
phone = "mobile"
"#;

fn parse(text: &str) -> Result<Campaign, Mistakes> {
    let config =
        Config::parse(Path::new("/srv/ringfence.toml"), CONFIG, &vendors(), &|_| Some("k".to_owned())).expect("fine");
    campaign::parse(Path::new("/srv/campaigns/spring.toml"), text, &config, noon())
}

#[test]
fn defaults_are_the_documented_ones() {
    let rules = parse(CAMPAIGN).expect("fine");
    assert_eq!(rules.calling.hours.to_string(), "09:00-21:00");
    assert_eq!(rules.calling.timezone, ringfence_domain::campaign::CallingZone::Contact);
    assert_eq!(rules.calling.guard.to_string(), "1m");
    assert_eq!(rules.limits.per_number.iter().map(ToString::to_string).collect::<Vec<_>>(), ["3/day"]);
    assert_eq!((rules.priority, rules.retry.max_attempts), (5, 3));
    assert_eq!(rules.contacts.file.as_deref(), Some("/srv/campaigns/people.csv"), "relative to the campaign file");
    let always = format!("{CAMPAIGN}[calling]\nhours = \"24/7\"");
    assert_eq!(parse(&always).expect("fine").calling.guard.to_string(), "1m", "the lane's own hours close");
    let other = format!("{CONFIG}\nhours = \"24/7\"");
    let config = Config::parse(Path::new("/srv/ringfence.toml"), &other, &vendors(), &|_| Some("k".into()));
    let open = campaign::parse(Path::new("/srv/campaigns/spring.toml"), &always, &config.expect("fine"), noon());
    assert_eq!(open.expect("fine").calling.guard.millis(), 0, "what never closes needs no guard");
}

#[test]
fn presets_and_the_campaigns_own_rules_hold_together() {
    let text = format!(
        "{CAMPAIGN}[calling]\nhours = \"09:00-18:00\"\nholidays = \"GB\"\nrules = [\"fr\", \"us-regf\"]\n\
         [limits]\nper_number = [\"2/day\"]\ncool_off = {{ after_answered = \"1d\" }}\n[retry]\navoid_same_hour = true"
    );
    let rules = parse(&text).expect("fine");
    let limits = rules.number_limits();
    assert_eq!(limits.caps.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2/day", "4/30d", "7/7d"]);
    let spans = [limits.cool_off.after_answered, limits.cool_off.after_refusal];
    assert_eq!(spans.map(|span| span.map(|span| span.to_string())), [Some("7d".to_owned()), Some("60d".to_owned())]);
    assert!(limits.avoid_same_hour && rules.needs_own_zone());

    let paris = "Europe/Paris".parse().expect("zones");
    let at = |text: &str| text.parse::<ringfence_domain::Moment>().expect("a moment");
    let mut window = rules.calendar(&paris, None);
    // In Paris: a Friday, between the campaign's 09:00 and France's 10:00, at France's lunch, after
    // the campaign's 18:00.
    for (moment, open) in [
        ("2026-11-20T08:30:00Z", false),
        ("2026-11-20T09:30:00Z", true),
        ("2026-11-20T12:30:00Z", false),
        ("2026-11-20T16:30:00Z", true),
        ("2026-11-20T17:00:00Z", false),
        ("2026-11-21T09:30:00Z", false),
    ] {
        assert_eq!(window.at(at(moment)).open, open, "{moment}");
    }
    assert!(!window.at(at("2026-05-14T09:30:00Z")).open, "Ascension is France's");
    assert!(!window.at(at("2026-12-28T09:30:00Z")).open, "and the 28th of December Britain's");
    assert!(
        !rules.calendar(&ringfence_domain::ZoneSet::default(), None).at(at("2026-11-20T09:30:00Z")).open,
        "nowhere"
    );
    let parts: Vec<String> = rules.window(&paris, None).into_iter().map(|part| part.rule).collect();
    assert_eq!(parts, ["hours", "closed_days", "preset fr", "preset us-regf"]);
}

#[test]
fn a_campaign_that_is_over_is_no_mistake() {
    let over = format!("{CAMPAIGN}[calling]\nhours = \"Mo-Fr 09:00-18:00\"\n[schedule]\nends = \"2026-11-01\"");
    assert!(parse(&over).is_ok());
}

#[test]
fn rules_survive_the_database() {
    let text = format!(
        "{CAMPAIGN}[calling]\nhours = \"Mo-Sa 09:00-13:00,14:00-20:00; Su off\"\ntimezone = \"Asia/Kolkata\"\nholidays = [\"IN-MH\", \"GB\"]\nclosed = [\"2026-11-08\"]\nrules = [\"uk\"]\n[limits]\nper_number = [\"2/day\", \"7/7d\"]\ncalls = \"10/s\"\ncool_off = {{ after_refusal = \"60d\" }}\n[retry]\nbusy = [\"5m\", \"1h\"]\nvoicemail = \"never\"\navoid_same_hour = true\njitter = \"0%\"\n[results]\nopt_out = {{ when = {{ opted_out = true }} }}\n[callback]\nfrom = \"t\"\nwhen = {{ asked = [\"yes\", \"y\"] }}\n[variables]\nname = \"{{{{x}}}} {{mobile}}\"\n[on_unknown]\npolicy = \"redial\"\nask_for = \"90s\""
    );
    let rules = parse(&text).expect("fine");
    let json = serde_json::to_string(&rules).expect("JSON");
    assert_eq!(serde_json::from_str::<Campaign>(&json).expect("read back"), rules);
    // Rules that were stored before there were holidays, presets or callbacks are read all the
    // same.
    let mut old: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for (table, keys) in [
        ("", &["callback", "opt_out", "refusal"][..]),
        ("calling", &["closures", "presets"]),
        ("limits", &["cool_off"]),
        ("retry", &["jitter", "avoid_same_hour"]),
    ] {
        let table = if table.is_empty() { &mut old } else { &mut old[table] };
        for key in keys {
            table.as_object_mut().expect("a table").remove(*key).expect(key);
        }
    }
    let old: Campaign = serde_json::from_value(old).expect("read");
    assert_eq!((old.retry.jitter, old.calling.presets.len(), old.callback), (10, 0, None));
}

#[test]
fn every_mistake_is_told_at_its_line_and_column_with_its_mend() {
    for (from, to, place, says) in [
        ("name = \"spring\"", "name = \"Spring Sale\"", "1:8", "lower-case"),
        ("name = \"spring\"", "", "1:1", "`name` is missing"),
        ("provider = \"main\"", "provider = \"mian\"", "2:12", "did you mean `main`?"),
        ("caller_ids = [\"9876500000\"]", "", "1:1", "caller_ids"),
        ("phone = \"mobile\"", "", "6:2", "`contacts.phone` is missing"),
        ("phone = \"mobile\"", "phone = \"mobile\"\ncountry = \"XX\"", "9:11", "not a two-letter country"),
        ("phone = \"mobile\"", "phone = \"mobile\"\ncountries = [\"IN\", \"XX\"]", "9:20", "not a two-letter country"),
        ("phone = \"mobile\"", "phone = \"mobile\"\ncountries = []", "9:13", "names no country"),
        ("phone = \"mobile\"", "phone = \"mobile\"\nallow = [\"fax\"]", "9:10", "premium, shared_cost, satellite"),
        ("[contacts]", "priority = 12\n[contacts]", "6:12", "from 1 to 9"),
        ("[contacts]", "priorty = 1\n[contacts]", "6:1", "did you mean `priority`?"),
        ("[contacts]", "[calling]\nhours = \"Mo-Fr 22:00-02:00\"\n[contacts]", "7:16", "22:00-26:00"),
        ("[contacts]", "[calling]\ntimezone = \"Asia/Calcuta\"\n[contacts]", "7:12", "did you mean `Asia/Calcutta`"),
        ("[contacts]", "[calling]\nguard = \"1 minute\"\n[contacts]", "7:9", "60s"),
        (
            "[contacts]",
            "[calling]\nhours = \"22:00-23:00\"\ntimezone = \"Asia/Kolkata\"\n[contacts]",
            "6:2",
            "`22:00-23:00 in Asia/Kolkata` and the lane's own hours `09:00-21:00 in Asia/Kolkata`",
        ),
        (
            "[contacts]",
            "[calling]\nhours = \"Sa-Su 09:00-21:00\"\nrules = [\"fr\", \"us-tcpa\"]\n[contacts]",
            "6:2",
            "never opens: [calling] hours `Sa-Su 09:00-21:00` and the preset fr `Mo-Fr",
        ),
        ("[contacts]", "[calling]\nhours = \"off\"\n[contacts]", "6:2", "never opens: [calling] hours `off"),
        (
            "[contacts]",
            "[calling]\nhours = \"Mo-Fr 09:00-21:00\"\n[schedule]\nstarts = \"2026-11-28\"\nends = \"2026-11-29\"\n[contacts]",
            "6:2",
            "never opens between the campaign's first day (2026-11-28) and its last (2026-11-29)",
        ),
        (
            "[contacts]",
            "[calling]\nhours = \"Mo-Fr 09:00-12:00; Mo-Fr 14:00-18:00\"\n[contacts]",
            "7:10",
            "with a comma",
        ),
        ("[contacts]", "[calling]\nhours = \"Mo-Sa 09:00-21:00; PH off\"\n[contacts]", "7:29", "holidays = "),
        ("[contacts]", "[calling]\nholidays = \"INDIA\"\n[contacts]", "7:12", "shipped: AU, FR, GB, IN, US"),
        (
            "[contacts]",
            "[calling]\nholidays = [\"IN\", \"GB-XX\"]\n[contacts]",
            "7:19",
            "its regions: ENG, NIR, SCT, WLS",
        ),
        ("[contacts]", "[calling]\nclosed = [\"2026-11-08\", \"08.11.2026\"]\n[contacts]", "7:25", "2026-11-08"),
        (
            "[contacts]",
            "[calling]\nrules = [\"in-trai-promotion\"]\n[contacts]",
            "7:10",
            "did you mean `in-trai-promotional`?",
        ),
        (
            "[contacts]",
            "[limits]\ncool_off = { after_answer = \"7d\" }\n[contacts]",
            "7:14",
            "did you mean `after_answered`?",
        ),
        (
            "[contacts]",
            "[limits]\ncool_off = { after_refusal = \"2 months\" }\n[contacts]",
            "7:30",
            "a unit other than d, h, m, s and ms",
        ),
        ("[contacts]", "[limits]\ncool_off = { after_refusal = \"1h30\" }\n[contacts]", "7:30", "15m, 1h30m or 1d 12h"),
        ("[contacts]", "[limits]\ncool_off = { after_refusal = \"1.5h\" }\n[contacts]", "7:30", "15m, 1h30m or 1d 12h"),
        ("[contacts]", "[retry]\njitter = \"a bit\"\n[contacts]", "7:10", "from 0 to 100"),
        ("[contacts]", "[results]\nopt_out = { when = {} }\n[contacts]", "7:13", "names no output"),
        (
            "[contacts]",
            "[results]\nopt_out = { opted_out = \"yes\" }\n[contacts]",
            "7:1",
            "`results.opt_out.when` is missing",
        ),
        ("[contacts]", "[callback]\nwhen = { asked = true }\n[contacts]", "6:2", "`callback.from` is missing"),
        ("[contacts]", "[callback]\nfrom = \"t\"\notherwise = \"soon\"\n[contacts]", "8:13", "not a length of time"),
        ("[contacts]", "[retry]\nbusy = \"soon\"\n[contacts]", "7:8", "not a length of time"),
        ("[contacts]", "[retry]\nmax_attempts = 0\n[contacts]", "7:16", "from 1"),
        ("[contacts]", "[limits]\nper_number = [\"0/day\"]\n[contacts]", "7:15", "never dial"),
        ("[contacts]", "[on_unknown]\npolicy = \"retry\"\n[contacts]", "7:10", "assume-placed"),
        ("[contacts]", "[variables]\nname = \"{nam\"\n[contacts]", "7:8", "never closed"),
        ("[contacts]", "[vendor]\nrefrence = \"ref\"\n[contacts]", "7:1", "did you mean `reference`?"),
        ("[contacts]", "[schedule]\ncron = \"0 25 * * *\"\n[contacts]", "7:8", "MON-FRI"),
        ("[contacts]", "[schedule]\ncron = \"0 9 30 2 *\"\n[contacts]", "7:8", "never comes"),
        ("[contacts]", "[schedule]\nmode = \"again\"\n[contacts]", "7:8", "add, restart"),
        ("[contacts]", "[schedule]\nstarts = \"tomorrow\"\n[contacts]", "7:10", "2026-11-23"),
        (
            "[contacts]",
            "[schedule]\nstarts = \"2099-02-02\"\nends = \"2099-02-01\"\n[contacts]",
            "6:2",
            "before it starts",
        ),
        ("[contacts]", "[safety]\nmax_rejected = \"120%\"\n[contacts]", "7:16", "from 1 to 100"),
        ("[contacts]", "[safety]\ncanary = 0\n[contacts]", "7:10", "from 1"),
        ("[contacts]", "[safety]\ncanary = 1001\n[contacts]", "7:10", "1000"),
        ("[contacts]", "[safety]\nmax_file_age = \"a day\"\n[contacts]", "7:16", "length of time"),
        ("[contacts]", "[callbacks]\nfrom = \"x\"\n[contacts]", "6:2", "did you mean `callback`?"),
    ] {
        let text = CAMPAIGN.replacen(from, to, 1);
        crate::assert_told(&parse(&text).expect_err(to), &format!("spring.toml:{place}:"), says);
    }
}
