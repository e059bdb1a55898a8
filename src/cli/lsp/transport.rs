//! Messages over standard input and output.

use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lsp_server::Message;
use rustix::process::{Pid, test_kill_process};

/// The largest message that is read, in bytes: a document of [`bottlec::source::MAX_SOURCE_BYTES`] with every character
/// escaped is well below it, and a length that is no message's must not take all memory.
const MAX_MESSAGE: u64 = 256 << 20;
/// The most bytes that the lines before a message may have.
const MAX_HEADER: u64 = 4096;

/// Starts the thread that reads. It ends with the last message, or with what is none.
pub(super) fn read_from_stdin() -> (Receiver<Message>, JoinHandle<io::Result<()>>) {
    // Enough for a burst of keystrokes to be taken at once.
    let (sender, receiver) = bounded(1024);
    let reader = thread::spawn(move || {
        let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
        while let Some(message) = read(&mut input)? {
            if sender.send(message).is_err() {
                break;
            }
        }
        Ok(())
    });
    (receiver, reader)
}

/// Reads one message; nothing at the end of the input.
fn read(input: &mut impl BufRead) -> io::Result<Option<Message>> {
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
    // The memory grows with what comes, not with what was announced.
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a message"));
    }
    // The content may be anybody's text, so that the error does not repeat it.
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

fn content_length(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?;
    let (name, value) = line.split_once(':')?;
    name.trim().eq_ignore_ascii_case("Content-Length").then(|| value.trim().parse().ok())?
}

/// Starts the thread that writes. A client that does not read lets messages pile up here, and is heard all the same.
/// The second channel says how it ended.
pub(super) fn write_to_stdout() -> (Sender<Message>, Receiver<io::Result<()>>) {
    let (sender, receiver) = unbounded::<Message>();
    let (ended, end) = bounded(1);
    thread::spawn(move || {
        // Whoever waits for the end may have stopped waiting.
        let _ = ended.send(write(&receiver));
    });
    (sender, end)
}

fn write(messages: &Receiver<Message>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    while let Ok(message) = messages.recv() {
        message.write(&mut output)?;
        for message in messages.try_iter() {
            message.write(&mut output)?;
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
