//! How the databases carry statements out.

mod every_statement;
mod lists;
mod many_rows;
