//! The summary of a run, as people read it.

use comfy_table::Color;
use ringfence_domain::Zone;
use ringfence_domain::summary::{Summary, UnclearOptOut, UnheededOptOut};

use crate::screen::{self, Table, plural, table};

/// Several summaries, one below the other, each in the zone whose clocks its people read.
pub fn summaries(summaries: &[(Summary, Zone)]) -> String {
    summaries.iter().map(|(one, zone)| summary(one, *zone)).collect()
}

/// The summary as a person in this zone reads it.
pub fn summary(summary: &Summary, zone: Zone) -> String {
    let mut lines = Lines(table(&[]));
    lines.state(summary);
    lines.contacts(summary);
    lines.calls(summary);
    lines.said(summary);
    lines.pace(summary);
    lines.last_import(summary);
    if let Some(eta) = summary.eta {
        lines.add("done about", eta.shown(zone));
    }
    if let Some(next) = summary.next_dial_at.filter(|_| summary.contacts.active == 0) {
        lines.add("next call", next.shown(zone));
    }
    format!("{}\n", lines.0)
}

/// A table of two columns: what, and how it stands. Nothing is said of what there is nothing of.
struct Lines(Table);

impl Lines {
    fn add(&mut self, name: &str, text: String) {
        if !text.is_empty() {
            self.0.add_row(vec![screen::cell(name), screen::cell(text)]);
        }
    }

    fn state(&mut self, summary: &Summary) {
        let state = match summary.state {
            "done" => screen::cell("done").fg(Color::Green),
            "paused" | "held" | "cancelled" | "draft" => screen::cell(summary.state).fg(Color::Red),
            other => screen::cell(other).fg(Color::Cyan),
        };
        self.0.add_row(vec![screen::cell(&summary.campaign).bold(), state]);
        if let Some(reason) = &summary.lane.reason {
            // An open lane that rests has a reason too.
            let state = if summary.lane.state == "open" { "" } else { summary.lane.state };
            self.add("lane", format!("{}: {reason}", format!("{} {state}", summary.lane.name).trim_end()));
        }
        // The sentence says what holds it, where there is one.
        self.add("because", summary.because.clone().or_else(|| summary.held_by.clone()).unwrap_or_default());
        self.add("limited by", summary.limited_by.clone().unwrap_or_default());
        self.add("to go on", way_on(summary).unwrap_or_default());
    }

    fn contacts(&mut self, summary: &Summary) {
        let contacts = &summary.contacts;
        self.add(
            "contacts",
            list(&[
                ("total", contacts.total),
                ("waiting", contacts.waiting),
                ("being called", contacts.active),
                ("done", contacts.done),
                ("stopped", contacts.stopped),
                ("in review", contacts.review),
            ]),
        );
        let share = if contacts.total > 0 { 100.0 * summary.reached as f64 / contacts.total as f64 } else { 0.0 };
        self.add("reached", format!("{} ({share:.0}%)", summary.reached));
        let waiting = &summary.waiting_for;
        self.add(
            "waiting for",
            list(&[
                ("their retry", waiting.retry),
                ("the window", waiting.window),
                ("a limit on their number", waiting.contact_cap),
                ("the lane's day", waiting.lane_budget),
                ("the lane to resume", waiting.lane_paused),
                ("a stop, a hold, a canary or a review", waiting.held),
                ("their turn", waiting.pace),
            ]),
        );
        self.add("stopped for", list(&pairs(&summary.stopped_for)));
    }

    fn calls(&mut self, summary: &Summary) {
        let attempts = &summary.attempts;
        self.add(
            "calls",
            list(&[
                ("placed", attempts.placed),
                ("in flight", attempts.in_flight),
                ("not sent", attempts.not_sent),
                ("refused", attempts.refused),
                ("of unknown fate", attempts.unknown),
            ]),
        );
        if summary.refused_alone > 0 {
            let text = "refused again and again while others are called: they wait longer each time, then go to review";
            self.add("refused alone", format!("{} contacts {text}", summary.refused_alone));
        }
        self.add("outcomes", list(&pairs(&summary.outcomes)));
        let callbacks = summary.callbacks;
        self.add(
            "callbacks",
            list(&[
                ("at the time that was asked for", callbacks.understood),
                ("whose time was not understood", callbacks.not_understood),
            ]),
        );
    }

    fn said(&mut self, summary: &Summary) {
        self.add("said", list(&[("want no more calls", summary.said.opted_out), ("said no", summary.said.refused)]));
        for unclear in &summary.said.unclear {
            let UnclearOptOut { output, value, calls } = unclear;
            self.add(
                "look",
                format!(
                    "{calls} said `{value}` in {output}: neither an opt-out nor a no. `ringfence export` has the calls"
                ),
            );
        }
        for unheeded in &summary.said.not_heeded {
            let UnheededOptOut { output, calls, wanted } = unheeded;
            self.add(
                "look",
                format!(
                    "{calls} calls had the output {output} ({wanted} of them not no), and no rule heeds it: add [results] opt_out = \
                     {{ when = {{ {output} = \"yes\" }} }}"
                ),
            );
        }
        if !summary.never_collected.is_empty() {
            let names = summary.never_collected.join(", ");
            self.add(
                "look",
                format!("no answered call had the output {names}, which [results] or [callback] asks for"),
            );
        }
    }

    fn pace(&mut self, summary: &Summary) {
        let answered = summary.rate.answer_rate.map(|rate| format!("{:.0}% of calls answered", rate * 100.0));
        let pace = (summary.rate.calls_per_min > 0.0)
            .then(|| format!("{} in the last minute", plural(summary.rate.calls_per_min as i64, "call")));
        self.add("rate", [pace, answered].into_iter().flatten().collect::<Vec<_>>().join(", "));
        self.add("talked", talked(summary.talk_seconds));
        self.add(
            "cost",
            summary.cost.iter().map(|cost| format!("{} {}", cost.amount, cost.currency)).collect::<Vec<_>>().join(", "),
        );
    }

    fn last_import(&mut self, summary: &Summary) {
        if let Some(import) = &summary.last_import {
            self.add(
                "last import",
                list(&[
                    ("rows", import.rows),
                    ("accepted", import.accepted),
                    ("updated", import.updated),
                    ("unchanged", import.unchanged),
                    ("duplicate", import.duplicate),
                    ("rejected", import.rejected),
                    ("missing", import.missing),
                ]),
            );
            if let Some(why) = &import.held_for {
                self.add("held import", format!("{}: {why}", import.import));
            }
        }
    }
}

/// What lets a held campaign dial again.
fn way_on(summary: &Summary) -> Option<String> {
    let (name, by) = (&summary.campaign, summary.held_by.as_deref()?);
    Some(match by.split([':', ' ']).next()? {
        "safety" => format!("look at it, then `ringfence resume {name} --accept`"),
        "pause" => format!("`ringfence resume {name}`"),
        "lane" => format!("mend what it says, then `ringfence lanes resume {}`", summary.lane.name),
        "stop" => "`ringfence start`, or remove the file STOP".to_owned(),
        _ => return None,
    })
}

fn talked(seconds: i64) -> String {
    if seconds == 0 { String::new() } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

fn pairs<'a>(counts: &std::collections::BTreeMap<&'a str, i64>) -> Vec<(&'a str, i64)> {
    let mut pairs: Vec<(&str, i64)> = counts.iter().map(|(name, n)| (*name, *n)).collect();
    pairs.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    pairs
}

fn list(parts: &[(&str, i64)]) -> String {
    let shown: Vec<String> =
        parts.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{n} {}", name.replace('_', " "))).collect();
    shown.join(", ")
}
