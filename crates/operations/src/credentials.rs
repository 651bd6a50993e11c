//! Trying the credentials of a lane, without calling anybody.

use ringfence_intake::ConfigLane;
use ringfence_providers::Checked;
use serde::Serialize;

use crate::error::Error;
use crate::workspace::{self, Workspace};

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The lane.
    pub name: String,
    /// Whether an answer came as it should.
    pub ok: bool,
    /// Whether the answer says that the credentials are right; only a call shows it otherwise.
    pub credentials_tried: bool,
    /// Why it is not as it should be.
    pub error: Option<String>,
}

impl Tried {
    /// The same in one sentence.
    pub fn says(&self) -> String {
        match (&self.error, self.credentials_tried) {
            (Some(error), _) => error.clone(),
            (None, true) => "the credentials work".to_owned(),
            (None, false) => "somebody answers there; only a call shows whether the credentials are right".to_owned(),
        }
    }
}

/// Asks the vendor of a lane for something that calls nobody.
pub async fn of_lane(name: &str, lane: &ConfigLane) -> Result<Tried, Error> {
    let answer = workspace::provider(lane)?.check().await;
    let credentials_tried = answer != Ok(Checked::Address);
    let error = answer.err().map(|error| error.to_string());
    Ok(Tried { name: name.to_owned(), ok: error.is_none(), credentials_tried, error })
}

/// The same for a lane of this installation, with the secrets that are in its files now.
pub async fn of_lane_named(workspace: &Workspace, name: &str) -> Result<Tried, Error> {
    let config = workspace.with_secrets()?;
    let Some(lane) = config.lanes.get(name) else {
        let says = format!("`{}` has no lane `{name}`", config.path.display());
        return Err(Error::missing(says, "a lane is tried where its section is"));
    };
    of_lane(name, lane).await
}
