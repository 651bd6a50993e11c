//! A campaign that is made in a browser: from a contact file, step by step, to a draft.

mod form;
mod lists;
mod verdict;

pub use form::Form;
pub use lists::{KeptList, ListFacts, forget_old, keep, open};
pub use verdict::{Outlook, Verdict, ZoneOutlook, verdict, write_rejects};

use ringfence_intake::contacts::{Sample, sample};
use ringfence_store::{Begin, Expected};

use crate::campaigns::{AppliedCampaign, Proposal};
use crate::error::Error;
use crate::init::campaign_name;
use crate::init::guess::{Columns, parse_number};
use crate::input_file::in_background;
use crate::workspace::Workspace;

/// Rows that guesses are made from.
const ROWS: usize = 500;
/// Rows that are shown.
const SHOWN: usize = 5;

/// The columns of a list, and what they may be.
#[derive(Debug)]
pub struct Looked {
    /// Each column, the share of its values that are numbers people are called on, and its first
    /// values.
    pub columns: Vec<Column>,
    /// What was guessed.
    pub guess: Form,
    /// What was guessed and what was not, one sentence each.
    pub notes: Vec<String>,
}

/// One column of a list.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The share of its values that are numbers people are called on, from 0 to 1.
    pub numbers: f64,
    /// Its first values.
    pub first: Vec<String>,
}

/// Looks at the first rows of a list. `form`: what somebody chose already.
pub async fn look(list: &KeptList, form: &Form) -> Result<Looked, Error> {
    let (path, source, form) = (list.path.clone(), list.facts.source.clone(), form.clone());
    in_background(move |_| {
        let table = sample(&path, ROWS).map_err(Error::from)?;
        looked(&table, &source, form)
    })
    .await?
}

fn looked(table: &Sample, source: &str, mut form: Form) -> Result<Looked, Error> {
    let is_first = form.phone.is_empty();
    let chosen = (!form.phone.is_empty()).then_some(form.phone.as_str());
    let country = form.country.trim().parse().ok();
    let found = Columns::guess(table, source, (chosen, country));
    let mut notes = Vec::new();
    match found {
        Ok(found) => {
            if is_first {
                form.phone.clone_from(&found.phone);
                form.country = found.country.map(String::from).unwrap_or_default();
                form.timezone = found.timezone.clone().unwrap_or_default();
                form.id = found.id.clone().unwrap_or_default();
            }
            // The laws follow the country and the column that were chosen, as long as nobody chose others.
            let asked = format!("{} {}", form.phone, form.country.trim());
            if is_first || (!form.laws_of.is_empty() && form.laws_of != asked) {
                found.calling_zone().clone_into(&mut form.zone);
                form.rules = found.laws().map(|(_, preset)| preset.to_owned()).unwrap_or_default();
                form.laws_of = asked;
            }
            form.variables = found.variables().into_iter().map(|(name, column)| (name, column.to_owned())).collect();
            notes = found.notes;
        }
        Err(error) => {
            notes.push(error.message);
            "none yet".clone_into(&mut form.laws_of);
        }
    }
    if form.name.is_empty() {
        form.name = campaign_name(std::path::Path::new(source));
    }
    let of_country = form.country.trim().to_owned();
    let column = |name: &String| Column {
        name: name.clone(),
        numbers: table.share(name, |value| {
            let country = (!of_country.is_empty()).then_some(of_country.as_str());
            parse_number(value, country).is_some()
        }),
        first: table.values(name).take(SHOWN).map(str::to_owned).collect(),
    };
    let columns = table.columns.iter().map(column).collect();
    Ok(Looked { columns, guess: form, notes })
}

/// Makes the draft, and takes the list in. Nobody of it is dialled.
pub async fn make(workspace: &Workspace, form: &Form) -> Result<AppliedCampaign, Error> {
    Proposal::of_text(workspace, &form.file()?).await?.apply(Begin::Draft, Expected::New).await
}
