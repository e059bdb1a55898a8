//! The server: messages in, messages out. It reads no file, starts no thread and knows no clock; whoever runs it does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::request::{self as ask, Request as _};
use lsp_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, InitializeParams,
    InitializeResult, PublishDiagnosticsParams, Registration, RegistrationParams, ServerInfo, Uri,
};
use serde::de::DeserializeOwned;

use super::analysis::Located;
use super::capabilities;
use super::client::Client;
use super::diagnostics;
use super::disk::Disk;
use super::document::Document;
use super::publish::Publisher;
use super::uri;
use super::workspace::Workspace;

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    New,
    /// In use.
    Running,
    /// After `shutdown`: only `exit` may follow.
    ShutDown,
}

/// The way in which the client ended the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// After `shutdown`, as it should.
    Orderly,
    /// Without it.
    Abrupt,
}

/// Something that takes a while and is done beside the conversation.
pub enum Work {
    /// Compiles a spec.
    Check {
        /// The URI of the file that it begins with.
        root: String,
        /// Which of its states it is.
        stamp: u64,
        /// The spec.
        analysis: Arc<Located>,
        /// What the client can show.
        client: Arc<Client>,
    },
    /// Finds out which specs on the disk include which files.
    Scan {
        /// What is on the disk.
        disk: Arc<dyn Disk>,
        /// Where to look.
        folders: Vec<PathBuf>,
    },
}

/// The result of a [`Work`].
pub enum Done {
    /// What was found in a spec, by document.
    Checked {
        /// The URI of the file that it begins with.
        root: String,
        /// Which of its states was looked at.
        stamp: u64,
        /// What was found.
        found: BTreeMap<String, Vec<lsp_types::Diagnostic>>,
    },
    /// The files that each spec on the disk includes, by URI.
    Scanned(BTreeMap<String, BTreeSet<String>>),
}

impl Work {
    /// Does it.
    #[must_use]
    pub fn run(self) -> Done {
        match self {
            Self::Check { root, stamp, analysis, client } => {
                let found = diagnostics::by_document(&analysis, &client);
                Done::Checked { root, stamp, found }
            }
            Self::Scan { disk, folders } => {
                let workspace = Workspace::new(disk, folders.clone());
                let mut included = BTreeMap::new();
                for folder in folders {
                    let analysis = workspace.whole(&folder);
                    for (id, closure) in analysis.closures() {
                        let uri = |id| Some(analysis.uri(id)?.as_str().to_owned());
                        let others: BTreeSet<String> =
                            closure.files.iter().filter(|it| *it != id).filter_map(|it| uri(*it)).collect();
                        if let Some(root) = uri(*id).filter(|_| !others.is_empty()) {
                            included.insert(root, others);
                        }
                    }
                }
                Done::Scanned(included)
            }
        }
    }
}

/// The state of one conversation.
pub struct Server {
    pub(super) workspace: Workspace,
    pub(super) client: Arc<Client>,
    pub(super) publisher: Publisher,
    phase: Phase,
    exit: Option<Exit>,
    out: Vec<Message>,
    /// Specs that must be compiled again, the most urgent first.
    dirty: VecDeque<String>,
    /// The current state of each spec that was compiled.
    stamps: BTreeMap<String, u64>,
    stamp: u64,
    /// Specs on the disk, and the files that each includes.
    included: BTreeMap<String, BTreeSet<String>>,
    scan: bool,
    requests: i32,
    /// The process that the server works for.
    parent: Option<u32>,
}

impl Server {
    /// A server that nobody has spoken to.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            workspace: Workspace::new(disk, Vec::new()),
            client: Arc::default(),
            publisher: Publisher::default(),
            phase: Phase::New,
            exit: None,
            out: Vec::new(),
            dirty: VecDeque::new(),
            stamps: BTreeMap::new(),
            stamp: 0,
            included: BTreeMap::new(),
            scan: false,
            requests: 0,
            parent: None,
        }
    }

    /// Takes a message. Returns what is to be sent for it.
    pub fn handle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(notification) => self.notification(notification),
            // Of what the server asks for nothing depends on the answer.
            Message::Response(_) => {}
        }
        std::mem::take(&mut self.out)
    }

    /// Answers a request that the client took back.
    #[must_use]
    pub fn cancelled(id: RequestId) -> Message {
        let message = String::from("the client took it back");
        Message::Response(Response::new_err(id, ErrorCode::RequestCanceled as i32, message))
    }

    /// How the client ended the conversation, once it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// The process that the server works for, when the client named it.
    #[must_use]
    pub fn parent(&self) -> Option<u32> {
        self.parent
    }

    /// The next thing to do beside the conversation.
    pub fn work(&mut self) -> Option<Work> {
        while let Some(root) = self.dirty.pop_front() {
            let Ok(uri) = Uri::from_str(&root) else { continue };
            let is_spec = self.workspace.is_spec(&uri);
            let Some(analysis) = self.workspace.analysis(&uri).filter(|_| is_spec) else {
                self.take(&root, BTreeMap::new());
                continue;
            };
            self.stamp += 1;
            self.stamps.insert(root.clone(), self.stamp);
            return Some(Work::Check { root, stamp: self.stamp, analysis, client: Arc::clone(&self.client) });
        }
        let folders = self.workspace.folders().to_vec();
        let scan = std::mem::take(&mut self.scan) && !folders.is_empty();
        scan.then(|| Work::Scan { disk: Arc::clone(self.workspace.disk()), folders })
    }

    /// Takes the messages that wait to be sent.
    pub fn flush(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.out)
    }

    /// Whether there is something to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.dirty.is_empty() || self.scan
    }

    /// Takes what came out of some work. Returns what is to be sent for it.
    pub fn done(&mut self, done: Done) -> Vec<Message> {
        match done {
            Done::Checked { root, stamp, found } => {
                // What is known to be old says nothing of what is shown now.
                if self.stamps.get(&root) == Some(&stamp) && !self.dirty.contains(&root) {
                    self.take(&root, found);
                    self.workspace.forget_closed(&root);
                }
            }
            Done::Scanned(included) => {
                let before = std::mem::replace(&mut self.included, included);
                let open: Vec<String> = self.workspace.documents().keys().cloned().collect();
                for root in before.into_keys() {
                    if !self.included.contains_key(&root) && !open.contains(&root) {
                        self.take(&root, BTreeMap::new());
                    }
                }
                for document in open {
                    self.dirty_dependents(&document);
                }
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Takes over what one spec gives, and tells the client what became different.
    fn take(&mut self, root: &str, found: BTreeMap<String, Vec<lsp_types::Diagnostic>>) {
        let mut refresh = false;
        for document in self.publisher.found(root, found) {
            let open = self.workspace.document(&document);
            let Some(diagnostics) = self.publisher.news(&document) else { continue };
            // A client that asks for itself asks about what is open.
            if self.client.pulls && open.is_some() {
                refresh |= document != root;
                continue;
            }
            let version = open.map(|document| document.version);
            let Ok(uri) = Uri::from_str(&document) else { continue };
            self.tell::<note::PublishDiagnostics>(PublishDiagnosticsParams { uri, diagnostics, version });
        }
        if refresh && self.client.refreshes {
            self.ask::<ask::WorkspaceDiagnosticRefresh>(());
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        let fail =
            |code: ErrorCode, message: &str| Response::new_err(id.clone(), code as i32, message.into());
        let response = match (self.phase, request.method.as_str()) {
            (Phase::New, ask::Initialize::METHOD) => match serde_json::from_value(request.params) {
                Ok(params) => Response::new_ok(id, self.initialize(params)),
                Err(error) => fail(ErrorCode::InvalidParams, &error.to_string()),
            },
            (Phase::New, _) => fail(ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            (Phase::Running, ask::Initialize::METHOD) => {
                fail(ErrorCode::InvalidRequest, "`initialize` comes once")
            }
            (Phase::Running, ask::Shutdown::METHOD) => {
                self.phase = Phase::ShutDown;
                Response::new_ok(id, ())
            }
            (Phase::ShutDown, _) => fail(ErrorCode::InvalidRequest, "the server was shut down"),
            (Phase::Running, _) => self.answer(request),
        };
        self.out.push(Message::Response(response));
    }

    fn initialize(&mut self, params: InitializeParams) -> InitializeResult {
        self.phase = Phase::Running;
        self.parent = params.process_id;
        let client = Client::new(&params.capabilities);
        #[allow(deprecated, reason = "older clients name one folder, in one of two ways")]
        let (root_uri, root_path) = (params.root_uri, params.root_path);
        let folders = params.workspace_folders.unwrap_or_default();
        let mut folders: Vec<PathBuf> =
            folders.iter().filter_map(|folder| uri::to_path(&folder.uri)).collect();
        if folders.is_empty() {
            let root = root_uri.as_ref().and_then(uri::to_path).or_else(|| root_path.map(PathBuf::from));
            folders.extend(root.filter(|root| root.is_absolute()));
        }
        self.workspace.set_folders(folders);
        let capabilities = capabilities::of(&client);
        self.client = Arc::new(client);
        InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        }
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        if method == note::Exit::METHOD {
            let orderly = self.phase == Phase::ShutDown;
            self.exit = Some(if orderly { Exit::Orderly } else { Exit::Abrupt });
        }
        if self.phase != Phase::Running {
            return;
        }
        match method.as_str() {
            note::Initialized::METHOD => self.initialized(),
            note::DidOpenTextDocument::METHOD => {
                let Some(params) = read::<note::DidOpenTextDocument>(params) else { return };
                let item = params.text_document;
                let document = Document::new(item.uri, &item.language_id, item.version, item.text);
                let uri = document.uri.clone();
                self.workspace.open(document);
                self.changed(&uri);
                self.scan = true;
            }
            note::DidChangeTextDocument::METHOD => {
                let Some(params) = read::<note::DidChangeTextDocument>(params) else { return };
                let uri = params.text_document.uri;
                let encoding = self.client.encoding;
                let Some(document) = self.workspace.document_mut(uri.as_str()) else { return };
                document.change(params.text_document.version, params.content_changes, encoding);
                self.changed(&uri);
            }
            note::DidSaveTextDocument::METHOD => {
                // What is open counts as it is shown, saved or not; what includes what may be another matter now.
                self.scan = true;
            }
            note::DidCloseTextDocument::METHOD => {
                let Some(params) = read::<note::DidCloseTextDocument>(params) else { return };
                let uri = params.text_document.uri;
                self.workspace.close(uri.as_str());
                self.stamps.remove(uri.as_str());
                self.dirty.retain(|root| root != uri.as_str());
                self.changed(&uri);
                self.take(uri.as_str(), BTreeMap::new());
                self.close_dependents();
            }
            note::DidChangeWatchedFiles::METHOD => {
                let Some(params) = read::<note::DidChangeWatchedFiles>(params) else { return };
                for change in params.changes {
                    if self.workspace.document(change.uri.as_str()).is_none() {
                        self.changed(&change.uri);
                    }
                }
                self.scan = true;
            }
            note::DidChangeWorkspaceFolders::METHOD => {
                let Some(params) = read::<note::DidChangeWorkspaceFolders>(params) else { return };
                let gone: Vec<PathBuf> =
                    params.event.removed.iter().filter_map(|folder| uri::to_path(&folder.uri)).collect();
                let mut folders = self.workspace.folders().to_vec();
                folders.retain(|folder| !gone.contains(folder));
                folders.extend(params.event.added.iter().filter_map(|folder| uri::to_path(&folder.uri)));
                self.workspace.set_folders(folders);
                self.dirty.extend(self.workspace.documents().keys().cloned());
                self.scan = true;
            }
            _ => {}
        }
    }

    fn initialized(&mut self) {
        if !self.client.watches {
            return;
        }
        let watcher =
            FileSystemWatcher { glob_pattern: GlobPattern::String(String::from("**/*.kdl")), kind: None };
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: vec![watcher] };
        let registration = Registration {
            id: String::from("watch-specs"),
            method: note::DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        self.ask::<ask::RegisterCapability>(RegistrationParams { registrations: vec![registration] });
    }

    /// A file has another text now: the specs that it is part of must be compiled again, its own first.
    fn changed(&mut self, uri: &Uri) {
        let concerned = self.workspace.forget(uri);
        let own = self.workspace.document(uri.as_str()).map(|_| uri.as_str().to_owned());
        // The one at which somebody types goes before all that wait already.
        for root in own.into_iter().rev() {
            self.dirty.retain(|other| *other != root);
            self.dirty.push_front(root);
        }
        for root in concerned {
            self.enqueue(root);
        }
        self.dirty_dependents(uri.as_str());
    }

    /// Specs on the disk that include a document and are not open.
    fn dirty_dependents(&mut self, document: &str) {
        let including = self.included.iter().filter(|(_, included)| included.contains(document));
        let closed = including.map(|(root, _)| root).filter(|root| self.workspace.document(root).is_none());
        for root in closed.cloned().collect::<Vec<_>>() {
            self.enqueue(root);
        }
    }

    /// Specs on the disk of which nothing is open any more are nobody's business.
    fn close_dependents(&mut self) {
        let documents = self.workspace.documents();
        let over = self.included.iter().filter(|(root, included)| {
            !documents.contains_key(*root) && !included.iter().any(|it| documents.contains_key(it))
        });
        for root in over.map(|(root, _)| root.clone()).collect::<Vec<_>>() {
            self.dirty.retain(|other| *other != root);
            self.stamps.remove(&root);
            self.take(&root, BTreeMap::new());
        }
    }

    fn enqueue(&mut self, root: String) {
        if !self.dirty.contains(&root) {
            self.dirty.push_back(root);
        }
    }

    /// Sends a notification.
    pub(super) fn tell<N: note::Notification>(&mut self, params: N::Params) {
        self.out.push(Message::Notification(Notification::new(N::METHOD.to_owned(), params)));
    }

    /// Sends a request whose answer does not matter.
    pub(super) fn ask<R: ask::Request>(&mut self, params: R::Params) {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.out.push(Message::Request(Request::new(id, R::METHOD.to_owned(), params)));
    }
}

/// The parameters of a notification; of one that cannot be read nobody could be told.
fn read<N: note::Notification>(params: serde_json::Value) -> Option<N::Params>
where
    N::Params: DeserializeOwned,
{
    serde_json::from_value(params).ok()
}
