//! What is said on stderr. One thread writes it, so that a pipe that nobody reads, or that is
//! closed, holds up that thread and nobody else: logs are let go then and counted, and words to
//! people are waited for no longer than a second.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ringfence_domain::harmless::harmless;

use crate::progress::PROGRESS;
use crate::screen::escaped;

/// Log lines that wait to be written, at most.
const MOST_LOGS: usize = 8_192;
/// So long a word to people waits for its reader.
const WAIT: Duration = Duration::from_secs(1);

static STDERR: LazyLock<Line> = LazyLock::new(|| Line::begin(std::io::stderr(), std::io::stderr().is_terminal()));

/// Says something to the person at the other end: a whole line, or several. What would steer the
/// terminal is shown by its number.
pub fn say(text: impl AsRef<str>) {
    say_styled(harmless(text.as_ref()).into_owned());
}

/// Says what is harmless, with its colours.
pub fn say_styled(text: String) {
    STDERR.say(text.into_bytes(), WAIT);
}

/// Writes one line on stderr that is not a log.
pub fn eprint_line(line: &str) {
    say(format!("{line}\n"));
}

/// Writes lines on stderr that are not logs.
pub fn eprint_lines(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        eprint_line(&line);
    }
}

/// Waits until what was logged is written, if anybody reads it.
pub fn finish() {
    STDERR.say(Vec::new(), WAIT);
}

/// Makes a log line harmless, and keeps its styles: `ESC [ 1 m`. Those that stand in a message are
/// shown by their numbers already when it gets here.
fn harmless_but_styled(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        shown.push_str(&harmless(&rest[..at]));
        let sequence = &rest[at..];
        let digits = sequence
            .strip_prefix("\u{1b}[")
            .map_or(0, |codes| codes.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count());
        let style = 2 + digits + 1;
        if sequence.get(style - 1..style) == Some("m") {
            shown.push_str(&sequence[..style]);
            rest = &sequence[style..];
        } else {
            shown.push_str(&harmless(&sequence[..1]));
            rest = &sequence[1..];
        }
    }
    shown.push_str(&harmless(rest));
    shown
}

/// Takes log lines, and never waits.
#[derive(Debug, Clone, Copy)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = if std::io::stderr().is_terminal() { harmless_but_styled(&text) } else { escaped(&text) };
        STDERR.log(text.as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

enum Message {
    Word(Vec<u8>, SyncSender<()>),
    Log(Vec<u8>),
}

#[derive(Debug, Default)]
struct State {
    /// Log lines that wait.
    logs: AtomicUsize,
    /// Log lines that were let go since the last one was written.
    dropped: AtomicUsize,
    /// Nobody has read for a while: no word is waited for until something was written again.
    stuck: AtomicBool,
}

/// A thread and what it writes.
#[derive(Debug)]
struct Line {
    messages: Sender<Message>,
    state: Arc<State>,
}

impl Line {
    fn begin(out: impl Write + Send + 'static, around_progress: bool) -> Self {
        let (messages, waiting) = channel();
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || write(out, &waiting, &shared, around_progress));
        Self { messages, state }
    }

    fn log(&self, line: &[u8]) {
        if self.state.logs.fetch_add(1, Ordering::SeqCst) >= MOST_LOGS {
            self.state.logs.fetch_sub(1, Ordering::SeqCst);
            self.state.dropped.fetch_add(1, Ordering::SeqCst);
        } else {
            drop(self.messages.send(Message::Log(line.to_vec())));
        }
    }

    fn say(&self, text: Vec<u8>, wait: Duration) {
        let (written, done) = sync_channel(1);
        let sent = self.messages.send(Message::Word(text, written)).is_ok();
        if sent && !self.state.stuck.load(Ordering::SeqCst) && done.recv_timeout(wait).is_err() {
            self.state.stuck.store(true, Ordering::SeqCst);
        }
    }
}

/// A reader that went away is as good as one that reads.
fn write(mut out: impl Write, waiting: &Receiver<Message>, state: &State, around_progress: bool) {
    while let Ok(message) = waiting.recv() {
        let (text, written) = match message {
            Message::Log(text) => {
                state.logs.fetch_sub(1, Ordering::SeqCst);
                (text, None)
            }
            Message::Word(text, written) => (text, Some(written)),
        };
        let mut put = || {
            drop(out.write_all(&text));
            let dropped = state.dropped.swap(0, Ordering::SeqCst);
            if dropped > 0 {
                drop(writeln!(out, "{dropped} log lines were left out: they are read too slowly"));
            }
        };
        // Above the progress bar instead of through it. Elsewhere there is none, and who does not
        // read must not hold its lock.
        if around_progress {
            PROGRESS.suspend(put);
        } else {
            put();
        }
        state.stuck.store(false, Ordering::SeqCst);
        if let Some(written) = written {
            let _ = written.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A pipe whose reader begins when it is told to.
    #[derive(Clone)]
    struct Pipe {
        gate: Arc<Mutex<()>>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Pipe {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            let open = self.gate.lock().expect("open");
            self.read.lock().expect("a text").extend(text);
            drop(open);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_does_not_read_holds_up_nobody_and_is_told_what_was_left_out() {
        let pipe = Pipe { gate: Arc::default(), read: Arc::default() };
        let line = Line::begin(pipe.clone(), false);
        let closed = pipe.gate.lock().expect("closed");
        for n in 0..MOST_LOGS + 10 {
            line.log(format!("{n}\n").as_bytes());
        }
        line.say(b"a word\n".to_vec(), Duration::from_millis(1));
        line.say(b"nobody waits for this one\n".to_vec(), Duration::from_hours(1));
        drop(closed);
        line.say(b"the last\n".to_vec(), Duration::from_mins(1));
        line.state.stuck.store(false, Ordering::SeqCst);
        line.say(Vec::new(), Duration::from_mins(1));
        let text = String::from_utf8(pipe.read.lock().expect("a text").clone()).expect("text");
        assert!(text.starts_with("0\n"), "{text:.20}");
        assert!(text.contains("a word\nnobody waits for this one\nthe last\n"));
        assert!(text.contains(" log lines were left out"));
    }
}
