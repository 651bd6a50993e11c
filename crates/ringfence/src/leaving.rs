//! A process that was told to leave leaves, whatever holds it up.

use std::sync::Once;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// The grace time: supervisors that `deploy/` knows kill after 30 s.
const GRACE: Duration = Duration::from_secs(25);

/// From now on a signal that asks to leave ends the process after its grace time at the latest, as
/// when its output is written into a pipe that nobody reads. Called where signals begin to be
/// heard.
pub fn in_time() -> std::io::Result<()> {
    static BEGUN: Once = Once::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    BEGUN.call_once(|| {
        tokio::spawn(async move {
            let code = tokio::select! {
                _ = terminate.recv() => 143,
                _ = interrupt.recv() => 130,
            };
            std::thread::spawn(move || {
                std::thread::sleep(GRACE);
                std::process::exit(code);
            });
        });
    });
    Ok(())
}
