//! Mistakes in files, with their place and their mend.

use std::ops::Range;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// Its place, in bytes of the file.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Mistake {
    /// Makes a mistake at a place.
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    /// Adds its mend.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All mistakes of one file; at least one.
#[derive(Debug, Clone)]
pub struct Mistakes {
    source: NamedSource<String>,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// Returns the mistakes of the file at `path`.
    pub fn new(path: &Path, text: &str, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.at.start);
        Self { source: NamedSource::new(path.display().to_string(), text.to_owned()).with_language("TOML"), list }
    }

    /// Makes the mistake of a file that cannot be read at all.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("{} cannot be read: {error}", path.display());
        Self::new(path, "", vec![Mistake::new(0..0, message)])
    }

    /// Makes one mistake that is about a section of a file: `[name]`.
    pub fn in_section(path: &Path, name: &str, message: impl Into<String>) -> Self {
        let text = crate::regular::text(path).unwrap_or_default();
        let header = format!("[{name}]");
        let at = text.find(&header).map_or(0..0, |start| start..start + header.len());
        Self::new(path, &text, vec![Mistake::new(at, message)])
    }

    /// Returns each mistake as `file:line:column: message`, for logs and scripts.
    pub fn lines(&self) -> Vec<String> {
        let text = self.source.inner();
        self.list
            .iter()
            .map(|mistake| {
                let before = &text[..mistake.at.start.min(text.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                let hint = mistake.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                format!("{}:{line}:{column}: {}{hint}", self.source.name(), mistake.message)
            })
            .collect()
    }

    /// Returns the text that they are in.
    pub(crate) fn text(&self) -> &str {
        self.source.inner()
    }

    /// Returns the mistakes.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    /// Returns each mistake as a report of its own, with the offending line.
    pub fn reports(&self) -> impl Iterator<Item = Report<'_>> {
        self.list.iter().map(|mistake| Report { mistake, file: &self.source })
    }
}

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

impl std::error::Error for Mistakes {}

/// One mistake with the file around it.
#[derive(Debug, thiserror::Error)]
#[error("{}", mistake.message)]
pub struct Report<'m> {
    mistake: &'m Mistake,
    file: &'m NamedSource<String>,
}

impl Diagnostic for Report<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.mistake.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.file.inner().is_empty()).then_some(self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.mistake.at.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline(at))))
    }
}
