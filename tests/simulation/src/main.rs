//! `simulation`: runs of the dialer in virtual time, each from one seed. One that breaks a promise is
//! made smaller and printed, to be kept in `reproductions/`.
#![expect(clippy::print_stdout, reason = "its output is the result")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::{Command, ExitCode};
use std::sync::mpsc;
use std::time::Duration;

use ringfence_simulation::{Operation, begin, parse, random, run, shrink, written};
use tokio::time::Instant;

const USAGE: &str = "ringfence-simulation [--seed N] [--steps N] [--minutes N | --file FILE] [--log | --print]";

struct Options {
    seed: u64,
    steps: usize,
    minutes: Option<u64>,
    file: Option<String>,
    log: bool,
    print: bool,
}

impl Options {
    fn parse() -> Result<Self, String> {
        let mut options =
            Self { seed: fastrand::u64(..), steps: 60, minutes: None, file: None, log: false, print: false };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            if name == "--log" {
                options.log = true;
                continue;
            }
            if name == "--print" {
                options.print = true;
                continue;
            }
            let value = args.next().ok_or(USAGE)?;
            let number = || value.parse().map_err(|_| format!("`{value}` is not a number"));
            match name.as_str() {
                "--seed" => options.seed = number()?,
                "--steps" => options.steps = number()? as usize,
                "--minutes" => options.minutes = Some(number()?),
                "--file" => options.file = Some(value),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let done = Options::parse().and_then(|options| match options.minutes {
        Some(minutes) => many(options.seed, options.steps, Duration::from_mins(minutes)),
        None => one(&options),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(message) => {
            println!("{message}");
            ExitCode::from(1)
        }
    }
}

/// One run in this process. Whether every promise held.
fn one(options: &Options) -> Result<bool, String> {
    let (seed, operations) = match &options.file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            (seed_of(&text).unwrap_or(options.seed), parse(&text)?)
        }
        None => (options.seed, random(options.seed, options.steps)),
    };
    if options.print {
        print!("{}", written(&operations));
        return Ok(true);
    }
    let count = operations.len();
    begin(seed);
    let ran = within(LONGEST, move || run(operations, seed))?;
    if options.log {
        println!("{}", ran.log);
    }
    let mut digest = DefaultHasher::new();
    ran.log.hash(&mut digest);
    let (calls, digest) = (ran.calls, digest.finish());
    match &ran.broken {
        None => println!("seed {seed}: {count} operations, {calls} calls, digest {digest:016x}"),
        Some((nth, what)) => println!("seed {seed}: BROKEN after operation {}: {what}", nth + 1),
    }
    Ok(ran.broken.is_none())
}

/// A run that takes longer in real time goes on for ever.
const LONGEST: Duration = Duration::from_mins(3);

/// What `work` returns, unless it takes longer than `most`.
fn within<T: Send + 'static>(most: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    let working = std::thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(most) {
        Ok(done) => Ok(done),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it did not end within {} s", most.as_secs())),
        Err(mpsc::RecvTimeoutError::Disconnected) => match working.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => Err("it ended without a result".to_owned()),
        },
    }
}

/// The seed that a run was written down with: the line `# seed 7`.
fn seed_of(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("# seed ")?.trim().parse().ok())
}

/// Runs of one seed after the other until the time is over, each in a process of its own.
fn many(first: u64, steps: usize, time: Duration) -> Result<bool, String> {
    let begun = Instant::now();
    let (mut runs, mut holds) = (0_u64, true);
    while begun.elapsed() < time {
        let seed = first.wrapping_add(runs);
        runs += 1;
        let (held, said) = child(seed, &["--steps", &steps.to_string()])?;
        if held {
            continue;
        }
        holds = false;
        println!("{said}");
        let smaller =
            shrink(random(seed, steps), |part| broken(seed, part).is_some_and(|now| kind(&now) == kind(&said)));
        println!("# seed {seed}\n{}", written(&smaller));
    }
    println!(
        "{runs} runs of {steps} operations from seed {first}: {}",
        if holds { "all held" } else { "not all held" }
    );
    Ok(holds)
}

/// What these operations break, if anything.
fn broken(seed: u64, operations: &[Operation]) -> Option<String> {
    let file = std::env::temp_dir().join(format!("simulation-{}.txt", std::process::id()));
    std::fs::write(&file, written(operations)).expect("written");
    let ran = child(seed, &["--file", &file.display().to_string()]);
    std::fs::remove_file(&file).ok();
    ran.ok().and_then(|(held, said)| (!held).then_some(said))
}

/// The kind of fault: what was said, without who, when and how often. A smaller run is to show the
/// same one.
fn kind(said: &str) -> String {
    said.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1).collect::<Vec<_>>().join(" ")
}

/// A run in a process of its own: whether it held, and what it said.
fn child(seed: u64, args: &[&str]) -> Result<(bool, String), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(own).args(["--seed", &seed.to_string()]).args(args).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok((true, said)),
        Some(2) => Ok((false, said)),
        // A panic breaks a promise, too.
        _ => Ok((false, format!("seed {seed}: {said} {}", String::from_utf8_lossy(&output.stderr)))),
    }
}
