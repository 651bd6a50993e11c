//! `ringfence check`

use ringfence_operations::{
    cautions, file_form,
    list_check::{self, Checked},
    workspace, zones,
};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::{home, screen};
use ringfence_domain::zone_data::ZoneData;
use ringfence_intake::{Config, Mistakes, campaign, places};

/// `check`
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Campaign files; without any, only the configuration is checked
    pub files: Vec<std::path::PathBuf>,
    /// Print each campaign with every default filled in
    #[arg(long)]
    pub show_defaults: bool,
}

/// Every mistake of the configuration and of all files, in one go.
pub(super) fn check(common: &Common, args: &CheckArgs) -> Result<u8, Failure> {
    let first = args.files.first().map(std::path::PathBuf::as_path);
    let Some(path) = workspace::find_config(&common.place(), first)? else {
        return Err(Failure::input(
            "no ringfence.toml was found",
            "`ringfence init` writes one from a contact file; or name it with --config",
        ));
    };
    let mut wrong: Vec<Mistakes> = Vec::new();
    let environment = |name: &str| std::env::var(name).ok();
    let (config, mistakes) = Config::look(&path, &workspace::vendors(), &environment);
    wrong.extend(mistakes);
    if wrong.is_empty() {
        // What only the vendor's own part understands.
        for (name, lane) in config.iter().flat_map(|config| &config.lanes) {
            if let Err(failure) = home::provider(lane) {
                wrong.push(Mistakes::in_section(&path, &format!("provider.{name}"), failure.to_string()));
            }
        }
    }
    if let Some(Err(failure)) = config
        .as_ref()
        .filter(|config| config.database.is_some())
        .map(|config| workspace::locate(&common.place(), config))
        && let Ok(text) = std::fs::read_to_string(&path)
    {
        let at = places::find(&text, "database", &|key, _| key == "url");
        wrong.push(places::mistake(
            &path,
            &text,
            at,
            failure.to_string(),
            "write sqlite://FILE or postgres://USER@HOST/NAME",
        ));
    }
    let mut fine = Vec::new();
    let mut cautions: Vec<String> =
        zones::cautions().into_iter().map(|caution| format!("{}: caution: {caution}", path.display())).collect();
    let zone_data = ZoneData::in_use();
    for file in &args.files {
        // A campaign is checked against its lane, as far as that can be read.
        let Some(config) = &config else { break };
        match campaign::read(file, config, workspace::wall_clock()) {
            Ok(campaign) => {
                let lane = config.lanes.get(&campaign.provider);
                let look =
                    |lane| list_check::look(file, &campaign, lane, workspace::wall_clock(), &common.place().notices);
                let Checked { mistakes, cautions: told } = lane.map(look).unwrap_or_default();
                let name = file.display();
                cautions.extend(told.into_iter().map(|(at, told)| format!("{name}:{at}: caution: {told}")));
                if !mistakes.is_empty() {
                    wrong.extend(mistakes);
                    continue;
                }
                match workspace::check_contacts(config, &campaign) {
                    Ok(()) => fine.push((file, campaign)),
                    Err(failure) => wrong.push(Mistakes::in_section(file, "contacts", failure.to_string())),
                }
            }
            Err(mistakes) => wrong.push(mistakes),
        }
    }
    cautions.extend(fine.iter().flat_map(|(file, campaign)| {
        let lane = config.as_ref().and_then(|config| config.lanes.get(&campaign.provider));
        let vendor = lane.and_then(|lane| lane.setup.settings.vendor_hours());
        let cautions = cautions::of(campaign, vendor.as_ref(), workspace::wall_clock()).into_iter();
        cautions.map(|caution| format!("{}: caution: {caution}", file.display()))
    }));
    if common.json {
        let mistakes: Vec<String> = wrong.iter().flat_map(Mistakes::lines).collect();
        let mut told = json!({ "ok": mistakes.is_empty(), "config": path, "mistakes": mistakes, "cautions": cautions });
        told["zone_data"] = json!({ "version": zone_data.version().to_string(), "folder": zone_data.folder() });
        if args.show_defaults {
            told["campaigns"] = fine.iter().map(|(_, campaign)| json!(file_form::of(campaign))).collect();
        }
        screen::print_json(&told)?;
        return Ok(u8::from(!wrong.is_empty()));
    }
    for caution in &cautions {
        home::eprint_line(caution);
    }
    if !wrong.is_empty() {
        return Err(Failure::files(wrong));
    }
    if args.show_defaults {
        for (file, campaign) in &fine {
            let text = toml::to_string(&file_form::of(campaign)).map_err(|error| Failure::work(error.to_string()))?;
            screen::print(&format!("# {} with every default\n{text}\n", file.display()))?;
        }
        return Ok(DONE);
    }
    screen::print(&format!("{}: fine\nzone data: {zone_data}\n", path.display()))?;
    for (file, campaign) in fine {
        screen::print(&format!("{}: fine ({} through lane {})\n", file.display(), campaign.name, campaign.provider))?;
    }
    Ok(DONE)
}
