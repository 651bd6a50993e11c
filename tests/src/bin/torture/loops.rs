//! Evenings of trouble: several processes dial one database while they are killed, stopped and
//! continued, cut off from it, and while an operator pauses, edits and imports.

use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::fault_proxy::{Break, FaultProxy};
use ringfence_tests::{project, sample};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::process::Child;
use tokio::time::Instant;

use crate::behaviours::well;
use crate::stage::{Crash, On, Stage};

/// The people of one evening, and those who come later.
const PEOPLE: usize = 300;
const MORE: usize = 60;
/// Troubles of one evening.
const TROUBLES: usize = 60;
const PROCESSES: usize = 3;
/// A lane is another's after nine seconds.
const PAST_THE_LEASE: Duration = Duration::from_secs(11);

/// How an evening ended.
#[derive(Debug)]
pub(crate) struct Evening {
    /// Processes that were killed.
    pub(crate) kills: u64,
    /// Processes that stood still for longer than their leases, and went on.
    pub(crate) stops: u64,
    /// Times that connections to the database were cut, or its server crashed.
    pub(crate) cuts: u64,
    /// What `verify` says.
    pub(crate) verified: Value,
}

/// Plays one evening that the seed decides. An error is a broken promise, or something that hangs.
pub(crate) async fn play(on: On, seed: u64) -> Result<Evening, String> {
    let mut random = Rng::with_seed(seed);
    let behaviour = Behaviour { faults: vec![(Fault::LostAnswer, 3.0), (Fault::ErrorBefore, 2.0)], ..well() };
    let mut stage = Stage::set(on, behaviour, Crash::Never).await;
    let server = server_of(&stage.database.url);
    let database = match &server {
        Some(address) => Some(FaultProxy::before(*address).await),
        None => None,
    };
    let url = match (&server, &database) {
        (Some(server), Some(way)) => stage.database.url.replace(&server.to_string(), &way.address.to_string()),
        _ => stage.database.url.clone(),
    };
    write_project(&stage, &url);
    stage.insist(&["apply", "spring.toml", "--yes"], &[0]).await?;
    stage.insist(&["import", "spring", "contacts.csv"], &[0]).await?;

    let mut evening = Evening { kills: 0, stops: 0, cuts: 0, verified: Value::Null };
    let mut dialling = Vec::new();
    for _ in 0..PROCESSES {
        dialling.push(serve(&stage)?);
    }
    for _ in 0..TROUBLES {
        tokio::time::sleep(Duration::from_millis(random.u64(50..700))).await;
        let one = random.usize(..PROCESSES);
        match random.u32(..100) {
            0..30 => {
                dialling[one].kill().await.map_err(|error| error.to_string())?;
                evening.kills += 1;
                dialling[one] = serve(&stage)?;
            }
            30..36 => {
                stand_still(&dialling[one]);
                evening.stops += 1;
            }
            36..56 => evening.cuts += u64::from(cut(&stage, database.as_ref(), &mut random).await),
            _ => operate(&mut stage, &mut random).await?,
        }
    }
    if let Some(way) = &database {
        way.heal();
    }
    // Who stood still goes on, and ends as the others.
    for child in &mut dialling {
        signal(child, Signal::CONT);
        child.kill().await.map_err(|error| error.to_string())?;
    }
    stage.vendor.simulator.change(|behaviour| *behaviour = well());
    for args in [&["start"][..], &["lanes", "resume", "main"], &["lanes", "resume", "second"]] {
        any(&mut stage, args).await?;
    }
    any(&mut stage, &["resume", "spring", "--accept"]).await?;
    let summary = stage.dial_on().await?;
    let total = summary["contacts"]["total"].as_u64().unwrap_or_default() as usize;
    if total != PEOPLE && total != PEOPLE + MORE {
        return Err(format!("{total} people are there: {summary}"));
    }
    evening.verified = stage.verify().await?;
    stage.database.drop_it().await;
    Ok(evening)
}

/// An operator does something.
async fn operate(stage: &mut Stage, random: &mut Rng) -> Result<(), String> {
    match random.u32(56..100) {
        56..66 => interrupted(stage, &["pause", "spring", "--reason", "a look"], &["resume", "spring"]).await,
        66..74 => interrupted(stage, &["lanes", "pause", "main"], &["lanes", "resume", "main"]).await,
        74..82 => {
            let number = sample::number(random.usize(..PEOPLE));
            any(stage, &["dnc", "add", number.e164()]).await
        }
        82..90 => any(stage, &["import", "spring", "more.csv", "--partial"]).await,
        _ => {
            write_rules(stage, random.u32(2..4));
            any(stage, &["apply", "spring.toml", "--yes"]).await
        }
    }
}

/// The address of the server of a Postgres database.
fn server_of(url: &str) -> Option<std::net::SocketAddr> {
    url::Url::parse(url).ok().filter(|url| url.scheme() == "postgres")?.socket_addrs(|| None).ok()?.first().copied()
}

fn serve(stage: &Stage) -> Result<Child, String> {
    let mut command = stage.command(&["serve"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // One that is dead already hears nothing.
        kill_process(pid, signal).ok();
    }
}

/// A process stands still until long after its leases are over, and goes on as if nothing were.
fn stand_still(child: &Child) {
    signal(child, Signal::STOP);
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    tokio::spawn(async move {
        tokio::time::sleep(PAST_THE_LEASE).await;
        if let Some(pid) = pid {
            kill_process(pid, Signal::CONT).ok();
        }
    });
}

/// Something happens to the way to the database, or to its server. False on SQLite, which has
/// neither.
async fn cut(stage: &Stage, way: Option<&FaultProxy>, random: &mut Rng) -> bool {
    let Some(way) = way else { return false };
    match random.u32(..4) {
        0 => way.cut(),
        1 => {
            way.break_by(Break::Latency(Duration::from_millis(random.u64(5..60))), b"");
            tokio::time::sleep(Duration::from_millis(500)).await;
            way.heal();
        }
        2 => {
            way.break_by(Break::BlackHole, b"");
            tokio::time::sleep(Duration::from_millis(random.u64(500..3_000))).await;
            way.heal();
            way.cut();
        }
        _ => crash_server(&stage.database.url).await,
    }
    true
}

/// A backend that is killed takes the whole server with it: all connections end, and it recovers
/// from its log.
async fn crash_server(url: &str) {
    let Ok(mut link) = PgConnection::connect(url).await else { return };
    let Ok((pid,)) = sqlx::query_as::<_, (i32,)>("SELECT pg_backend_pid()").fetch_one(&mut link).await else { return };
    if let Some(pid) = Pid::from_raw(pid) {
        kill_process(pid, Signal::KILL).ok();
    }
}

/// A command that may fail for a database that is cut off, and may not hang.
async fn any(stage: &mut Stage, args: &[&str]) -> Result<(), String> {
    stage.run(args).await.map(drop)
}

/// Something is held for a moment, and let go for certain.
async fn interrupted(stage: &mut Stage, hold: &[&str], release: &[&str]) -> Result<(), String> {
    any(stage, hold).await?;
    any(stage, release).await
}

fn write_project(stage: &Stage, url: &str) {
    let lanes = ["main", "second"].map(|name| project::lane(name, stage.way.address, 20, 30));
    stage.write("ringfence.toml", &[project::database(url), lanes.concat()].concat());
    write_rules(stage, 3);
    stage.write("contacts.csv", &project::contacts(0..PEOPLE));
    stage.write("more.csv", &project::contacts(PEOPLE..PEOPLE + MORE));
}

fn write_rules(stage: &Stage, max_attempts: u32) {
    let rules = format!("[retry]\nbusy = \"1s\"\nmax_attempts = {max_attempts}\n\n[on_unknown]\nask_for = \"8s\"\n");
    stage.write("spring.toml", &project::campaign("spring", "main", None, &rules));
}

/// Plays evenings on both databases in turns until the time is over.
pub(crate) async fn play_all(seed: u64, until: Instant) -> (Vec<(On, Evening)>, Vec<(String, String)>) {
    let (mut evenings, mut broken) = (Vec::new(), Vec::new());
    let mut nth = 0;
    while Instant::now() < until {
        let both = On::BOTH.map(|on| tokio::spawn(play(on, seed.wrapping_add(nth))));
        for (on, playing) in On::BOTH.into_iter().zip(both) {
            match playing.await.unwrap_or_else(|panic| Err(panic.to_string())) {
                Ok(evening) => evenings.push((on, evening)),
                Err(why) => {
                    let name = format!("{} evening {}", on.name(), seed.wrapping_add(nth));
                    println!("BROKEN {name}: {why}");
                    broken.push((name, why));
                }
            }
        }
        nth += 1;
    }
    (evenings, broken)
}
