//! An editor in the test's own process: it speaks to the server without a pipe, over a disk in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};

use bottlec::lsp::{DirectoryEntry, Disk, LANGUAGE, Server};
use bottlec::source::Source;
use lsp_server::{Message, Notification, Request, Response, ResponseError};
use lsp_types::notification as note;
use lsp_types::request as ask;
use lsp_types::{
    Diagnostic, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, Position,
    PublishDiagnosticsParams, TextDocumentContentChangeEvent, TextDocumentIdentifier, TextDocumentItem,
    TextDocumentPositionParams, Uri, VersionedTextDocumentIdentifier,
};
use serde_json::{Value, json};

/// The folder that every test's workspace is in.
pub(crate) const FOLDER: &str = "/workspace";

/// Files in memory, by their names in [`FOLDER`].
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<String, String>>);

impl Disk for Memory {
    fn workspace(&self, file: &Path) -> PathBuf {
        if file.starts_with(FOLDER) {
            PathBuf::from(FOLDER)
        } else {
            file.parent().unwrap_or(file).to_owned()
        }
    }

    fn read(&self, workspace: &Path, name: &str) -> Result<Source, String> {
        let path = workspace.join(name);
        let known = path
            .strip_prefix(FOLDER)
            .ok()
            .and_then(|path| Some(self.0.lock().ok()?.get(path.to_str()?)?.clone()));
        known.map(|text| Source::new(name, text)).ok_or_else(|| String::from("there is no such file"))
    }

    fn specs(&self, workspace: &Path) -> Vec<String> {
        let files = self.0.lock().expect("no test panics while it holds it");
        let paths = files.keys().map(|name| Path::new(FOLDER).join(name));
        let below = paths.filter_map(|path| Some(path.strip_prefix(workspace).ok()?.to_str()?.to_owned()));
        below.filter(|name| Path::new(name).extension().is_some_and(|end| end == "kdl")).collect()
    }

    fn list(&self, directory: &Path) -> Vec<DirectoryEntry> {
        let files = self.0.lock().expect("no test panics while it holds it");
        let paths = files.keys().map(|name| Path::new(FOLDER).join(name));
        let mut entries: Vec<DirectoryEntry> = paths
            .filter_map(|path| {
                let rest = path.strip_prefix(directory).ok()?.to_owned();
                let mut parts = rest.iter();
                let name = parts.next()?.to_str()?.to_owned();
                Some(DirectoryEntry { name, is_directory: parts.next().is_some() })
            })
            .collect();
        entries.sort();
        entries.dedup();
        entries
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/ada"))
    }
}

/// The editor.
pub(crate) struct Editor {
    pub(crate) server: Server,
    pub(crate) disk: Arc<Memory>,
    /// What the server announced.
    pub(crate) capabilities: Value,
    /// What is shown, by the name of the file.
    pub(crate) shown: BTreeMap<String, PublishDiagnosticsParams>,
    /// What the server asked for or told besides diagnostics, in order.
    pub(crate) heard: Vec<Message>,
    versions: BTreeMap<String, i32>,
    requests: i32,
}

impl Editor {
    /// An editor that can do everything, in a workspace with these files, none of which is open.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, &all_capabilities())
    }

    /// One that can do what it says.
    pub(crate) fn with(files: &[(&str, &str)], capabilities: &Value) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let disk = Arc::new(Memory(Mutex::new(files)));
        let mut editor = Self {
            server: Server::new(Arc::clone(&disk) as Arc<dyn Disk>),
            disk,
            capabilities: Value::Null,
            shown: BTreeMap::new(),
            heard: Vec::new(),
            versions: BTreeMap::new(),
            requests: 0,
        };
        let folder = json!({"uri": format!("file://{FOLDER}"), "name": "workspace"});
        let params = json!({"processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": [folder]});
        let result = editor.send("initialize", params).expect("an answer");
        editor.capabilities = result["capabilities"].clone();
        editor.notify("initialized", json!({}));
        editor
    }

    /// The URI of a file of the workspace.
    pub(crate) fn uri(name: &str) -> Uri {
        Uri::from_str(&format!("file://{FOLDER}/{name}")).expect("a URI")
    }

    pub(crate) fn id(name: &str) -> TextDocumentIdentifier {
        TextDocumentIdentifier { uri: Self::uri(name) }
    }

    pub(crate) fn at(name: &str, position: Position) -> TextDocumentPositionParams {
        TextDocumentPositionParams { text_document: Self::id(name), position }
    }

    /// Sends a request by its name. Returns what came back.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        self.requests += 1;
        let id = lsp_server::RequestId::from(self.requests);
        let mut answer = None;
        for message in self.server.handle(Message::Request(Request::new(id.clone(), method.into(), params))) {
            match message {
                Message::Response(Response { id: of, response_result }) if of == id => {
                    answer = Some(response_result);
                }
                message => self.hear(message),
            }
        }
        answer.expect("each request is answered")
    }

    /// Sends a request.
    pub(crate) fn ask<R: ask::Request>(&mut self, params: R::Params) -> R::Result {
        let params = serde_json::to_value(params).expect("parameters");
        let result = self.send(R::METHOD, params).unwrap_or_else(|error| panic!("{}: {error:?}", R::METHOD));
        serde_json::from_value(result).expect("a result")
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let messages = self.server.handle(Message::Notification(Notification::new(method.into(), params)));
        for message in messages {
            self.hear(message);
        }
    }

    pub(crate) fn tell<N: note::Notification>(&mut self, params: N::Params) {
        self.notify(N::METHOD, serde_json::to_value(params).expect("parameters"));
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Notification(told) if told.method == "textDocument/publishDiagnostics" => {
                let shown: PublishDiagnosticsParams =
                    serde_json::from_value(told.params).expect("diagnostics");
                let name = shown.uri.as_str().strip_prefix(&format!("file://{FOLDER}/")).unwrap_or("?");
                self.shown.insert(name.to_owned(), shown);
            }
            message => self.heard.push(message),
        }
    }

    /// Lets the server compile what is open, and not look for what else there is on the disk.
    pub(crate) fn settle_one(&mut self) {
        let work = self.server.work().expect("something to do");
        for message in self.server.done(work.run()) {
            self.hear(message);
        }
    }

    /// Lets the server do all that it has to do.
    pub(crate) fn settle(&mut self) {
        while let Some(work) = self.server.work() {
            let messages = self.server.done(work.run());
            for message in messages {
                self.hear(message);
            }
        }
        let messages = self.server.flush();
        for message in messages {
            self.hear(message);
        }
    }

    /// Opens a file with a text that need not be the disk's.
    pub(crate) fn open(&mut self, name: &str, text: &str) {
        self.versions.insert(name.to_owned(), 1);
        let text_document = TextDocumentItem::new(Self::uri(name), LANGUAGE.to_owned(), 1, text.to_owned());
        self.tell::<note::DidOpenTextDocument>(DidOpenTextDocumentParams { text_document });
    }

    /// Opens a text that has `<|>` in it, as `x.kdl`. Returns the position of that.
    pub(crate) fn open_at(&mut self, text: &str) -> Position {
        let (before, after) = text.split_once("<|>").expect("a mark");
        self.open("x.kdl", &format!("{before}{after}"));
        // UTF-16 is what tests count in unless they say otherwise.
        let line = before.rsplit('\n').next().unwrap_or(before);
        let units = line.encode_utf16().count();
        Position::new(
            u32::try_from(before.matches('\n').count()).expect("short"),
            u32::try_from(units).expect("short"),
        )
    }

    pub(crate) fn change(&mut self, name: &str, content_changes: Vec<TextDocumentContentChangeEvent>) {
        let version = self.versions.get_mut(name).expect("an open file");
        *version += 1;
        let text_document = VersionedTextDocumentIdentifier::new(Self::uri(name), *version);
        self.tell::<note::DidChangeTextDocument>(DidChangeTextDocumentParams {
            text_document,
            content_changes,
        });
    }

    /// Another text for a whole document.
    pub(crate) fn replace(&mut self, name: &str, text: &str) {
        let change =
            TextDocumentContentChangeEvent { range: None, range_length: None, text: text.to_owned() };
        self.change(name, vec![change]);
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.tell::<note::DidCloseTextDocument>(DidCloseTextDocumentParams { text_document: Self::id(name) });
    }

    /// What is shown of a file once everything is done.
    pub(crate) fn diagnostics(&mut self, name: &str) -> Vec<Diagnostic> {
        self.settle();
        self.shown.get(name).map(|shown| shown.diagnostics.clone()).unwrap_or_default()
    }
}

/// What an editor of today can do, without asking for diagnostics itself.
pub(crate) fn all_capabilities() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {
            "workspaceEdit": {"documentChanges": true},
            "didChangeWatchedFiles": {"dynamicRegistration": true},
            "diagnostics": {"refreshSupport": true},
        },
        "textDocument": {
            "publishDiagnostics": {
                "relatedInformation": true, "codeDescriptionSupport": true, "versionSupport": true,
                "tagSupport": {"valueSet": [1, 2]},
            },
            "completion": {"completionItem": {"snippetSupport": true, "documentationFormat": ["markdown"]}},
            "hover": {"contentFormat": ["markdown"]},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
            "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
            "definition": {"linkSupport": true},
        },
        "window": {"showDocument": {"support": true}},
    })
}
