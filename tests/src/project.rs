//! What an operator's folder holds: `ringfence.toml`, a campaign and its contacts, as the tests of
//! the program write them.

use std::net::SocketAddr;

/// The configuration of a database, without lanes.
pub fn database(url: &str) -> String {
    format!("\n[database]\nurl = \"{url}\"\n")
}

/// A lane of Twenty2 that calls through this address. `calls`: a second; `concurrent`: at once.
pub fn lane(name: &str, vendor: SocketAddr, calls: u32, concurrent: u32) -> String {
    let requests = calls * 10;
    format!(
        r#"
[provider.{name}]
kind = "twenty2"
base_url = "http://{vendor}/api"
workspace_id = "{name}"
api_key = {{ env = "TWENTY2_API_KEY" }}
api_secret = {{ env = "TWENTY2_API_SECRET" }}
limits = {{ calls = "{calls}/s", requests = "{requests}/s", concurrent = {concurrent} }}
"#
    )
}

/// A campaign that is open all day. `file`: its list, if it has one. `more`: further sections.
pub fn campaign(name: &str, lane: &str, file: Option<&str>, more: &str) -> String {
    let file = file.map(|file| format!("file = \"{file}\"\n")).unwrap_or_default();
    format!(
        r#"
name = "{name}"
provider = "{lane}"
agent = "69de483c68b23495c853b43a"
caller_ids = ["9876500000"]

[contacts]
{file}phone = "phone"
country = "IN"

[variables]
customerName = "{{name}}"

[calling]
hours = "24/7"
{more}
"#
    )
}

/// A list of these sample numbers.
pub fn contacts(numbers: impl IntoIterator<Item = usize>) -> String {
    let rows = numbers.into_iter().map(|n| format!("Person {n},{}\n", crate::sample::number(n).e164()));
    std::iter::once("name,phone\n".to_owned()).chain(rows).collect()
}
