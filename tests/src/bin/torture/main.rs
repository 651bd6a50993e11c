//! `cargo xtask torture`: what `RELIABILITY.md` reports. Processes die at every named point while
//! every kind of thing happens at the vendor and on the way to it; afterwards `ringfence verify`
//! goes through every call, with the vendor's tape beside it.
#![expect(clippy::print_stdout, reason = "its output is the result")]

mod behaviours;
mod loops;
mod matrix;
mod stage;
mod stories;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;

use self::loops::Evening;
use self::matrix::{Cell, Tally};
use self::stage::On;
use self::stories::End;

struct Options {
    minutes: u64,
    seed: u64,
    /// Only cells whose name contains this.
    only: String,
}

impl Options {
    fn parse() -> Result<Self, String> {
        let mut options = Self { minutes: 10, seed: fastrand::u64(..), only: String::new() };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            let number = || value.parse().map_err(|_| format!("`{value}` is not a number"));
            match name.as_str() {
                "--minutes" => options.minutes = number()?,
                "--seed" => options.seed = number()?,
                "--only" => options.only = value,
                _ => return Err(format!("`{name}` is none of --minutes, --seed, --only")),
            }
        }
        Ok(options)
    }
}

/// Every story is played once without a crash, beside the minutes that are asked for. More time means
/// that one hangs.
const ALIVE: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(message) => {
            println!("{message}");
            return ExitCode::from(1);
        }
    };
    println!("seed {}, {} minutes", options.seed, options.minutes);
    let mut tally = Tally::default();
    let wanted = |cell: &Cell| cell.to_string().contains(&options.only) || options.only.is_empty();
    // A cell that was named with its point is found among all that its story may reach.
    let alive: Vec<Cell> = matrix::alive().into_iter().filter(|cell| covers(cell, &options.only)).collect();
    let known = matrix::play_all(alive, Instant::now() + ALIVE, &mut tally).await;
    // A quarter of the time goes to evenings.
    let is_whole = options.only.is_empty();
    let begun = Instant::now();
    let end = begun + Duration::from_mins(options.minutes);
    let until = if is_whole { begun + Duration::from_mins(options.minutes) * 3 / 4 } else { end };
    if is_whole && tally.broken.is_empty() {
        tally.broken.extend(unreached(&known));
    }
    let mut cells: Vec<Cell> = known
        .iter()
        .flat_map(|(cell, end)| end.points.iter().map(|point| Cell { point: Some(point.clone()), ..cell.clone() }))
        .filter(wanted)
        .collect();
    println!("{} cells of {} stories without a crash", cells.len(), known.len());
    if known.is_empty() && options.only != "evening" {
        println!("no cell has `{}` in its name", options.only);
        return ExitCode::FAILURE;
    }
    fastrand::Rng::with_seed(options.seed).shuffle(&mut cells);
    matrix::play_all(cells, until, &mut tally).await;
    let (mut evenings, mut broken) = (Vec::new(), Vec::new());
    if is_whole || options.only == "evening" {
        (evenings, broken) = loops::play_all(options.seed, end).await;
    }
    tally.broken.extend(broken);
    report(&tally, is_whole);
    report_evenings(&evenings);
    for (cell, why) in &tally.broken {
        println!("BROKEN {cell}: {}", why.lines().next().unwrap_or_default());
    }
    if tally.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether cells of that name may come from this one.
fn covers(cell: &Cell, only: &str) -> bool {
    let name = cell.to_string();
    let name = name.trim_end_matches("alive");
    only.is_empty() || name.contains(only) || only.starts_with(name)
}

fn report(tally: &Tally, is_whole: bool) {
    println!(
        "\n| story | database | cells | kills | calls | on the tape | in review | broken |\n|---|---|---|---|---|---|---|---|"
    );
    for ((story, on), row) in &tally.rows {
        let matrix::Row { cells, kills, calls, taped, review, broken } = row;
        println!("| {} | {} | {cells} | {kills} | {calls} | {taped} | {review} | {broken} |", story.name(), on.name());
    }
    println!("\ndied at {} of {} points", tally.died_at.len(), points().count());
    if is_whole {
        let missed: Vec<String> = points().filter(|point| !tally.died_at.contains(point)).collect();
        println!("no time was left to die at {}: {}", missed.len(), missed.join(", "));
    }
}

/// Every crash point that there is.
fn points() -> impl Iterator<Item = String> {
    ringfence_store::transaction_names()
        .flat_map(|name| ringfence_crash::IN_TRANSACTIONS.iter().map(move |moment| format!("{name}.{moment}")))
        .chain(ringfence_crash::POINTS.iter().map(|(part, moment)| format!("{part}.{moment}")))
}

/// Points that are on one of the databases only: SQLite has no other processes to share lanes with
/// and no server to know again, and Postgres is backed up with its own tools.
const ONLY_ON: &[(On, &str)] = &[(On::Postgres, "share_lanes."), (On::Postgres, "trust."), (On::Sqlite, "backup.")];

/// Crash points that no story comes by on a database: nobody knows what dying there does.
fn unreached(known: &[(Cell, End)]) -> Vec<(String, String)> {
    let unreached_on = |on: On| {
        let reached: BTreeSet<&String> =
            known.iter().filter(|(cell, _)| cell.on == on).flat_map(|(_, end)| &end.points).collect();
        let elsewhere = |point: &str| ONLY_ON.iter().any(|(other, part)| *other != on && point.starts_with(part));
        let unreached = points().filter(|point| !reached.contains(point) && !elsewhere(point));
        let why = |point| (format!("{} {point}", on.name()), "no story comes by this crash point".to_owned());
        unreached.map(why).collect::<Vec<_>>()
    };
    On::BOTH.into_iter().flat_map(unreached_on).collect()
}

fn report_evenings(evenings: &[(On, Evening)]) {
    if evenings.is_empty() {
        return;
    }
    println!(
        "\n| database | evenings | kills | stood still | cut off | calls | on the tape | in review |\n|---|---|---|---|---|---|---|---|"
    );
    for on in On::BOTH {
        let own: Vec<&Evening> = evenings.iter().filter(|(of, _)| *of == on).map(|(_, evening)| evening).collect();
        let sum = |what: fn(&Evening) -> u64| own.iter().map(|evening| what(evening)).sum::<u64>();
        let verified = |name: &str| own.iter().filter_map(|evening| evening.verified[name].as_u64()).sum::<u64>();
        let (kills, stops, cuts) = (sum(|one| one.kills), sum(|one| one.stops), sum(|one| one.cuts));
        let (calls, taped, review) = (verified("calls"), verified("taped"), verified("review"));
        println!("| {} | {} | {kills} | {stops} | {cuts} | {calls} | {taped} | {review} |", on.name(), own.len());
    }
}
