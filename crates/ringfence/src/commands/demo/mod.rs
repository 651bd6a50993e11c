//! `ringfence demo`

mod dashboard;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ringfence_intake::{Config, campaign};
use ringfence_operations::run::{self, Ended, Ran};
use ringfence_operations::workspace;
use ringfence_store::{Database, Location};

use crate::commands::run::{Bar, signalled};
use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::stderr::eprint_line;
use crate::{screen, summary_table};

const CONFIG: &str = r#"
[provider.demo]
kind = "sandbox"
talk = "3s"
ring = "1s"
outcomes = "answered=58,no_answer=20,busy=12,voicemail=4,unreachable=4,rejected=2"
limits = { calls = "25/s", requests = "200/s", concurrent = 60 }
"#;

const CAMPAIGN: &str = r#"
name = "demo"
provider = "demo"
agent = "demo-agent"
caller_ids = ["9876500000"]

[contacts]
phone = "phone"
country = "IN"

[variables]
customerName = "{name}"

# A real campaign is open from 09:00 to 21:00; a demo whenever someone looks at it.
[calling]
hours = "24/7"

# A real campaign waits a quarter of an hour after busy; a demo is over within a minute.
[retry]
busy = "4s"
no_answer = ["5s", "7s"]
unreachable = "6s"
voicemail = "never"
"#;

/// `demo`
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// How many contacts [default: 300; with --serve 1500]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub contacts: Option<u32>,
    /// Serve the dashboard over campaigns that live, until Ctrl-C
    #[arg(long)]
    pub serve: bool,
    /// Where, instead of 127.0.0.1:8080
    #[arg(long, value_name = "ADDR", requires = "serve")]
    pub listen: Option<std::net::SocketAddr>,
}

/// People of the campaign, unless it is said.
const PEOPLE: u32 = 300;

/// First names of people who are called.
const NAMES: [&str; 8] = ["Asha", "Ravi", "Meera", "Arjun", "Divya", "Kiran", "Nisha", "Vikram"];

/// A sample campaign on a simulated provider, in a database that goes with it.
pub async fn demo(common: &Common, args: &DemoArgs) -> Result<u8, Failure> {
    let folder = tempfile::Builder::new().prefix("ringfence-demo-").tempdir()?.keep();
    if args.serve {
        return dashboard::serve(&folder, args.contacts, args.listen).await;
    }
    let people = args.contacts.unwrap_or(PEOPLE);
    let contacts = folder.join("contacts.csv");
    write_contacts(&contacts, people)?;
    let config = Config::parse(&folder.join("ringfence.toml"), CONFIG, &workspace::vendors(), &|_| None)?;
    let rules = campaign::parse(&folder.join("demo.toml"), CAMPAIGN, &config, workspace::wall_clock())?;
    let store = Arc::new(
        Database::open(&Location::Sqlite(folder.join("demo.db")), true).await?.changed_by(workspace::by_command()),
    );
    // Or it would look like a copy to those who look on.
    store.guard(None, true).await?;
    eprint_line(&format!("a simulated provider calls {people} people, and the busy ones again"));
    let leave = signalled()?;
    tokio::pin!(leave);
    let notices = common.place().notices;
    let ran = run::demo(&store, &config, rules, contacts, &notices, &mut Bar::default(), leave).await;
    store.close().await;
    let Ran { summary, zone, ended, differences, .. } = ran?;
    let Some(summary) = summary else { return Ok(DONE) };
    if common.json {
        screen::print_json(&summary)?;
    } else {
        let text = summary_table::summary(&summary, zone);
        let report = folder.join("report.txt");
        std::fs::write(&report, screen::unstyled(&text))?;
        let database = folder.join("demo.db");
        let checked =
            if differences.is_empty() { "every count agrees with the rows" } else { "COUNTS DIFFER FROM THE ROWS" };
        screen::print(&format!(
            "{text}{checked}\nreport    {}\ndatabase  {}\nlook on   ringfence export demo --database sqlite://demo.db, from that folder\n",
            report.display(),
            database.display()
        ))?;
    }
    match ended {
        Ended::Signal(code) => Ok(code),
        _ if !differences.is_empty() => Err(Failure::work(format!("counts differ from the rows: {differences:?}"))),
        _ => Ok(DONE),
    }
}

fn write_contacts(path: &Path, count: u32) -> Result<(), Failure> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "name,phone")?;
    for n in 0..count {
        writeln!(file, "{},98{:08}", NAMES[n as usize % NAMES.len()], 20_000_000 + n * 37)?;
    }
    file.flush()?;
    Ok(())
}
