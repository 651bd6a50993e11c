//! `ringfence completions` and `ringfence man`

use std::path::PathBuf;

use clap::Command;

use crate::failure::{DONE, Failure};
use crate::screen;

/// `completions`
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page a command into this folder, instead of the main page to standard output
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// The script that completes commands and options in a shell.
pub fn completions(args: &CompletionsArgs, mut program: Command) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut program, "ringfence", &mut text);
    screen::print(&String::from_utf8_lossy(&text))?;
    Ok(DONE)
}

/// Manual pages.
pub fn man(args: &ManArgs, program: Command) -> Result<u8, Failure> {
    let Some(folder) = &args.out else {
        let mut text = Vec::new();
        clap_mangen::Man::new(program).render(&mut text)?;
        screen::print(&String::from_utf8_lossy(&text))?;
        return Ok(DONE);
    };
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program, folder)?;
    screen::print(&format!("manual pages are in {0}; read one with: man {0}/ringfence.1\n", folder.display()))?;
    Ok(DONE)
}
