//! Caps and cool-offs over 100,000 random histories of one number: whoever calls only when all of
//! them allow never exceeds any, and is never held longer than needed.

use std::collections::BTreeMap;

use ringfence_domain::cool_off::CoolOff;
use ringfence_domain::{Moment, NumberLimits, Outcome, PastCall, Span, ZoneSet};

use super::Dice;

const DAY: i64 = 86_400;

/// A rule as people say it, judged over a whole history and not call by call.
enum Plain {
    /// At most so many calls in any stretch of so many seconds.
    Rolling(usize, i64),
    /// At most so many on one date, wherever the callee may be.
    Daily(usize),
}

impl Plain {
    fn random(dice: &mut Dice) -> (Self, String) {
        let count = 1 + dice.roll(4) as usize;
        match dice.roll(4) {
            0 => (Self::Daily(count), format!("{count}/day")),
            1 => (Self::Rolling(count, 24 * 3600), format!("{count}/24h")),
            2 => (Self::Rolling(count, 7 * DAY), format!("{count}/7d")),
            _ => (Self::Rolling(count, 30 * DAY), format!("{count}/30d")),
        }
    }

    fn holds(&self, calls: &[PastCall], zones: &ZoneSet) -> bool {
        match self {
            Self::Rolling(count, seconds) => calls.windows(count + 1).all(|group| {
                let (first, last) = (group[0].sent_at, group[*count].sent_at);
                last.since(first) >= Span::from_secs(*seconds)
            }),
            Self::Daily(count) => zones.zones().iter().all(|zone| {
                let mut by_date: BTreeMap<_, usize> = BTreeMap::new();
                for call in calls {
                    *by_date.entry(call.sent_at.date(*zone)).or_default() += 1;
                }
                by_date.values().all(|made| made <= count)
            }),
        }
    }
}

#[test]
fn over_a_hundred_thousand_histories() {
    let places: [ZoneSet; 4] = ["Asia/Kolkata", "America/New_York|America/Chicago", "Pacific/Apia", "Europe/London"]
        .map(|zones| zones.parse().expect("zones"));
    let mut dice = Dice::of(5);
    let (mut made, mut held) = (0_u64, 0_u64);
    for history in 0..100_000 {
        let zones = dice.pick(&places).clone();
        let plain: Vec<(Plain, String)> = (0..=dice.roll(2)).map(|_| Plain::random(&mut dice)).collect();
        let cool_off = CoolOff {
            after_answered: (dice.roll(2) == 0).then(|| Span::from_days(1 + dice.roll(7) as i64)),
            after_refusal: (dice.roll(3) == 0).then(|| Span::from_days(60)),
        };
        let limits = NumberLimits {
            caps: plain.iter().map(|(_, text)| text.parse().expect("a cap")).collect(),
            cool_off,
            avoid_same_hour: false,
        };
        // Around the nights when clocks change, too.
        let mut now = Moment::from_secs(1_770_000_000 + dice.roll(60_000_000) as i64);
        let mut calls: Vec<PastCall> = Vec::new();
        for _ in 0..12 {
            let longest = 2 * 3600 * (1 + dice.roll(30));
            now = now + Span::from_secs(1 + dice.roll(longest) as i64);
            // What is older than the rules remember is not asked for.
            let since = now - limits.memory() - Span::from_days(2);
            let known: Vec<PastCall> = calls.iter().copied().filter(|call| call.sent_at > since).collect();
            if let Err(hold) = limits.allows(&known, now, &zones) {
                held += 1;
                let before = hold.until - Span::from_millis(1);
                assert!(
                    hold.until > now && limits.allows(&known, before, &zones).is_err(),
                    "{history}: {limits:?} {calls:?}"
                );
                now = hold.until;
                if limits.allows(&known, now, &zones).is_err() {
                    // Another rule holds it for longer; the next try asks again.
                    continue;
                }
            }
            let talk = dice.roll(600) as i64;
            let outcome = *dice.pick(&[Outcome::Answered, Outcome::NoAnswer, Outcome::Busy, Outcome::Rejected]);
            let refused = outcome == Outcome::Rejected || (outcome == Outcome::Answered && dice.roll(4) == 0);
            let ended_at = Some(now + Span::from_secs(talk));
            calls.push(PastCall { sent_at: now, ended_at, outcome: Some(outcome), refused });
            now = now + Span::from_secs(talk);
        }
        made += calls.len() as u64;
        for (rule, text) in &plain {
            assert!(rule.holds(&calls, &zones), "{history}: {text} in {zones}: {calls:?}");
        }
        for pair in calls.windows(2) {
            let ended = pair[0].ended_at.expect("it ended");
            let spoken = (pair[0].outcome == Some(Outcome::Answered)).then_some(cool_off.after_answered).flatten();
            let refused = pair[0].refused.then_some(cool_off.after_refusal).flatten();
            let least = spoken.max(refused).unwrap_or(Span::ZERO);
            assert!(pair[1].sent_at >= ended + least, "{history}: {cool_off:?}: {pair:?}");
        }
    }
    assert!(made > 200_000 && held > 200_000, "{made} calls made, {held} times held");
}
