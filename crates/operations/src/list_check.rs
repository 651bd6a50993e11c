//! What a campaign file and its contact file show together, for `check`: each at the line of the
//! key that says it.

use std::path::Path;

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::phone::Country;
use ringfence_domain::template::Template;
use ringfence_domain::{Campaign, Moment, Zone, ZoneSet};
use ringfence_intake::contacts::sample;
use ringfence_intake::{ConfigLane, ContactFile, Mistakes, places};

use crate::input_file::InputFile;
use crate::notices::Notices;
use crate::workspace;

/// Rows that are looked at.
const ROWS: usize = 200;
/// Moments of a schedule that are looked at.
const MOMENTS: usize = 60;

/// What was found.
#[derive(Default)]
pub struct Checked {
    /// What must be mended.
    pub mistakes: Vec<Mistakes>,
    /// What will surprise: `line:column` and a sentence.
    pub cautions: Vec<(String, String)>,
}

/// Looks at a campaign, its contact file as far as it is there, and its lane.
pub fn look(path: &Path, campaign: &Campaign, lane: &ConfigLane, now: Moment, notices: &Notices) -> Checked {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut checked = Checked::default();
    let zone = lane.setup.settings.timezone;
    let mut columns = None;
    if campaign.contacts.file.is_some() {
        let at = places::find(&text, "contacts", &|key, _| key == "file");
        let file = InputFile::of_campaign(campaign, zone, now, notices);
        match file {
            Ok(Some(file)) if file.path().exists() => match sample(file.path(), 0) {
                Ok(table) => {
                    checked.mistakes.extend(no_such_columns(path, &text, campaign, &table.columns));
                    if checked.mistakes.is_empty() {
                        checked.mistakes.extend(other_country(path, &text, campaign, lane, file.path()));
                    }
                    columns = Some(table.columns);
                }
                Err(error) => {
                    let hint = "mend the file, or name another one";
                    checked.mistakes.push(places::mistake(path, &text, at, error.to_string(), hint));
                }
            },
            Ok(Some(file)) => checked.caution(&text, at, format!("{} is not there yet", file.path().display())),
            Ok(None) => {}
            Err(error) => checked.caution(&text, at, error.to_string()),
        }
    }
    mustaches(&text, campaign, columns.as_deref(), &mut checked);
    if let Some(said) = outside_the_hours(campaign, lane, zone, now) {
        checked.caution(&text, places::find(&text, "schedule", &|key, _| key == "cron"), said);
    }
    checked
}

impl Checked {
    fn caution(&mut self, text: &str, at: Option<std::ops::Range<usize>>, said: String) {
        self.cautions.push((places::line_and_column(text, &at.unwrap_or(0..0)), said));
    }
}

/// Columns that the campaign names and the file does not have.
fn no_such_columns(path: &Path, text: &str, campaign: &Campaign, columns: &[String]) -> Option<Mistakes> {
    let missing = campaign.columns().find(|column| !columns.iter().any(|known| known == column))?;
    let names = |_: &str, said: &str| {
        said == missing
            || said.parse::<Template>().is_ok_and(|template| template.columns().any(|column| column == missing))
    };
    let sections = ["contacts", "variables", "metadata", "vendor"];
    let at = sections.iter().find_map(|section| places::find(text, section, &names));
    let message = format!("the contact file has no column `{missing}`; it has: {}", columns.join(", "));
    Some(places::mistake(path, text, at, message, "name one of these columns"))
}

/// A lane that can call nobody of the list.
fn other_country(path: &Path, text: &str, campaign: &Campaign, lane: &ConfigLane, file: &Path) -> Option<Mistakes> {
    let provider = workspace::provider(lane).ok()?;
    let mut rows = ContactFile::open(file, campaign, Box::new(|number| provider.can_call(number))).ok()?;
    let (mut refused, mut reason) = (0, String::new());
    for _ in 0..ROWS {
        match rows.next_row() {
            Ok(Some(Err(row))) if row.code == "vendor" => {
                refused += 1;
                reason = row.reason;
            }
            // Somebody can be called.
            Ok(Some(Ok(_))) => return None,
            Ok(Some(Err(_))) => {}
            _ => break,
        }
    }
    let at = places::find(text, "provider", &|_, _| true);
    let message = format!("lane {} calls nobody of this list: {reason}", campaign.provider);
    let hint = "choose a lane that calls the list's country, or another list";
    (refused > 0).then(|| places::mistake(path, text, at, message, hint))
}

/// `{{name}}`, which other tools fill and which here is a text with braces.
fn mustaches(text: &str, campaign: &Campaign, columns: Option<&[String]>, checked: &mut Checked) {
    let sections = [("variables", &campaign.variables), ("metadata", &campaign.metadata), ("vendor", &campaign.vendor)];
    for (section, templates) in sections {
        for (key, template) in templates {
            let written = template.to_string();
            let Some(name) =
                mustache(&written).filter(|name| columns.is_none_or(|known| known.iter().any(|column| column == name)))
            else {
                continue;
            };
            let own = key.rsplit('.').next().unwrap_or(key);
            let at = places::find(text, section, &|key, said| key == own && said.contains("{{"));
            let said = format!("`{{{{{name}}}}}` is said with braces, as it stands: write {{{name}}} for the column");
            checked.caution(text, at, said);
        }
    }
}

/// The first name in double braces.
fn mustache(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("{{")?;
    let (name, _) = rest.split_once("}}")?;
    let name = name.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

/// A schedule none of whose next moments is within the hours of anybody.
fn outside_the_hours(campaign: &Campaign, lane: &ConfigLane, zone: Zone, now: Moment) -> Option<String> {
    let cron = campaign.schedule.cron.as_ref()?;
    let vendor = lane.setup.settings.vendor_hours();
    let own = campaign.own_zone(zone);
    let places = match (campaign.calling.timezone, campaign.needs_own_zone()) {
        (CallingZone::Fixed(zone), false) => vec![ZoneSet::one(zone)],
        // Without a country they may be anywhere, and it is somebody's day.
        _ => ZoneSet::of_country(campaign.contacts.country.and_then(Country::calling_code)?),
    };
    let mut moments = Vec::new();
    let mut last = now;
    while moments.len() < MOMENTS {
        let Some(next) = cron.next(last, own) else { break };
        moments.push(next);
        last = next;
    }
    let first = *moments.first()?;
    let open = |place: &ZoneSet| {
        let mut calendar = campaign.calendar_of_any_day(place, vendor.as_ref());
        moments.iter().any(|moment| calendar.next_opening(*moment) == Some(*moment))
    };
    (!places.iter().any(open)).then(|| {
        let at = first.local(own).strftime("%H:%M");
        format!("`{cron}` ({at}) never comes while anybody may be called: its contacts wait until the hours begin")
    })
}
