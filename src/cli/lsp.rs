//! `bottlec lsp`: the language server on standard input and output.

mod budget;
mod disk;
mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use std::{io, iter};

use bottlec::lsp::{Done, Exit, Server, Work};
use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
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

/// Why a conversation is over.
enum End {
    /// The client said so.
    Said(Exit),
    /// The client says nothing any more.
    Gone,
    /// What the client sent is no message.
    Unreadable(io::Error),
    /// Nothing can be sent to the client any more.
    Unwritable(io::Error),
    /// The client takes nothing any more.
    Deaf,
}

/// Serves until the client says that it is enough, or is gone.
pub(super) fn run() -> Result<Outcome, Error> {
    let incoming = transport::read_from_stdin();
    let (outgoing, writer) = transport::write_to_stdout();
    let (jobs, results) = start_worker();
    let server = Server::new(Arc::new(Folders));
    let mut conversation = Conversation {
        server,
        incoming,
        outgoing,
        writer: writer.clone(),
        jobs,
        results,
        busy: None,
        last: Duration::ZERO,
    };
    let end = conversation.hold();
    // Nothing more is said. The writer has something to write still, perhaps to nobody.
    drop(conversation);
    let written = writer.recv_timeout(LAST_WORDS);
    match (end, written) {
        (End::Said(Exit::Orderly), _) => Ok(Outcome::Clean),
        (End::Said(Exit::Abrupt), _) => Err(Error::Client("the editor left without `shutdown`".to_owned())),
        (End::Unreadable(error), _) => {
            Err(Error::Client(format!("the editor sent what is no message: {error}")))
        }
        (End::Gone, _) => Err(Error::Client("the editor is gone".to_owned())),
        (End::Unwritable(error), _) | (End::Deaf, Ok(Err(error))) => Err(Error::Output(error)),
        (End::Deaf, _) => Err(Error::Client("the editor does not read what it is sent".to_owned())),
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
    incoming: Receiver<Result<Received, End>>,
    outgoing: Outgoing,
    /// Says how it ended.
    writer: Receiver<io::Result<()>>,
    jobs: Sender<Work>,
    results: Receiver<Done>,
    /// Since when the worker works.
    busy: Option<Instant>,
    /// How long it worked the last time.
    last: Duration,
}

impl Conversation {
    /// Goes on until something ends it.
    fn hold(&mut self) -> End {
        let mut quiet_since = Instant::now();
        loop {
            if let Err(end) = self.go_on(&mut quiet_since) {
                return end;
            }
        }
    }

    /// Waits for the next thing to happen, and does what follows from it.
    fn go_on(&mut self, quiet_since: &mut Instant) -> Result<(), End> {
        let begin = if self.busy.is_none() && self.server.has_work() {
            after(self.wait().saturating_sub(quiet_since.elapsed()))
        } else {
            never()
        };
        let heartbeat = after(HEARTBEAT);
        select! {
            recv(self.incoming) -> received => {
                self.take(received.unwrap_or(Err(End::Gone)))?;
                *quiet_since = Instant::now();
            }
            recv(self.results) -> done => {
                self.last = self.busy.take().map_or(self.last, |since| since.elapsed());
                let messages = self.server.done(done.map_err(|_| End::Gone)?);
                self.send(&messages)?;
            }
            recv(begin) -> _ => {
                if let Some(work) = self.server.work() {
                    self.busy = Some(Instant::now());
                    self.jobs.send(work).map_err(|_| End::Gone)?;
                }
                // What needs no compile was said at once.
                let messages = self.server.flush();
                self.send(&messages)?;
            }
            recv(self.writer) -> written => {
                return Err(written.ok().and_then(Result::err).map_or(End::Deaf, End::Unwritable));
            }
            recv(heartbeat) -> _ => {
                if self.server.parent().is_some_and(|parent| !transport::is_alive(parent)) {
                    return Err(End::Gone);
                }
            }
        }
        Ok(())
    }

    /// How long the client must be quiet before a compile begins: not at all as long as compiles are short.
    fn wait(&self) -> Duration {
        if self.last <= SHORT { Duration::ZERO } else { self.last.min(LONGEST_WAIT) }
    }

    /// Takes a message and all that wait behind it.
    fn take(&mut self, first: Result<Received, End>) -> Result<(), End> {
        let mut waiting = Vec::new();
        let mut end = None;
        for received in iter::once(first).chain(self.incoming.try_iter()) {
            match received {
                Ok(received) => waiting.push(received),
                Err(it) => {
                    end = Some(it);
                    break;
                }
            }
        }
        let taken_back: BTreeSet<String> = waiting.iter().filter_map(|it| taken_back(&it.message)).collect();
        // What a message takes is given back once it is answered.
        for Received { message, share: _share } in waiting {
            let messages = match &message {
                Message::Request(request) if taken_back.contains(&request.id.to_string()) => {
                    vec![Server::cancelled(request.id.clone())]
                }
                _ => self.server.handle(message),
            };
            self.send(&messages)?;
            if let Some(exit) = self.server.exit() {
                return Err(End::Said(exit));
            }
        }
        end.map_or(Ok(()), Err)
    }

    /// Sends messages.
    fn send(&self, messages: &[Message]) -> Result<(), End> {
        messages.iter().try_for_each(|message| self.outgoing.send(message)).ok_or(End::Deaf)
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
