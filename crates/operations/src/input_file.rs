//! Contact files and do-not-call lists as they are handed over: by name, by pattern, by standard
//! input.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use ringfence_domain::{Campaign, Moment, Span, Zone};
use ringfence_intake::contact_files::{self, NoFile};
use ringfence_intake::table;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::notices::Notices;

/// Work that reads files, in a thread of its own: the caller may leave at any time, and
/// it is told so.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> Result<T, Error> {
    let left = CancellationToken::new();
    let _told = left.clone().drop_guard();
    tokio::task::spawn_blocking(move || work(&left)).await.map_err(|error| Error::work(error.to_string()))
}

/// Tells for as long as the caller has not left, as readers of files ask it.
pub(crate) fn until_left(left: &CancellationToken) -> impl Fn() -> bool + Send + 'static + use<> {
    let left = left.clone();
    move || !left.is_cancelled()
}

/// A contact file to read; what came by standard input is kept beside for as long as it is needed.
#[derive(Debug)]
pub enum InputFile {
    /// A file of the operator's.
    Named(PathBuf),
    /// A file that came over the network, kept until it is taken in.
    Uploaded {
        /// The file.
        path: PathBuf,
        /// Where it came from, for people.
        source: String,
    },
    /// Standard input, kept in a file without a name: a process that is killed leaves nobody's data
    /// behind.
    Kept {
        /// The file.
        file: std::fs::File,
        /// Where this process finds it.
        path: PathBuf,
    },
}

impl InputFile {
    /// The file of this name; `-` is standard input.
    pub fn given(path: &Path) -> Result<Self, Error> {
        if path != Path::new("-") {
            return Ok(Self::Named(path.to_owned()));
        }
        let mut file = tempfile::tempfile()?;
        copy(&mut std::io::stdin().lock(), &mut file)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(Self::Kept { file, path })
    }

    /// The file that the campaign names, as of now on its own calendar; none when it names none.
    pub fn of_campaign(campaign: &Campaign, lane: Zone, now: Moment, notices: &Notices) -> Result<Option<Self>, Error> {
        let path = Self::named_by(campaign, lane, now).map_err(|error| {
            Error::input(error.to_string(), "check contacts.file; {date} is today's date, as in 2026-11-23")
        })?;
        if let Some(path) = &path
            && campaign.contacts.file.as_deref().is_some_and(|pattern| path.as_os_str() != pattern)
        {
            notices.tell(&format!("reading {}", path.display()));
        }
        Ok(path.map(Self::Named))
    }

    /// The path of that file.
    pub fn named_by(campaign: &Campaign, lane: Zone, now: Moment) -> Result<Option<PathBuf>, NoFile> {
        let today = now.date(campaign.own_zone(lane));
        campaign.contacts.file.as_ref().map(|pattern| contact_files::resolve(pattern, today)).transpose()
    }

    /// [`InputFile::of_campaign`] in a thread of its own: a pattern may be held against many files.
    pub async fn of_campaign_in_background(
        campaign: &Campaign,
        lane: Zone,
        now: Moment,
        notices: &Notices,
    ) -> Result<Option<Self>, Error> {
        let (campaign, notices) = (campaign.clone(), notices.clone());
        in_background(move |_| Self::of_campaign(&campaign, lane, now, &notices)).await?
    }

    /// Where to read.
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Kept { path, .. } | Self::Uploaded { path, .. } => path,
        }
    }

    /// Where it came from, for people.
    pub fn source(&self) -> String {
        match self {
            Self::Named(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
            Self::Uploaded { source, .. } => source.clone(),
            Self::Kept { .. } => "standard input".to_owned(),
        }
    }

    /// An error that is about it, in the name that people know: where it is kept is nobody's
    /// matter.
    pub(crate) fn named(&self, error: Error) -> Error {
        let Self::Uploaded { path, source } = self else { return error };
        Error { message: error.message.replace(&path.display().to_string(), source), ..error }
    }

    /// Time since it was written; unknown of what did not lie in a file.
    pub fn age(&self, now: Moment) -> Option<Span> {
        let Self::Named(path) = self else { return None };
        let written = path.metadata().and_then(|data| data.modified()).ok()?;
        let since_epoch = written.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Some(now.since(Moment::from_millis(since_epoch.as_millis() as i64)))
    }
}

/// Keeps what comes by standard input. A row that does not end is refused at once: it would fill
/// the disk.
fn copy(input: &mut impl Read, kept: &mut impl Write) -> Result<(), Error> {
    let mut buffer = vec![0; 1 << 16];
    let mut since_line_end = 0;
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            return Ok(kept.flush()?);
        }
        let last = buffer[..read].iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        since_line_end = last.map_or(since_line_end + read, |last| read - last - 1);
        // In UTF-16 a row has twice its bytes.
        if since_line_end > 2 * table::LONGEST_ROW {
            let problem = " has a row that is longer than 1 MB";
            return Err(Error::input(format!("standard input{problem}"), "give it a CSV file"));
        }
        kept.write_all(&buffer[..read])?;
    }
}
