//! What operators write, and how its mistakes are told.

mod campaigns;
mod configs;
mod csv;
mod deploy;
mod migrations;
mod vendors;
