//! What shows that a database may have forgotten calls, and what follows.

pub(crate) mod database_file;
pub(crate) mod leftover_log;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod witness;
pub(crate) mod witness_file;
