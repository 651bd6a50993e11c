//! HTTP inwards, over real sockets.

mod callbacks;
mod campaigns;
mod decisions;
mod documents;
mod encryption;
pub(crate) mod every_page;
mod exports;
mod files;
mod front_door;
pub(crate) mod metrics;
mod moment_by_moment;
mod new_campaign;
mod once;
mod pages;
mod random_requests;
mod roles;
mod streams;
mod updates;
mod uploads;
mod webhooks;
