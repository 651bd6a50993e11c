//! The pages of `docs/` and of the root: each is listed, each link leads somewhere, and each file and
//! command that is shown is one that the program takes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser;
use pulldown_cmark::{CodeBlockKind, Event, Options, Tag, TagEnd};
use ringfence::cli::Cli;
use ringfence_operations::attention::Kind;
use serde_json::Value;

/// Pages whose `sh` blocks are run: those of [`super::guides`], and the README's two commands.
const RUN: [&str; 3] = ["README.md", "docs/api.md", "docs/tutorial.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project").to_owned()
}

/// Every page, by its path from the root.
fn pages() -> Vec<(String, String)> {
    let root = root();
    let mut folders = vec![root.join("docs"), root.join("deploy")];
    let mut pages: Vec<PathBuf> = Vec::new();
    let files =
        |folder: &Path| std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    pages.extend(files(&root).filter(|path| path.extension().is_some_and(|end| end == "md")));
    while let Some(folder) = folders.pop() {
        for path in files(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("within").display().to_string();
        (name, std::fs::read_to_string(path).expect("read"))
    };
    pages.into_iter().map(named).collect()
}

/// What a page holds.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    headings: BTreeSet<String>,
    /// The word after the fence, and the text.
    blocks: Vec<(String, String)>,
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let (mut heading, mut block) = (None::<String>, None::<(String, String)>);
    for event in pulldown_cmark::Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let text = heading.take().unwrap_or_default().to_lowercase();
                let kept = text.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
                page.headings.insert(kept.collect::<String>().replace(' ', "-"));
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                block = Some((info.into_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
            Event::Text(text) | Event::Code(text) => {
                let into = block.as_mut().map(|(_, block)| block).or(heading.as_mut());
                if let Some(into) = into {
                    into.push_str(&text);
                }
            }
            _ => {}
        }
    }
    page
}

#[test]
fn every_page_is_listed_once_and_every_link_leads_somewhere() {
    let (root, pages) = (root(), pages());
    let read: Vec<(String, Page)> = pages.iter().map(|(name, text)| (name.clone(), read(text))).collect();
    let heads = |path: &Path| {
        let name = path.strip_prefix(&root).expect("within").display().to_string();
        read.iter().find(|(page, _)| *page == name).map(|(_, page)| &page.headings)
    };
    for (name, page) in &read {
        let folder = root.join(name).parent().expect("a folder").to_owned();
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() { root.join(name) } else { folder.join(path) };
            let path = path.canonicalize().unwrap_or_else(|_| panic!("{name}: {link} leads nowhere"));
            let is_there = place.is_empty() || heads(&path).is_some_and(|heads| heads.contains(place));
            assert!(is_there, "{name}: {link}: the page has no such heading");
        }
    }
    let (_, summary) = read.iter().find(|(name, _)| name == "docs/SUMMARY.md").expect("a summary");
    let mut listed: Vec<String> = summary.links.iter().map(|link| format!("docs/{link}")).collect();
    listed.sort();
    let book = pages.iter().map(|(name, _)| name).filter(|name| name.starts_with("docs/"));
    let book: Vec<&String> = book.filter(|name| *name != "docs/SUMMARY.md").collect();
    assert_eq!(listed.iter().collect::<Vec<_>>(), book);
}

#[test]
fn each_thing_that_status_can_say_has_a_page() {
    let mut pages: Vec<String> = std::fs::read_dir(root().join("docs/trouble"))
        .expect("a folder")
        .map(|page| page.expect("a page").path().file_stem().expect("a name").to_string_lossy().replace('-', "_"))
        .filter(|name| name != "index")
        .collect();
    pages.sort();
    let kinds = Kind::ALL.map(|kind| serde_json::to_value(kind).expect("a word").as_str().expect("a word").to_owned());
    let mut kinds = kinds.to_vec();
    kinds.sort();
    assert_eq!(pages, kinds);
    let index = std::fs::read_to_string(root().join("docs/trouble/index.md")).expect("read");
    for kind in kinds {
        let row = format!("| `{kind}` |");
        assert!(index.contains(&row) && index.contains(&format!("({}.md)", kind.replace('_', "-"))), "{row}");
    }
}

#[test]
fn the_readme_is_read_in_one_sitting() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("read");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
}

/// A schema that takes a part of a file.
fn partial(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(keys) => {
            // `required` is a list there, and may be the name of a key elsewhere.
            keys.retain(|name, value| name != "required" || !value.is_array());
            for value in keys.values_mut() {
                *value = partial(std::mem::take(value));
            }
            // Of parts of a lane, several kinds may be meant.
            if let Some(kinds) = keys.remove("oneOf") {
                keys.insert("anyOf".to_owned(), kinds);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| *value = partial(std::mem::take(value))),
        _ => {}
    }
    schema
}

#[test]
fn every_file_that_is_shown_is_one_that_the_program_takes() {
    let schemas = ["campaign", "ringfence"].map(|name| {
        let text = std::fs::read_to_string(root().join(format!("schemas/{name}.schema.json"))).expect("a schema");
        let schema = partial(serde_json::from_str(&text).expect("JSON"));
        (name, jsonschema::validator_for(&schema).expect("a schema"))
    });
    let mut shown = 0;
    for (name, text) in pages() {
        for (_, block) in read(&text).blocks.iter().filter(|(info, _)| info == "toml") {
            let table: toml::Table = block.parse().unwrap_or_else(|error| panic!("{name}: {error}\n{block}"));
            let value = serde_json::to_value(table).expect("JSON");
            let faults: Vec<String> = schemas
                .iter()
                .map(|(kind, schema)| {
                    let faults = schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path()));
                    faults.map(|fault| format!("as a {kind} file: {fault}\n")).collect()
                })
                .collect();
            assert!(faults.iter().any(String::is_empty), "{name}:\n{block}\n{}", faults.concat());
            shown += 1;
        }
    }
    assert!(shown >= 15, "{shown} files");
}

#[test]
fn every_command_that_is_shown_is_one_that_the_program_takes() {
    let xtask = std::fs::read_to_string(root().join("xtask/src/main.rs")).expect("read");
    let mut shown = 0;
    for (name, text) in pages() {
        let page = read(&text);
        let is_run = RUN.contains(&name.as_str()) || !name.starts_with("docs/");
        assert!(is_run || page.blocks.iter().all(|(info, _)| info != "sh"), "{name}: nobody runs its `sh` blocks");
        for (_, block) in page.blocks.iter().filter(|(info, _)| info == "sh" || info == "console") {
            for errand in block.lines().filter_map(|line| line.trim_start_matches("$ ").strip_prefix("cargo xtask ")) {
                let errand = errand.split_whitespace().next().unwrap_or_default();
                assert!(xtask.contains(&format!("\ncargo xtask {errand} ")), "{name}: cargo xtask {errand}");
            }
        }
        for (_, block) in page.blocks.iter().filter(|(info, _)| info == "console") {
            for line in block.lines().filter_map(|line| line.strip_prefix("$ ringfence")) {
                let words = shlex::split(&format!("ringfence{line}")).unwrap_or_else(|| panic!("{name}: {line}"));
                let words = words.into_iter().take_while(|word| ![">", "|", "||"].contains(&word.as_str()));
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{name}: ringfence{line}\n{error}");
                }
                shown += 1;
            }
        }
    }
    assert!(shown >= 30, "{shown} commands");
}
