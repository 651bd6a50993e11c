//! `ringfence demo --serve`: the dashboard over campaigns that live: one that dials, one whose
//! people are all over the world, one whose list is held, and one whose calls nobody knows the fate
//! of.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use ringfence_domain::Scope;
use ringfence_operations::campaigns::Proposal;
use ringfence_operations::imports::{self, ImportRequest};
use ringfence_operations::{logins, tokens, workspace};
use ringfence_store::{Begin, Expected};

use super::NAMES;
use crate::commands::serve::{self, Role, ServeArgs};
use crate::common::Common;
use crate::failure::Failure;
use crate::home::Home;
use crate::stderr::eprint_line;

/// Where the dashboard is, unless another program is there.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// People of the campaign that dials, unless it is said.
const PEOPLE: u32 = 1_500;

/// Two accounts at the simulated provider: one as they are, and one that loses every request.
const CONFIG: &str = r#"
[provider.main]
kind = "sandbox"
talk = "14s"
ring = "4s"
outcomes = "answered=46,no_answer=27,busy=14,voicemail=6,unreachable=5,rejected=2"
limits = { calls = "2/s", requests = "200/s", concurrent = 40, per_day = 5000 }

[provider.shaky]
kind = "sandbox"
faults = "lost_request=100%"
limits = { calls = "1/s", requests = "50/s", concurrent = 2 }
"#;

/// What all campaign files of the demo have: name, lane, the columns of their own, their hours.
fn campaign_file(name: &str, lane: &str, columns: &str, rest: &str) -> String {
    format!(
        r#"name = "{name}"
provider = "{lane}"
agent = "demo-agent"
caller_ids = ["9876500000"]

[contacts]
phone = "phone"
country = "IN"
id = "id"
{columns}

[variables]
customerName = "{{name}}"

[results]
opt_out = {{ when = {{ opted_out = "yes" }} }}

{rest}
"#
    )
}

/// Every campaign: its name, its file and its contacts.
fn campaigns(people: u32) -> [(&'static str, String, String); 4] {
    // Retries come soon, so that they are seen.
    const RETRIES: &str =
        "[retry]\nbusy = \"1m\"\nno_answer = [\"3m\", \"2h\"]\nunreachable = \"5m\"\nvoicemail = \"never\"\n";
    let always = format!("[calling]\nhours = \"24/7\"\n{RETRIES}");
    let by_day = format!("[calling]\nhours = \"Mo-Su 09:00-21:00\"\n{RETRIES}");
    let at_once = "[calling]\nhours = \"24/7\"\n[on_unknown]\nask_for = \"5s\"\n";
    let zones = ["Asia/Kolkata", "Asia/Dubai", "Europe/London", "America/New_York", "Asia/Singapore"];
    let mut list = String::from("id,name,phone,amount\n");
    for n in 0..people {
        list.push_str(&format!("D{n:05},{},98{:08},{}\n", name(n), 20_000_000 + n * 37, 500 + n * 13 % 4_000));
    }
    let mut world = String::from("id,name,phone,tz\n");
    for n in 0..people / 3 {
        let zone = zones[n as usize % zones.len()];
        world.push_str(&format!("W{n:05},{},97{:08},{zone}\n", name(n + 3), 20_000_000 + n * 41));
    }
    let mut renewal = String::from("id,name,phone\n");
    for n in 0..300 {
        // Every third number lacks digits, as after a spreadsheet.
        let phone = if n % 3 == 0 { format!("96{n:04}") } else { format!("96{:08}", 30_000_000 + n * 43) };
        renewal.push_str(&format!("R{n:05},{},{phone}\n", name(n + 5)));
    }
    let pilot = "id,name,phone\nP00001,Asha Rao,9530000001\nP00002,Vikram Mehta,9530000002\n".to_owned();
    [
        ("diwali", campaign_file("diwali", "main", "", &always), list),
        ("worldwide", campaign_file("worldwide", "main", "timezone = \"tz\"", &by_day), world),
        ("renewal", campaign_file("renewal", "main", "", &by_day), renewal),
        ("pilot", campaign_file("pilot", "shaky", "", at_once), pilot),
    ]
}

fn name(n: u32) -> String {
    const FAMILIES: [&str; 5] = ["Rao", "Mehta", "Iyer", "Khan", "Das"];
    format!("{} {}", NAMES[n as usize % NAMES.len()], FAMILIES[n as usize / NAMES.len() % FAMILIES.len()])
}

/// Sets everything up in `folder`, and serves it until it is told to stop.
pub(super) async fn serve(folder: &Path, people: Option<u32>, listen: Option<SocketAddr>) -> Result<u8, Failure> {
    let listen = free_address(listen);
    let database = folder.join("demo.db");
    let config =
        format!("[database]\nurl = \"sqlite://{}\"\n[http]\nlisten = \"{listen}\"\n{CONFIG}", database.display());
    let path = folder.join("ringfence.toml");
    write(&path, &config)?;
    let common = Common { config: Some(path), database: None, no_create: false, json: false };
    for (name, file, contacts) in campaigns(people.unwrap_or(PEOPLE)) {
        let (file_path, list) = (folder.join(format!("{name}.toml")), folder.join(format!("{name}.csv")));
        write(&file_path, &file)?;
        write(&list, &contacts)?;
        let proposal = Proposal::open(&common.place(), &file_path).await?;
        let store = proposal.store.clone();
        proposal.apply(Begin::Running, Expected::New).await?;
        store.close().await;
        let mut home = Home::enter(&common).await?;
        let request = ImportRequest { file: &list, rejects: None, partial: false };
        let taken = imports::import(&mut home, name, &request).await;
        home.store.close().await;
        taken?;
    }
    let home = Home::enter(&common).await?;
    let token = tokens::create(&home, "demo", Scope::Admin, None, &workspace::person()).await;
    let login = logins::invite(&home, &workspace::person(), Scope::Admin).await;
    home.store.close().await;
    eprint_line(&format!(
        "a simulated provider calls people; nobody is really called\n\n  dashboard  {}\n  token      {}\n  files      {}\n\nCtrl-C ends it.",
        login?.address,
        token?.token,
        folder.display()
    ));
    let args = ServeArgs { listen: None, behind_tls_proxy: false, roles: vec![Role::Engine, Role::Web] };
    serve::serve(&common, args).await
}

/// The address that is wanted, with a port; else the usual one, or another one where it is taken.
fn free_address(wanted: Option<SocketAddr>) -> SocketAddr {
    let free = |address: SocketAddr| TcpListener::bind(address).and_then(|listener| listener.local_addr()).ok();
    let any = SocketAddr::new(USUAL.ip(), 0);
    match wanted {
        Some(wanted) => free(wanted).unwrap_or(wanted),
        None => free(USUAL).or_else(|| free(any)).unwrap_or(USUAL),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
