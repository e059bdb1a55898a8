//! `bottlec lsp`: the language server on standard input and output.

mod budget;
mod disk;
mod transport;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bottlec::lsp::{Done, Exit, Server, Work};
use crossbeam_channel::{Receiver, Sender, TryRecvError, after, bounded, never, select};
use lsp_server::{Message, Notification, RequestId};

use super::Outcome;
use super::error::Error;
use disk::Folders;
use transport::{Outgoing, Received};

/// A compile of this length or less is begun with each keystroke: by the time the next one comes it is over.
const SHORT: Duration = Duration::from_millis(20);
/// The longest time that a compile waits for a pause in the typing.
const LONGEST_WAIT: Duration = Duration::from_millis(300);
/// How long the client may take to read what is left to say when it ended the conversation.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often is looked whether the editor is still there.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Serves until the client says that it is enough, or is gone.
pub(super) fn run() -> Result<Outcome, Error> {
    let (incoming, reader) = transport::read_from_stdin();
    let (outgoing, writer) = transport::write_to_stdout();
    let (jobs, results) = start_worker();
    let server = Server::new(Arc::new(Folders));
    let exit =
        Conversation { server, incoming, outgoing, jobs, results, busy: None, last: Duration::ZERO }.hold();
    // The reader may sit in a read that nobody ends. The writer has something to say still, perhaps to nobody.
    let read = if reader.is_finished() { reader.join().unwrap_or(Ok(())) } else { Ok(()) };
    let written = writer.recv_timeout(LAST_WORDS).ok();
    match (exit, read, written) {
        (Some(Exit::Orderly), ..) => Ok(Outcome::Clean),
        (Some(Exit::Abrupt), ..) => Err(Error::Client("the editor left without `shutdown`".to_owned())),
        (None, Err(error), _) => Err(Error::Client(format!("the editor sent what is no message: {error}"))),
        (None, Ok(()), Some(Err(error))) => Err(Error::Output(error)),
        (None, Ok(()), Some(Ok(()))) => Err(Error::Client("the editor is gone".to_owned())),
        (None, Ok(()), None) => Err(Error::Client("the editor does not read what it is sent".to_owned())),
    }
}

/// Starts the thread that compiles. It takes one piece of work at a time.
fn start_worker() -> (Sender<Work>, Receiver<Done>) {
    let (jobs, work) = bounded::<Work>(1);
    let (done, results) = bounded::<Done>(1);
    thread::spawn(move || {
        for work in work {
            if done.send(work.run()).is_err() {
                break;
            }
        }
    });
    (jobs, results)
}

/// One client, from its first message to its last.
struct Conversation {
    server: Server,
    incoming: Receiver<Received>,
    outgoing: Outgoing,
    jobs: Sender<Work>,
    results: Receiver<Done>,
    /// Since when the worker works.
    busy: Option<Instant>,
    /// How long it worked the last time.
    last: Duration,
}

impl Conversation {
    /// Goes on until the client ends it, or is gone: nothing then.
    fn hold(&mut self) -> Option<Exit> {
        let mut quiet_since = Instant::now();
        loop {
            let begin = if self.busy.is_none() && self.server.has_work() {
                after(self.wait().saturating_sub(quiet_since.elapsed()))
            } else {
                never()
            };
            let heartbeat = after(HEARTBEAT);
            select! {
                recv(self.incoming) -> message => {
                    let gone = self.take(message.ok()?);
                    quiet_since = Instant::now();
                    if self.server.exit().is_some() || gone {
                        return self.server.exit();
                    }
                }
                recv(self.results) -> done => {
                    self.last = self.busy.take().map_or(self.last, |since| since.elapsed());
                    let messages = self.server.done(done.ok()?);
                    self.send(messages)?;
                }
                recv(begin) -> _ => {
                    if let Some(work) = self.server.work() {
                        self.busy = Some(Instant::now());
                        self.jobs.send(work).ok()?;
                    }
                    // What needs no compile was said at once.
                    let messages = self.server.flush();
                    self.send(messages)?;
                }
                recv(heartbeat) -> _ => {
                    if self.server.parent().is_some_and(|parent| !transport::is_alive(parent)) {
                        return None;
                    }
                }
            }
        }
    }

    /// How long the client must be quiet before a compile begins: not at all as long as compiles are short.
    fn wait(&self) -> Duration {
        if self.last <= SHORT { Duration::ZERO } else { self.last.min(LONGEST_WAIT) }
    }

    /// Takes a message and all that wait behind it. Returns whether the client is gone.
    fn take(&mut self, first: Received) -> bool {
        let mut waiting = VecDeque::from([first]);
        let mut gone = false;
        loop {
            match self.incoming.try_recv() {
                Ok(message) => waiting.push_back(message),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    gone = true;
                    break;
                }
            }
        }
        let taken_back: BTreeSet<String> = waiting.iter().filter_map(|received| taken_back(&received.message)).collect();
        // What a message takes is given back once the answer to it is sent.
        for Received { message, share: _share } in waiting {
            let messages = match &message {
                Message::Request(request) if taken_back.contains(&request.id.to_string()) => {
                    vec![Server::cancelled(request.id.clone())]
                }
                _ => self.server.handle(message),
            };
            if self.send(messages).is_none() {
                return true;
            }
            if self.server.exit().is_some() {
                return false;
            }
        }
        gone
    }

    /// Sends messages; nothing when nobody takes them any more.
    fn send(&self, messages: Vec<Message>) -> Option<()> {
        messages.iter().try_for_each(|message| self.outgoing.send(message))
    }
}

/// The request that a message takes back, as its id is shown.
fn taken_back(message: &Message) -> Option<String> {
    let Message::Notification(Notification { method, params }) = message else { return None };
    if method != "$/cancelRequest" {
        return None;
    }
    let id: RequestId = serde_json::from_value(params.get("id")?.clone()).ok()?;
    Some(id.to_string())
}
