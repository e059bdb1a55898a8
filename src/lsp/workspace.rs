//! The workspace: open documents, their folders, and the specs that they form with the files on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use lsp_types::Uri;

use super::analysis::Located;
use super::disk::Disk;
use super::document::Document;
use super::uri;
use crate::compile::{Analysis, Options};
use crate::source::{MAX_SOURCE_BYTES, Source, SourceId, Sources};

/// How many bytes of the specs of a folder are looked through for names: a folder may hold anything.
const MAX_WHOLE_BYTES: usize = 4 * MAX_SOURCE_BYTES;

/// The open documents, and the specs that were read with them.
pub(super) struct Workspace {
    disk: Arc<dyn Disk>,
    folders: Vec<PathBuf>,
    documents: BTreeMap<String, Document>,
    /// The specs that were asked for since something in them changed, by the URI of the file that they begin with.
    analyses: BTreeMap<String, Arc<Located>>,
    /// The folder that was asked for last as a whole: a cursor that moves asks at each step.
    whole: Mutex<Option<Whole>>,
}

/// All specs of a folder, and what was read to make them out.
#[derive(Debug)]
struct Whole {
    folder: PathBuf,
    analysis: Arc<Located>,
    /// The specs, and all files that were read, by name: a digest of what came of each.
    names: Vec<String>,
    reads: Vec<(String, u64)>,
}

impl Workspace {
    /// A workspace of those folders, with nothing open.
    #[must_use]
    pub(super) fn new(disk: Arc<dyn Disk>, folders: Vec<PathBuf>) -> Self {
        Self { disk, folders, documents: BTreeMap::new(), analyses: BTreeMap::new(), whole: Mutex::new(None) }
    }

    /// The files on disk.
    #[must_use]
    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The folders.
    #[must_use]
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Other folders from now on.
    pub(super) fn set_folders(&mut self, folders: Vec<PathBuf>) {
        self.folders = folders;
        self.analyses.clear();
    }

    /// The open documents, by URI.
    #[must_use]
    pub(super) fn documents(&self) -> &BTreeMap<String, Document> {
        &self.documents
    }

    /// An open document.
    #[must_use]
    pub(super) fn document(&self, uri: &str) -> Option<&Document> {
        self.documents.get(uri)
    }

    /// An open document that changes.
    pub(super) fn document_mut(&mut self, uri: &str) -> Option<&mut Document> {
        self.documents.get_mut(uri)
    }

    /// Opens a document.
    pub(super) fn open(&mut self, document: Document) {
        self.documents.insert(document.uri.as_str().to_owned(), document);
    }

    /// Closes a document: the disk's text counts again.
    pub(super) fn close(&mut self, uri: &str) -> Option<Document> {
        self.documents.remove(uri)
    }

    /// Forgets what was made of a file. Returns the open documents whose specs had it in them, or missed it.
    pub(super) fn forget(&mut self, uri: &Uri) -> Vec<String> {
        let path = uri::to_path(uri);
        let mut concerned = Vec::new();
        self.analyses.retain(|root, analysis| {
            let missed = path.as_ref().is_some_and(|path| {
                let folder =
                    Uri::from_str(root).ok().and_then(|root| folder_of(&*self.disk, &self.folders, &root));
                folder
                    .and_then(|folder| name_in(&folder, path))
                    .is_some_and(|name| analysis.sources().why_absent(&name).is_some())
            });
            let concerns = missed || analysis.source_of(uri).is_some();
            if concerns && self.documents.contains_key(root) {
                concerned.push(root.clone());
            }
            !concerns
        });
        concerned
    }

    /// Forgets a spec that is not open: nobody says when it changes on the disk.
    pub(super) fn forget_closed(&mut self, root: &str) {
        if !self.documents.contains_key(root) {
            self.analyses.remove(root);
        }
    }

    /// The directory that a file's names are relative to: its workspace, as for the command line, or the first folder for
    /// what is no file so far. `include` leads to nowhere outside of it.
    #[must_use]
    pub(super) fn folder_of(&self, uri: &Uri) -> Option<PathBuf> {
        folder_of(&*self.disk, &self.folders, uri)
    }

    /// The spec that begins with a file, open or on the disk: `None` when it cannot be read.
    pub(super) fn analysis(&mut self, uri: &Uri) -> Option<Arc<Located>> {
        if let Some(known) = self.analyses.get(uri.as_str()) {
            return Some(Arc::clone(known));
        }
        let analysis = Arc::new(self.load(uri)?);
        self.analyses.insert(uri.as_str().to_owned(), Arc::clone(&analysis));
        Some(analysis)
    }

    fn load(&self, uri: &Uri) -> Option<Located> {
        let folder = self.folder_of(uri);
        let path = uri::to_path(uri);
        let name = match (&folder, &path) {
            (Some(folder), Some(path)) => name_in(folder, path)?,
            _ => uri::last_part(uri),
        };
        let mut sources = Sources::new();
        let source = match (self.documents.get(uri.as_str()), &folder) {
            (Some(document), _) => document.source(name),
            (None, Some(folder)) => self.disk.read(folder, &name).ok()?,
            (None, None) => return None,
        };
        sources.add(source);
        let read = |name: &str| match &folder {
            Some(folder) => self.read(folder, name),
            None => Err(String::from("the spec that includes it was never saved, and no folder is open")),
        };
        Some(self.with_includes(sources, folder.as_deref(), Some(uri), &read))
    }

    /// Every spec of a folder, and what they include, as one: to find names in, not to compile, since they need not be
    /// for one host.
    #[must_use]
    pub(super) fn whole(&self, folder: &Path) -> Arc<Located> {
        let mut names = self.disk.specs(folder);
        let open = self.documents.values();
        names.extend(open.filter_map(|document| name_in(folder, document.path.as_ref()?)));
        names.sort();
        names.dedup();
        // A thread that died with it in its hand left it as it was.
        let mut kept = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref()
            && kept.folder == folder
            && kept.names == names
            && kept
                .reads
                .iter()
                .all(|(name, digest)| self.digest(folder, name, &self.read(folder, name)) == *digest)
        {
            return Arc::clone(&kept.analysis);
        }
        let reads = RefCell::new(Vec::new());
        let read = |name: &str| {
            let read = self.read(folder, name);
            reads.borrow_mut().push((name.to_owned(), self.digest(folder, name, &read)));
            read
        };
        let mut sources = Sources::new();
        let mut bytes = 0;
        for name in &names {
            // What is no spec has no names of ours in it.
            if let Ok(source) = read(name) {
                bytes += source.bytes().len();
                sources.add(source);
            }
            if bytes > MAX_WHOLE_BYTES {
                break;
            }
        }
        let analysis = Arc::new(self.with_includes(sources, Some(folder), None, &read));
        let reads = reads.into_inner();
        *kept = Some(Whole { folder: folder.to_owned(), analysis: Arc::clone(&analysis), names, reads });
        analysis
    }

    /// A digest of what came of reading a file, and of what the editor calls it.
    fn digest(&self, folder: &Path, name: &str, read: &Result<Source, String>) -> u64 {
        let mut hasher = DefaultHasher::new();
        match read {
            Ok(source) => source.bytes().hash(&mut hasher),
            Err(why) => why.hash(&mut hasher),
        }
        let uri = self.at(&folder.join(name)).map(|document| document.uri.as_str());
        (read.is_ok(), uri).hash(&mut hasher);
        hasher.finish()
    }

    /// The text of a file: the editor's, or else the disk's.
    fn read(&self, folder: &Path, name: &str) -> Result<Source, String> {
        match self.at(&folder.join(name)) {
            Some(document) => Ok(document.source(name.to_owned())),
            None => self.disk.read(folder, name),
        }
    }

    /// The open document that is kept there.
    fn at(&self, path: &Path) -> Option<&Document> {
        self.documents.values().find(|document| document.path.as_deref() == Some(path))
    }

    /// Reads what sources include. `root` is what the editor calls the first of them.
    fn with_includes(
        &self,
        sources: Sources,
        folder: Option<&Path>,
        root: Option<&Uri>,
        read: &dyn Fn(&str) -> Result<Source, String>,
    ) -> Located {
        let mut analysis = Analysis::new(sources, Options::default());
        analysis.follow(read);
        let uri_of = |(id, source): (SourceId, &Source)| match root {
            Some(root) if id.index() == 0 => Some(root.clone()),
            _ if source.is_built_in() => None,
            _ => {
                let path = folder?.join(&**source.place());
                self.at(&path).map(|document| document.uri.clone()).or_else(|| uri::from_path(&path))
            }
        };
        let uris = analysis.sources().iter().map(uri_of).collect();
        Located::new(analysis, uris)
    }

    /// Whether an open document is a spec: an editor may take every KDL file for one.
    pub(super) fn is_spec(&mut self, uri: &Uri) -> bool {
        if self.documents.get(uri.as_str()).is_none_or(|document| document.surely_spec) {
            return true;
        }
        self.analysis(uri).is_some_and(|analysis| analysis.is_spec())
    }
}

fn folder_of(disk: &dyn Disk, folders: &[PathBuf], uri: &Uri) -> Option<PathBuf> {
    match uri::to_path(uri) {
        Some(path) => Some(disk.workspace(&path)),
        None => folders.first().cloned(),
    }
}

/// The name of a file as a source: its path from the folder on, with `/` between its parts.
#[must_use]
pub(super) fn name_in(folder: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str()).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}
