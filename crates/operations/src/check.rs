//! Every mistake of the configuration and of campaign files, in one go. Nothing is touched.

use std::path::{Path, PathBuf};

use ringfence_domain::Campaign;
use ringfence_domain::zone_data::ZoneData;
use ringfence_intake::{Config, Mistakes, campaign, keys, places};
use serde::Serialize;

use crate::error::Error;
use crate::list_check::{self, Checked};
use crate::workspace::{self, Place};
use crate::{cautions, zones};

/// What was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Findings {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// The configuration file.
    #[schema(value_type = String)]
    pub config: PathBuf,
    /// What is wrong: place and sentence in a line each.
    #[serde(rename = "mistakes")]
    pub lines: Vec<String>,
    /// What will surprise somebody.
    pub cautions: Vec<String>,
    /// The zone data of this process.
    pub zone_data: UsedZoneData,
    /// The campaigns that are fine, with every default, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    pub campaigns: Option<Vec<toml::Table>>,
    /// The files that are wrong, each mistake with its place.
    #[serde(skip)]
    pub mistakes: Vec<Mistakes>,
    /// The campaigns that are fine, with their files.
    #[serde(skip)]
    pub fine: Vec<(PathBuf, Campaign)>,
}

/// The zone data that a process uses.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsedZoneData {
    /// Its release.
    pub version: String,
    /// The operator's folder, if it comes from there.
    pub folder: Option<String>,
}

/// Looks for every mistake of the configuration and of these campaign files. `show_defaults`:
/// campaigns that are fine are returned with every default.
pub fn check(place: &Place, files: &[PathBuf], show_defaults: bool) -> Result<Findings, Error> {
    let Some(path) = workspace::find_config(place, files.first().map(PathBuf::as_path))? else {
        return Err(Error::input(
            "no ringfence.toml was found",
            "`ringfence init` writes one from a contact file; or name it with --config",
        ));
    };
    let (config, mut mistakes) = look_at_config(place, &path);
    let of_zones = zones::cautions().into_iter();
    let mut cautions: Vec<String> = of_zones.map(|caution| format!("{}: caution: {caution}", path.display())).collect();
    let mut fine = Vec::new();
    // A campaign is checked against its lane, as far as that can be read.
    for (config, file) in config.iter().flat_map(|config| files.iter().map(move |file| (config, file))) {
        match look_at_campaign(place, config, file, &mut cautions) {
            Ok(campaign) => fine.push((file.clone(), campaign)),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    for (file, campaign) in &fine {
        let lane = config.as_ref().and_then(|config| config.lanes.get(&campaign.provider));
        let vendor = lane.and_then(|lane| lane.setup.settings.vendor_hours());
        let found = cautions::about(campaign, vendor.as_ref(), workspace::wall_clock());
        cautions.extend(found.into_iter().map(|caution| format!("{}: caution: {caution}", file.display())));
    }
    let zone_data = ZoneData::in_use();
    Ok(Findings {
        ok: mistakes.is_empty(),
        config: path,
        lines: mistakes.iter().flat_map(Mistakes::lines).collect(),
        cautions,
        zone_data: UsedZoneData {
            version: zone_data.version().to_string(),
            folder: zone_data.folder().map(str::to_owned),
        },
        campaigns: show_defaults.then(|| fine.iter().map(|(_, campaign)| keys::form(campaign)).collect()),
        mistakes,
        fine,
    })
}

fn look_at_config(place: &Place, path: &Path) -> (Option<Config>, Vec<Mistakes>) {
    let (config, mistakes) = Config::look(path, &workspace::vendors(), &|name| std::env::var(name).ok());
    let mut wrong: Vec<Mistakes> = mistakes.into_iter().collect();
    if wrong.is_empty() {
        // What only the vendor's own part understands.
        for (name, lane) in config.iter().flat_map(|config| &config.lanes) {
            if let Err(error) = workspace::provider(lane) {
                wrong.push(Mistakes::in_section(path, &format!("provider.{name}"), error.to_string()));
            }
        }
    }
    if let Some(config) = config.as_ref().filter(|config| config.database.is_some())
        && let Err(error) = workspace::locate(place, config)
        && let Ok(text) = std::fs::read_to_string(path)
    {
        let at = places::find(&text, "database", &|key, _| key == "url");
        let hint = "write sqlite://FILE or postgres://USER@HOST/NAME";
        wrong.push(places::mistake(path, &text, at, error.to_string(), hint));
    }
    (config, wrong)
}

fn look_at_campaign(
    place: &Place,
    config: &Config,
    file: &Path,
    cautions: &mut Vec<String>,
) -> Result<Campaign, Vec<Mistakes>> {
    let campaign = campaign::load(file, config, workspace::wall_clock()).map_err(|mistakes| vec![mistakes])?;
    let lane = config.lanes.get(&campaign.provider);
    let look = |lane| list_check::look(file, &campaign, lane, workspace::wall_clock(), &place.notices);
    let Checked { mistakes, cautions: told } = lane.map(look).unwrap_or_default();
    let name = file.display();
    cautions.extend(told.into_iter().map(|(at, told)| format!("{name}:{at}: caution: {told}")));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    workspace::check_contacts(config, &campaign)
        .map_err(|error| vec![Mistakes::in_section(file, "contacts", error.to_string())])?;
    Ok(campaign)
}
