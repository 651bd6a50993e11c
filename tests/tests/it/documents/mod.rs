//! Files that are kept beside the code say what the code does.

mod deploy;
mod diagrams;
mod migrations;
