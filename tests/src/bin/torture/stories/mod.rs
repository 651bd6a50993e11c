//! What operators do, from an empty database until everybody was called. Wherever a process dies,
//! it is started again.
//!
//! Adding a story: a file here, and a line in `stories!`.

mod dial;
mod erase;
mod import;
mod operate;
mod restore;
mod schedule;
mod serve;
mod uncertain;

use serde_json::Value;

use crate::behaviours::{Happens, well};
use crate::stage::{Crash, On, Stage};

pub(crate) use self::serve::environment;

macro_rules! stories {
    ($($(#[$doc:meta])* $story:ident $room:ident,)+) => {
        /// One story.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Story {
            $($(#[$doc])* $story,)+
        }

        impl Story {
            pub(crate) const ALL: &[Self] = &[$(Self::$story),+];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$story => stringify!($room),)+
                }
            }

            async fn tell(self, stage: &mut Stage, happens: Happens) -> Result<(), String> {
                match self {
                    $(Self::$story => $room::tell(stage, happens).await,)+
                }
            }
        }
    };
}

stories! {
    /// Somebody dials a list, whatever happens at the vendor.
    Dial dial,
    /// Somebody uses every command that changes something.
    Operate operate,
    /// Programs and browsers ask a `serve`.
    Serve serve,
    /// Lists are held, and tried with one person first.
    Import import,
    /// A database is put back, or lost.
    Restore restore,
    /// A campaign begins by itself.
    Schedule schedule,
    /// Nobody knows what became of a call.
    Uncertain uncertain,
    /// What is old is erased.
    Erase erase,
}

/// How a story ended.
#[derive(Debug)]
pub(crate) struct End {
    /// A process died in it.
    pub(crate) crashed: bool,
    /// What `verify` says.
    pub(crate) verified: Value,
    /// The points that were reached, when they were logged.
    pub(crate) points: Vec<String>,
}

/// Plays a story. An error is a broken promise, or something that hangs.
pub(crate) async fn play(story: Story, on: On, happens: Happens, crash: Crash) -> Result<End, String> {
    let behaviour = if story == Story::Dial { happens.behaviour() } else { well() };
    let mut stage = Stage::set(on, behaviour, crash).await;
    stage.write_project(RULES);
    story.tell(&mut stage, happens).await?;
    let verified = stage.verify().await?;
    let end = End { crashed: stage.crashed, verified, points: stage.points() };
    stage.database.drop_it().await;
    Ok(end)
}

/// What a campaign says besides.
const RULES: &str = r#"
[retry]
busy = "1s"
voicemail = "1s"
max_attempts = 3

[on_unknown]
ask_for = "8s"
"#;
