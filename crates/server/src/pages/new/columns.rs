//! What the columns of the list are for.

use askama::Template;
use axum::extract::{Path, Query};
use ringfence_operations::new_campaign::{self, Column, Form, KeptList};

use super::super::frame::Frame;
use super::super::visitor::Operator;
use super::super::{Page, shown};
use super::{Step, chosen, hidden, links, list, steps};

#[derive(Template)]
#[template(path = "pages/new/columns.html")]
struct ColumnsPage {
    frame: Frame,
    steps: Vec<Step>,
    list: KeptList,
    speed: String,
    form: Form,
    lanes: Vec<String>,
    columns: Vec<ColumnLine>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    hidden: Vec<(String, String)>,
}

struct ColumnLine {
    name: String,
    numbers: String,
}

/// Shows the columns, and what they may be.
pub(crate) async fn columns(Operator(visitor): Operator, Path(id): Path<String>, query: Query<Form>) -> Page {
    let list = list(&visitor, &id)?;
    let (form, lanes) = chosen(&visitor, query).await?;
    let looked = new_campaign::look(&list, &form).await?;
    let frame = Frame::of(&visitor, "New campaign", "/campaigns").await?;
    let line =
        |column: &Column| ColumnLine { name: column.name.clone(), numbers: format!("{:.0}%", column.numbers * 100.0) };
    let longest = looked.columns.iter().map(|column| column.first.len()).max().unwrap_or_default();
    let cell = |column: &Column, row: usize| column.first.get(row).cloned().unwrap_or_default();
    let page = ColumnsPage {
        speed: speed(&list),
        columns: looked.columns.iter().map(line).collect(),
        rows: (0..longest).map(|row| looked.columns.iter().map(|column| cell(column, row)).collect()).collect(),
        notes: looked.notes,
        hidden: hidden(&looked.guess, &["name", "lane", "phone", "country", "timezone", "id"]),
        steps: steps(2, &links(&list.id, &looked.guess)),
        form: looked.guess,
        lanes,
        list,
        frame,
    };
    Ok(shown(&page))
}

/// How fast the list was read.
fn speed(list: &KeptList) -> String {
    let (rows, ms) = (list.facts.rows, list.facts.read_ms.max(1) as i64);
    let size = match list.facts.bytes {
        bytes if bytes < 10_000 => format!("{bytes} bytes"),
        bytes => format!("{} kB", bytes / 1000),
    };
    // Of a short list the pace says nothing.
    let pace = if ms < 100 { String::new() } else { format!(", read at {} rows a second", rows * 1000 / ms) };
    format!("{rows} rows, {size}{pace}")
}
