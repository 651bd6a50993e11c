//! What a campaign would do with a list, before anybody is called.

use std::io::Write;

use ringfence_domain::{Moment, ZoneSet};
use ringfence_intake::ContactFile;

use super::{Form, KeptList};
use crate::campaigns::Proposal;
use crate::error::Error;
use crate::importing::{DryRun, dry_run};
use crate::input_file::{InputFile, in_background, until_left};
use crate::rejects::own_columns;
use crate::workspace::{self, Workspace};

/// Zones that are shown, those with the most people first.
const ZONES: usize = 12;

/// What would become of a list.
#[derive(Debug)]
pub struct Verdict {
    /// Its rows.
    pub rows: DryRun,
    /// When people would be called.
    pub outlook: Outlook,
}

/// When people would be called.
#[derive(Debug, Default)]
pub struct Outlook {
    /// By where they are.
    pub zones: Vec<ZoneOutlook>,
    /// When the first call would be.
    pub first: Option<Moment>,
}

/// When people of one zone would be called.
#[derive(Debug)]
pub struct ZoneOutlook {
    /// Where they are, in short.
    pub zones: String,
    /// How many they are.
    pub people: i64,
    /// From when; none: never.
    pub from: Option<Moment>,
}

/// Reads a list as the campaign of this form would. Stores nothing.
pub async fn verdict(workspace: &Workspace, list: &KeptList, form: &Form) -> Result<Verdict, Error> {
    let proposal = Proposal::of_text(workspace, &form.file()?).await?;
    let (rules, now) = (proposal.rules().clone(), workspace.now());
    let lane = workspace::lane(&workspace.config, &rules)?;
    let vendor = lane.setup.settings.vendor_hours();
    let provider = workspace::provider(lane)?;
    let file = InputFile::Uploaded { path: list.path.clone(), source: list.facts.source.clone() };
    in_background(move |left| {
        let rows = dry_run(&file, &rules, &provider, now, until_left(left)).map_err(|error| file.named(error))?;
        let opening = |zones: &ZoneSet| rules.calendar(zones, vendor.as_ref()).next_opening(now);
        let mut zones: Vec<ZoneOutlook> = rows
            .zones
            .iter()
            .filter_map(|(zones, people)| {
                let zones: ZoneSet = zones.parse().ok()?;
                Some(ZoneOutlook { from: opening(&zones), zones: zones.short(), people: *people })
            })
            .collect();
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.people));
        let first = zones.iter().filter_map(|zone| zone.from).min();
        zones.truncate(ZONES);
        Ok(Verdict { rows, outlook: Outlook { zones, first } })
    })
    .await?
}

/// Writes the rows that cannot be called, with their line and reason, as a file that can be mended.
pub async fn write_rejects(
    workspace: &Workspace,
    list: &KeptList,
    form: &Form,
    out: impl Write + Send + 'static,
) -> Result<(), Error> {
    let proposal = Proposal::of_text(workspace, &form.file()?).await?;
    let rules = proposal.rules().clone();
    let provider = workspace::provider(workspace::lane(&workspace.config, &rules)?)?;
    let path = list.path.clone();
    in_background(move |left| {
        let failed = |error: csv::Error| Error::work(format!("the rejected rows cannot be written: {error}"));
        let mut table = ContactFile::open(&path, &rules, Box::new(|number| provider.can_call(number)))?
            .read_while(until_left(left));
        let columns = table.columns().to_vec();
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
        csv.write_record(own_columns(&columns).iter().chain(&columns)).map_err(failed)?;
        while let Some(row) = table.next_row()? {
            let Err(reject) = row else { continue };
            let own = [reject.line.to_string(), reject.reason.clone()];
            csv.write_record(own.iter().chain(&reject.record)).map_err(failed)?;
        }
        Ok(csv.flush()?)
    })
    .await?
}
