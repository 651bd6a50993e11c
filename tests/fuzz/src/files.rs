//! Campaign files and configurations.

use std::path::Path;

use ringfence_domain::Moment;
use ringfence_intake::{Config, Mistakes, campaign as campaigns};
use ringfence_operations::configuration::vendors;
use ringfence_samples::noon;

use crate::text;

const LANES: &str = "[provider.main]\nkind = \"sandbox\"\n\n[provider.pilot-vendor]\nkind = \"sandbox\"\n";

/// The text of a campaign file.
pub(crate) fn campaign(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (file, at): (_, Moment) = (Path::new("/nowhere/ringfence.toml"), noon());
    let config = Config::parse(file, LANES, &vendors(), &|_| None).expect("a configuration");
    told(campaigns::parse(Path::new("/nowhere/campaign.toml"), text, &config, at));
}

/// The text of `ringfence.toml`.
pub(crate) fn configuration(input: &[u8]) {
    let Some(text) = text(input) else { return };
    told(Config::parse(Path::new("/nowhere/ringfence.toml"), text, &vendors(), &|name| Some(name.to_lowercase())));
}

/// Mistakes are told, and there is at least one.
fn told<T>(read: Result<T, Mistakes>) {
    if let Err(mistakes) = read {
        assert!(!mistakes.to_string().trim().is_empty(), "it is refused without a reason");
    }
}
