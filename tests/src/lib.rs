//! What the scenarios and the conformance suite stand on: throwaway databases, sample rules,
//! virtual time.

pub mod binary;
pub mod browser;
pub mod database;
pub mod fault_proxy;
pub mod project;
pub mod sample;
mod templates;
pub mod virtual_time;
pub mod web;
pub mod zone_tree;

pub use database::TestDatabase;
pub use ringfence_samples::vendors;

/// The same in virtual time.
#[macro_export]
macro_rules! on_both_databases_in_virtual_time {
    (async fn $name:ident($database:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "each scenario uses what it needs")]
            use super::*;

            async fn scenario($database: $crate::TestDatabase) $body

            #[tokio::test]
            async fn sqlite() {
                scenario($crate::TestDatabase::sqlite_in_virtual_time().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                scenario($crate::TestDatabase::postgres_in_virtual_time().await).await;
            }
        }
    };
}

/// Declares tests that run on SQLite and on Postgres alike.
#[macro_export]
macro_rules! on_both_databases {
    ($(#[$meta:meta])* async fn $name:ident($database:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "each scenario uses what it needs")]
            use super::*;

            async fn scenario($database: $crate::TestDatabase) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                scenario($crate::TestDatabase::sqlite().await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                scenario($crate::TestDatabase::postgres().await).await;
            }
        }
    };
}
