//! A transaction on a pooled connection that goes back to its pool only when it is certain to be
//! over.
//!
//! The driver's own transactions count how deep they are; after a commit that failed on a full disk
//! the count is wrong for good, and every later one on that connection fails. Here whatever is in
//! doubt is closed.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor};

/// A connection in a transaction.
pub(crate) struct Open<DB: Database> {
    link: PoolConnection<DB>,
    over: bool,
}

impl<DB: Database> Open<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins one with this statement.
    pub(crate) async fn begin(link: PoolConnection<DB>, statement: &'static str) -> Result<Self, sqlx::Error> {
        let mut open = Self::begun(link);
        (&mut *open.link).execute(statement).await?;
        Ok(open)
    }

    /// The one that was just begun on this connection.
    pub(crate) fn begun(link: PoolConnection<DB>) -> Self {
        Self { link, over: false }
    }

    /// Makes it hold.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        (&mut *self.link).execute("COMMIT").await?;
        self.over = true;
        Ok(())
    }

    /// Takes it back.
    pub(crate) async fn roll_back(mut self) {
        self.over = (&mut *self.link).execute("ROLLBACK").await.is_ok();
    }
}

impl<DB: Database> Drop for Open<DB> {
    fn drop(&mut self) {
        if !self.over {
            self.link.close_on_drop();
        }
    }
}

impl<DB: Database> Deref for Open<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.link
    }
}

impl<DB: Database> DerefMut for Open<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.link
    }
}
