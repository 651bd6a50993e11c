//! What is logged, for tests of what is told.

use std::io;
use std::sync::{Arc, Mutex};

/// What is logged meanwhile.
pub(crate) fn logged(act: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("free").extend_from_slice(text);
            Ok(text.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let into = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || into.clone()).finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8(log.0.lock().expect("free").clone()).expect("text")
}
