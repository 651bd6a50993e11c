//! What needs a person, as people and probes read it.

use ringfence_domain::{Moment, Zone};
use ringfence_operations::attention::{Finding, Health, Level};

use crate::screen::wrapped;

/// Each finding in two lines, the worst first; nothing when nothing is wrong.
pub fn lines(health: &Health, now: Moment) -> String {
    let zone = health.zone.unwrap_or_else(Zone::utc);
    health.findings.iter().map(|finding| two_lines(finding, now, zone)).collect()
}

fn two_lines(finding: &Finding, now: Moment, zone: Zone) -> String {
    let Finding { level, about, what, since, mend, .. } = finding;
    let since = since.map(|since| format!("since {}; ", since.shown_near(now, zone))).unwrap_or_default();
    let what = format!("{}: {about}: {}", word(*level), what.trim_end_matches('.'));
    format!("{}\n{}\n", wrapped(&what), wrapped(&format!("    {since}to mend it: {mend}")))
}

/// All findings in one line, after the worst level.
pub fn one_line(health: &Health) -> String {
    if health.findings.is_empty() {
        let Health { campaigns, calls_per_min, .. } = health;
        let campaigns = if *campaigns == 1 { "1 campaign".to_owned() } else { format!("{campaigns} campaigns") };
        let calls = if *calls_per_min == 1 { "1 call".to_owned() } else { format!("{calls_per_min} calls") };
        return format!("OK: {campaigns}, {calls} in the last minute\n");
    }
    let found: Vec<String> = health
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.about, finding.what.trim_end_matches('.')))
        .collect();
    format!("{}: {}\n", word(health.level), found.join("; "))
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "OK",
        Level::Warning => "WARNING",
        Level::Critical => "CRITICAL",
    }
}
