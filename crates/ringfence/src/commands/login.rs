//! `ringfence login`

use ringfence_domain::{Scope, Zone};
use ringfence_operations::{logins, workspace};

use crate::commands::token::ScopeName;
use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `login`
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// What the browser may be used for: to look, to run campaigns, or to decide who else may
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "viewer|operator|admin",
        default_value = "admin"
    )]
    pub scope: ScopeName,
}

/// Prints an address that logs one browser in, once.
pub async fn login(common: &Common, args: &LoginArgs) -> Result<u8, Failure> {
    let home = Home::enter_or_make(common).await?;
    let scope: Scope = args.scope.into();
    let invited = logins::invite(&home, &workspace::person(), scope).await;
    home.store.close().await;
    let invited = invited?;
    if common.json {
        screen::print_json(&invited)?;
    } else {
        // The address alone, so that a script can take it.
        screen::print(&format!("{}\n", invited.address))?;
        let until = invited.expires_at.shown(Zone::utc());
        crate::stderr::eprint_line(&format!("it logs one browser in as {scope}, once, until {until}"));
    }
    Ok(DONE)
}
