//! `ringfence sandbox`

use std::sync::Arc;

use ringfence_providers::HttpTransport;
use ringfence_sandbox::{Behaviour, IqraDialect, MachineClock, Simulator, Tape};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{DONE, Failure};
use crate::screen;

/// `sandbox`
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9922", value_name = "ADDR")]
    pub listen: std::net::SocketAddr,
    /// Append every request to this file before it is answered
    #[arg(long, value_name = "FILE")]
    pub tape: Option<std::path::PathBuf>,
    /// How calls end, by weight: answered=60,no_answer=40
    #[arg(long, value_name = "WEIGHTS")]
    pub outcomes: Option<String>,
    /// What goes wrong, in percent: lost_answer=2%,error_before=1%
    #[arg(long, value_name = "SHARES")]
    pub faults: Option<String>,
    /// How long answered calls last on the average
    #[arg(long, default_value = "2s", value_name = "TIME")]
    pub talk: ringfence_domain::Span,
    /// How long calls ring
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub ring: ringfence_domain::Span,
    /// How long calls wait in the vendor's queue before they ring
    #[arg(long, default_value = "0s", value_name = "TIME")]
    pub queue: ringfence_domain::Span,
    /// How long after it was placed a call stands in the vendor's list; `never` when it does not
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = listed_after)]
    pub listed_after: ListedAfter,
    /// Which requests the simulated Iqra AI understands: both, docs, config
    #[arg(long, default_value = "both", value_name = "DIALECT")]
    pub iqra: IqraDialect,
    /// How long each answer takes
    #[arg(long, default_value = "5ms", value_name = "TIME")]
    pub latency: ringfence_domain::Span,
    /// Other seeds end other calls otherwise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// A time, or never.
#[derive(Debug, Clone, Copy)]
pub struct ListedAfter(Option<ringfence_domain::Span>);

fn listed_after(text: &str) -> Result<ListedAfter, String> {
    match text {
        "never" => Ok(ListedAfter(None)),
        time => time.parse().map(|span| ListedAfter(Some(span))).map_err(|error| format!("{error}")),
    }
}

/// Every vendor, simulated, on one socket and each on its own paths, until it is interrupted.
pub async fn sandbox(args: &SandboxArgs) -> Result<u8, Failure> {
    let mut behaviour = Behaviour {
        talk: args.talk,
        ring: args.ring,
        latency: args.latency,
        queue: args.queue,
        listed_after: args.listed_after.0,
        iqra: args.iqra,
        seed: args.seed,
        ..Behaviour::default()
    };
    if let Some(outcomes) = &args.outcomes {
        behaviour
            .set_outcomes(outcomes)
            .map_err(|error| Failure::input(format!("--outcomes: {error}"), "write answered=60,no_answer=40"))?;
    }
    if let Some(faults) = &args.faults {
        behaviour
            .set_faults(faults)
            .map_err(|error| Failure::input(format!("--faults: {error}"), "write lost_answer=2%,error_before=1%"))?;
    }
    let tape = match &args.tape {
        Some(path) => Tape::on_file(path).map_err(|error| {
            Failure::input(format!("{} cannot be written: {error}", path.display()), "name another --tape")
        })?,
        None => Tape::default(),
    };
    let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(tape));
    let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(|error| {
        Failure::input(format!("{} cannot be listened on: {error}", args.listen), "name another address with --listen")
    })?;
    simulator.report_by(HttpTransport::new(None).map_err(Failure::work)?);
    let address = listener.local_addr()?;
    let mut lines = format!("simulated providers listen on http://{address}\n\n");
    for (kind, path) in ringfence_sandbox::PATHS {
        lines.push_str(&format!("  {:<22} base_url = \"http://{address}{path}\"\n", format!("kind = \"{kind}\"")));
    }
    // A reader of this line may end it at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    screen::print(&lines)?;
    let tape = simulator.tape().clone();
    tokio::select! {
        served = ringfence_sandbox::serve(ringfence_sandbox::router(&simulator), listener) => served?,
        _ = interrupt.recv() => {}
    }
    let calls = tape.calls().len();
    screen::print(&format!("{} requests to call, {calls} calls\n", tape.len()))?;
    Ok(DONE)
}
