//! Messages over standard input and output.

use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lsp_server::Message;
use rustix::process::{Pid, test_kill_process};

use super::End;
use super::budget::{Budget, Share};

/// The largest message that is read, in bytes: a document of [`bottlec::source::MAX_SOURCE_BYTES`] with every character
/// escaped is well below it, and a length that is no message's must not take all memory.
const MAX_MESSAGE: u64 = 256 << 20;
/// The most bytes that the lines before a message may have.
const MAX_HEADER: u64 = 4096;

/// How many bytes wait to be heard, and how many to be said: enough for any burst of keystrokes. One message waits
/// whatever its size.
const MAX_WAITING: u64 = 64 << 20;
/// What a message takes beside its text.
const OVERHEAD: u64 = 1024;
/// How long a client that has so much to read already may take to read on.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that came, and its share of what may wait.
pub(super) struct Received {
    pub(super) message: Message,
    /// Given back when the message was dealt with.
    pub(super) share: Share,
}

/// Starts the thread that reads. The last thing that it gives is why it ended.
pub(super) fn read_from_stdin() -> Receiver<Result<Received, End>> {
    let (sender, receiver) = unbounded();
    let budget = Budget::new(MAX_WAITING);
    thread::spawn(move || {
        let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
        loop {
            let next = match read(&mut input, &budget) {
                Ok(next) => next.ok_or(End::Gone),
                Err(error) => Err(End::Unreadable(error)),
            };
            let is_last = next.is_err();
            if sender.send(next).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

/// Reads one message, once there is room for it; nothing at the end of the input.
fn read(input: &mut impl BufRead, budget: &Arc<Budget>) -> io::Result<Option<Received>> {
    let mut header = Vec::new();
    let mut length = None;
    loop {
        let room = MAX_HEADER.saturating_sub(header.len() as u64);
        let line_start = header.len();
        let got = input.take(room).read_until(b'\n', &mut header)?;
        let line = &header[line_start..];
        if got == 0 && header.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            let what = if room <= got as u64 { "a header without an end" } else { "it ends within a header" };
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        length = content_length(line).or(length);
    }
    let Some(length) = length else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a header without `Content-Length`"));
    };
    if length > MAX_MESSAGE {
        let what = format!("a message of {length} bytes; at most {MAX_MESSAGE} are read");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let share = budget.take(length + OVERHEAD);
    // The memory grows with what comes, not with what was announced.
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a message"));
    }
    // The content may be anybody's text, so that the error does not repeat it.
    serde_json::from_slice(&body)
        .map(|message| Some(Received { message, share }))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

fn content_length(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?;
    let (name, value) = line.split_once(':')?;
    name.trim().eq_ignore_ascii_case("Content-Length").then(|| value.trim().parse().ok())?
}

/// The sending end: messages to the client.
pub(super) struct Outgoing {
    sender: Sender<(Vec<u8>, Share)>,
    budget: Arc<Budget>,
}

impl Outgoing {
    /// Says something; nothing when nobody hears it: the client is gone, or does not read.
    pub(super) fn send(&self, message: &Message) -> Option<()> {
        let mut bytes = Vec::new();
        message.write(&mut bytes).ok()?;
        let share = self.budget.take_within(bytes.len() as u64 + OVERHEAD, PATIENCE)?;
        self.sender.send((bytes, share)).ok()
    }
}

/// Starts the thread that writes. A client that does not read lets messages pile up here for a while, and is heard all
/// the same. The second channel says how it ended.
pub(super) fn write_to_stdout() -> (Outgoing, Receiver<io::Result<()>>) {
    let (sender, receiver) = unbounded();
    let (ended, end) = bounded(1);
    thread::spawn(move || {
        // Whoever waits for the end may have stopped waiting.
        let _ = ended.send(write(&receiver));
    });
    (Outgoing { sender, budget: Budget::new(MAX_WAITING) }, end)
}

fn write(messages: &Receiver<(Vec<u8>, Share)>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    while let Ok((bytes, _share)) = messages.recv() {
        output.write_all(&bytes)?;
        for (bytes, _share) in messages.try_iter() {
            output.write_all(&bytes)?;
        }
        output.flush()?;
    }
    Ok(())
}

/// Whether a process is there, whoever's it is.
pub(super) fn is_alive(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    pid.is_none_or(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}
