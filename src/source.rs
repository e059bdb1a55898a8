//! Named texts, byte spans, and the line index that turns offsets into the columns people and editors count.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// The largest source that is read, in bytes (16 MiB). A spec is a few kilobytes; the bound keeps memory and time
/// bounded whatever a stranger's pull request holds, and every offset in 32 bits.
pub const MAX_SOURCE_BYTES: usize = 16 * 1024 * 1024;

/// Which source of a [`Sources`] a span lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub(crate) u32);

impl SourceId {
    /// Its place among the sources of its compile, from 0 on.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A range of bytes in one source, `start..end`, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `range` in `source`.
    #[must_use]
    pub fn new(source: SourceId, range: Range<u32>) -> Self {
        Self { source, start: range.start, end: range.end }
    }

    /// An empty span at `offset`.
    #[must_use]
    pub fn at(source: SourceId, offset: u32) -> Self {
        Self { source, start: offset, end: offset }
    }

    /// The bytes as an index range of the source's text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that holds both; `other` must lie in the same source.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        debug_assert_eq!(self.source, other.source);
        Self { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place as people and editors count it. Everything is zero-based; renderers for people add one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line: lines end with LF, CR LF or CR, as in the Language Server Protocol.
    pub line: u32,
    /// Bytes from the start of the line.
    pub byte: u32,
    /// Characters (Unicode scalar values) from the start of the line.
    pub character: u32,
    /// UTF-16 code units from the start of the line.
    pub utf16: u32,
}

/// One named text.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    place: Arc<str>,
    text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
    marks: OnceLock<Vec<Units>>,
    invalid_utf8: Vec<Range<u32>>,
    real_len: usize,
    raw_digest_bytes: Option<Arc<[u8]>>,
    named_only: bool,
    built_in: bool,
}

impl Source {
    /// A source from bytes as they were read. Bytes that are not UTF-8 become `?` one for one, so that every offset
    /// stays true, and are remembered in [`Source::invalid_utf8`]. A source above [`MAX_SOURCE_BYTES`] keeps no text
    /// at all and is remembered as [`Source::too_large`].
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let real_len = bytes.len();
        if real_len > MAX_SOURCE_BYTES {
            return Self::build(name.into(), Arc::from(""), Vec::new(), real_len, None);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::build(name.into(), Arc::from(text), Vec::new(), real_len, None),
            Err(error) => {
                let bytes = error.into_bytes();
                let mut text = String::with_capacity(bytes.len());
                let mut invalid = Vec::new();
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    let bad = chunk.invalid().len();
                    if bad > 0 {
                        let start = offset(text.len());
                        text.extend(std::iter::repeat_n('?', bad));
                        invalid.push(start..offset(text.len()));
                    }
                }
                Self::build(name.into(), Arc::from(text), invalid, real_len, Some(Arc::from(bytes)))
            }
        }
    }

    /// A source from text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::from_bytes(name, text.into().into_bytes())
    }

    /// A source of which only the size was looked at, because it is above [`MAX_SOURCE_BYTES`].
    #[must_use]
    pub fn oversized(name: impl Into<String>, bytes: usize) -> Self {
        Self::build(name.into(), Arc::from(""), Vec::new(), bytes.max(MAX_SOURCE_BYTES + 1), None)
    }

    /// A source that keeps its text whatever its size, for an editor whose next edit may well make it smaller. It is
    /// not to be compiled while it is [`Source::too_large`].
    #[must_use]
    pub(crate) fn unbounded(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let len = text.len();
        Self::build(name.into(), text, Vec::new(), len, None)
    }

    /// A text that comes with the compiler: no file, which nobody can edit. Its place must be none of a workspace.
    #[must_use]
    pub fn built_in(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { built_in: true, ..Self::new(place, text) }
    }

    fn build(
        name: String,
        text: Arc<str>,
        invalid_utf8: Vec<Range<u32>>,
        real_len: usize,
        raw_digest_bytes: Option<Arc<[u8]>>,
    ) -> Self {
        let name: Arc<str> = name.into();
        Self {
            place: Arc::clone(&name),
            name,
            text,
            line_starts: OnceLock::new(),
            marks: OnceLock::new(),
            invalid_utf8,
            real_len,
            raw_digest_bytes,
            named_only: false,
            built_in: false,
        }
    }

    /// Whether it comes with the compiler.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// The same source, as it is shown to somebody who stands elsewhere in the workspace, or outside of it.
    #[must_use]
    pub fn shown_as(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The name it is shown by: a path from where its reader stands with `/` between its parts, or `<stdin>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its path in the workspace with `/` between its parts, or `<stdin>`: what an include leads to, and what a stage
    /// calls it, wherever its reader stands.
    #[must_use]
    pub fn place(&self) -> &Arc<str> {
        &self.place
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.raw_digest_bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Runs of bytes that were not UTF-8, in order.
    #[must_use]
    pub fn invalid_utf8(&self) -> &[Range<u32>] {
        &self.invalid_utf8
    }

    /// Its size in bytes, when that is above [`MAX_SOURCE_BYTES`] and the text was therefore not kept.
    #[must_use]
    pub fn too_large(&self) -> Option<usize> {
        (self.real_len > MAX_SOURCE_BYTES).then_some(self.real_len)
    }

    /// The byte offset of each line's start; the first is 0.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = vec![0];
            for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
                if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                    continue;
                }
                starts.push(offset(at + 1));
            }
            starts
        })
    }

    /// The zero-based line that holds the byte at `offset`.
    #[must_use]
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset) - 1
    }

    /// The text of a zero-based line without its line end; empty past the last line.
    #[must_use]
    pub fn line_text(&self, line: usize) -> &str {
        self.text[self.line_range(line)].trim_end_matches(['\r', '\n'])
    }

    /// The bytes of a zero-based line with its line end; empty past the last line.
    #[must_use]
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let starts = self.line_starts();
        let at = |line: usize| starts.get(line).map_or(self.text.len(), |start| *start as usize);
        at(line)..at(line.saturating_add(1))
    }

    /// The position of a byte offset, which must lie on a character boundary; past the end it is the end's.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let end = (offset as usize).min(self.text.len());
        let line = self.line_of(self::offset(end));
        let start = self.line_starts()[line] as usize;
        let (before, there) = (self.units_before(start), self.units_before(end));
        Position {
            line: self::offset(line),
            byte: self::offset(end - start),
            character: there.characters - before.characters,
            utf16: there.utf16 - before.utf16,
        }
    }

    /// What the text before the byte `end` counts. A count is kept every [`MARK_EVERY`] bytes, so that a thousand
    /// diagnostics on one line of megabytes do not read that line a thousand times.
    fn units_before(&self, end: usize) -> Units {
        let bytes = self.text.as_bytes();
        let marks = self.marks.get_or_init(|| {
            let mut marks = vec![Units::default()];
            let mut units = Units::default();
            for chunk in bytes.chunks_exact(MARK_EVERY) {
                units = units.and(chunk);
                marks.push(units);
            }
            marks
        });
        let mark = end / MARK_EVERY;
        marks[mark].and(&bytes[mark * MARK_EVERY..end])
    }
}

/// How many bytes lie between two kept counts.
const MARK_EVERY: usize = 1024;

/// The length of a piece of text.
#[derive(Clone, Copy, Debug, Default)]
struct Units {
    characters: u32,
    utf16: u32,
}

impl Units {
    /// With `bytes` behind it. A character is counted where it begins, so a piece may end inside one.
    fn and(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |units, byte| {
            let begins = u32::from(byte & 0xc0 != 0x80);
            Self {
                characters: units.characters + begins,
                utf16: units.utf16 + begins + u32::from(*byte >= 0xf0),
            }
        })
    }
}

/// Offsets fit in 32 bits because no source is larger than [`MAX_SOURCE_BYTES`].
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// All texts of one compile.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    roots: Vec<SourceId>,
    by_name: BTreeMap<String, SourceId>,
    by_place: BTreeMap<String, SourceId>,
    absent: BTreeMap<String, String>,
}

impl Sources {
    /// No source yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source that was asked for by name: the command line's or the editor's own.
    pub fn add(&mut self, source: Source) -> SourceId {
        let id = self.add_included(source);
        self.roots.push(id);
        id
    }

    /// Adds a source that another one includes.
    pub fn add_included(&mut self, source: Source) -> SourceId {
        let id = SourceId(offset(self.files.len()));
        self.by_name.entry(source.name().to_owned()).or_insert(id);
        self.by_place.entry(source.place().to_string()).or_insert(id);
        self.files.push(source);
        id
    }

    /// Adds a text that comes with the compiler, unless one is there at its place.
    pub fn add_built_in(&mut self, source: Source) -> SourceId {
        match self.at(source.place()) {
            Some(known) => known,
            None => self.add_included(source),
        }
    }

    /// Whether a span lies in a text that comes with the compiler.
    #[must_use]
    pub fn is_built_in(&self, span: Span) -> bool {
        self.get(span.source).is_built_in()
    }

    /// Adds what an include of `place` leads to: over a link that may be a source that is here under its own name.
    /// Returns it when it is new.
    pub fn add_target(&mut self, place: String, source: Source) -> Option<SourceId> {
        let known = self.at(source.place());
        let id = known.unwrap_or_else(|| self.add_included(source));
        self.by_place.insert(place, id);
        known.is_none().then_some(id)
    }

    /// Keeps the name of a source of another compile, in which nothing was found: a report may list it. Its text is not
    /// kept, unless [`Sources::absorb`] brings it.
    pub fn mention(&mut self, name: &str) {
        if self.by_name(name).is_none() {
            self.add_included(Source { named_only: true, ..Source::new(name, "") });
        }
    }

    /// Takes over the sources of another compile. Those that are here already, by name and by text, are the same ones.
    /// Returns what each is here, in their order.
    pub fn absorb(&mut self, other: Self) -> Vec<SourceId> {
        let Self { files, roots, by_name: _, by_place: _, absent } = other;
        let ids: Vec<SourceId> = files
            .into_iter()
            .map(|file| {
                let Some(id) = self.by_name(file.name()) else { return self.add_included(file) };
                let known = &mut self.files[id.index()];
                if known.named_only {
                    *known = file;
                    return id;
                }
                if known.bytes() == file.bytes() { id } else { self.add_included(file) }
            })
            .collect();
        for root in roots {
            let id = ids[root.0 as usize];
            if !self.roots.contains(&id) {
                self.roots.push(id);
            }
        }
        self.absent.extend(absent);
        ids
    }

    /// The same sources, with other texts for some of them.
    #[must_use]
    pub fn with(self, texts: &BTreeMap<SourceId, String>) -> Self {
        let Self { files, roots, by_name, by_place, absent } = self;
        let files = files.into_iter().enumerate().map(|(at, file)| match texts.get(&SourceId(offset(at))) {
            Some(text) => Source::new(&*file.place, text.as_str()).shown_as(file.name),
            None => file,
        });
        Self { files: files.collect(), roots, by_name, by_place, absent }
    }

    /// Remembers why the source at that place, which another one includes, could not be added.
    pub fn add_absent(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.absent.insert(place.into(), why.into());
    }

    /// Why the source at that place could not be added.
    #[must_use]
    pub fn why_absent(&self, place: &str) -> Option<&str> {
        self.absent.get(place).map(String::as_str)
    }

    /// The places of the sources that could not be added, and why.
    pub fn absent(&self) -> impl Iterator<Item = (&str, &str)> {
        self.absent.iter().map(|(place, why)| (place.as_str(), why.as_str()))
    }

    /// The source `id`.
    ///
    /// # Panics
    /// When `id` comes from another `Sources`.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// The source of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<SourceId> {
        self.by_name.get(name).copied()
    }

    /// The source at that place of the workspace.
    #[must_use]
    pub fn at(&self, place: &str) -> Option<SourceId> {
        self.by_place.get(place).copied()
    }

    /// Where something was looked for: the places of the files, of links to them, and of those that could not be added.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        let files = self.by_place.iter().filter(|(_, id)| !self.get(**id).is_built_in());
        files.map(|(place, _)| place).chain(self.absent.keys()).map(String::as_str)
    }

    /// Every source that is a file, or stands for one, in the order it was added.
    pub fn files(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.iter().filter(|(_, source)| !source.is_built_in())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The one at that place among them, from 0 on.
    #[must_use]
    pub fn id(&self, index: usize) -> Option<SourceId> {
        (index < self.len()).then(|| SourceId(offset(index)))
    }

    /// Every source in the order it was added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(at, file)| (SourceId(offset(at)), file))
    }

    /// The sources that were asked for by name.
    #[must_use]
    pub fn roots(&self) -> &[SourceId] {
        &self.roots
    }

    /// The text that `span` covers.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).text.get(span.range()).unwrap_or("")
    }
}
