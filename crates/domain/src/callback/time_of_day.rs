//! Times of day: `11 am`, `17:30`, `morning`, `between 10 and 11 am`.

use jiff::civil::Time;

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "morning" | "subah" => Some(Self::Morning),
            "afternoon" | "dopahar" => Some(Self::Afternoon),
            "evening" | "shaam" | "sham" => Some(Self::Evening),
            "night" | "raat" => Some(Self::Night),
            _ => None,
        }
    }

    /// Returns its hours: the first, and the one after the last.
    fn hours(self) -> std::ops::Range<u32> {
        match self {
            Self::Morning => 4..12,
            Self::Afternoon => 12..18,
            Self::Evening => 15..23,
            Self::Night => 18..24,
        }
    }

    /// Returns when it is over.
    pub(super) fn end(self) -> u32 {
        self.hours().end
    }

    /// Returns the time at which a callee is called who names only this part.
    fn usual(self) -> Option<Time> {
        let hour = match self {
            Self::Morning => 10,
            Self::Afternoon => 14,
            Self::Evening => 18,
            Self::Night => return None,
        };
        of_day(hour, 0)
    }
}

/// Returns a whole minute of the day, if there is one.
fn of_day(hour: u32, minute: u32) -> Option<Time> {
    Time::new(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()
}

fn hour_of(time: Time) -> u32 {
    time.hour().unsigned_abs().into()
}

/// A time as it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    hour: u32,
    minute: u32,
    /// 0 for am, 12 for pm.
    half: Option<u32>,
    /// Whether it is one time only, without a half and without a part of the day.
    certain: bool,
}

impl Clock {
    fn at(self, half: u32) -> Option<Time> {
        let hour = (1..=12).contains(&self.hour).then_some(self.hour % 12 + half)?;
        of_day(hour, self.minute)
    }

    /// Returns the beginning of a stretch that ends at `end`: in `10 to 11 am` ten is before noon,
    /// in `11 to 1 pm` eleven is.
    fn begins(self, end: Self) -> Self {
        let Some(last) = end.half.filter(|_| self.half.is_none() && !self.certain) else { return self };
        let half = if self.hour % 12 < end.hour % 12 { last } else { 12 - last };
        Self { half: Some(half), ..self }
    }
}

/// Returns the time that a clock time and a part of the day mean together; none when they are not
/// certain, or contradict each other.
pub(super) fn together(clock: Option<Clock>, part: Option<Part>) -> Option<Time> {
    let fits = |time: &Time| part.is_none_or(|part| part.hours().contains(&hour_of(*time)));
    let Some(clock) = clock else { return part?.usual() };
    let time = match (clock.half, part) {
        (Some(half), _) => clock.at(half)?,
        (None, Some(_)) if (1..=12).contains(&clock.hour) => {
            let halves: Vec<Time> = [0, 12].into_iter().filter_map(|half| clock.at(half)).filter(&fits).collect();
            let [only] = halves.as_slice() else { return None };
            *only
        }
        _ if clock.certain => of_day(clock.hour, clock.minute)?,
        _ => return None,
    };
    fits(&time).then_some(time)
}

/// Reads a time at the beginning of the words; of a stretch, its beginning. Returns it with the
/// words that follow it.
pub(super) fn time<'w, 't>(words: &'w [&'t str]) -> Option<(Clock, &'w [&'t str])> {
    let (named, words) = match words {
        ["between" | "from", rest @ ..] => (true, rest),
        _ => (false, words),
    };
    let (start, rest) = one(words)?;
    let (to, rest_of_stretch) = match rest {
        ["to" | "till" | "until" | "-", more @ ..] => (true, more),
        ["and", more @ ..] if named => (true, more),
        _ => (false, rest),
    };
    if !to {
        return (!named).then_some((start, rest));
    }
    let (end, rest) = one(rest_of_stretch)?;
    Some((start.begins(end), rest))
}

/// Reads one time. Hours without minutes need `am` or `pm` or a part of the day, and so does
/// `5:30`, which is either; `17:30`, `05:30`, and `10:30`, which at night would be outside every
/// window, do not. `10.12` alone is a date as well.
fn one<'w, 't>(words: &'w [&'t str]) -> Option<(Clock, &'w [&'t str])> {
    let number = |text: &str| text.parse::<u32>().ok();
    let of_half = |hour, minute, half| Clock { hour, minute, half, certain: false };
    match words {
        ["noon" | "midday", rest @ ..] => Some((Clock { hour: 12, minute: 0, half: Some(12), certain: true }, rest)),
        [written, sign @ (":" | "."), minute, rest @ ..] if minute.len() == 2 => {
            let (hour, minute) = (number(written)?, number(minute)?);
            if let Some((half, rest)) = half(rest) {
                return Some((of_half(hour, minute, Some(half)), rest));
            }
            if *sign == "." || hour > 23 {
                return None;
            }
            let certain = hour == 0 || hour >= 10 || written.starts_with('0');
            // Seconds, as machines write them.
            let rest = if let [":", seconds, more @ ..] = rest { number(seconds).map(|_| more)? } else { rest };
            Some((Clock { hour, minute, half: None, certain }, rest))
        }
        [written, rest @ ..] => {
            let hour = number(written).filter(|hour| (1..=12).contains(hour))?;
            let (half, rest) = half(rest).map_or((None, rest), |(half, rest)| (Some(half), rest));
            let rest = match rest {
                ["baje" | "oclock", more @ ..] => more,
                _ => rest,
            };
            Some((of_half(hour, 0, half), rest))
        }
        [] => None,
    }
}

fn half<'w, 't>(words: &'w [&'t str]) -> Option<(u32, &'w [&'t str])> {
    match words {
        ["am", rest @ ..] => Some((0, rest)),
        ["pm", rest @ ..] => Some((12, rest)),
        [half @ ("a" | "p"), ".", "m", ".", rest @ ..] | [half @ ("a" | "p"), ".", "m", rest @ ..] => {
            Some((if *half == "a" { 0 } else { 12 }, rest))
        }
        _ => None,
    }
}
