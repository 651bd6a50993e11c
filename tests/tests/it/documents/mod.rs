//! Files that are kept beside the code say what the code does.

mod book;
mod deploy;
mod diagrams;
mod guides;
mod migrations;
mod reference;
