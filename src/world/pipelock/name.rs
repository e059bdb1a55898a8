//! A host's name, as the proxy reads it: other spellings of addresses, and what it takes for a leak.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

/// The host that is compared: an IPv4 address that is spelled by one number, or with octal or hexadecimal parts, becomes
/// what it stands for (`parseAlternativeIP` at 2.3.0; `0x5db8d822` was run). Shorter forms, such as `10.1`, stay names.
#[must_use]
pub fn compared(host: &str) -> Cow<'_, str> {
    match alternative(host) {
        Some(address) => Cow::Owned(address.to_string()),
        None => Cow::Borrowed(host),
    }
}

fn alternative(host: &str) -> Option<Ipv4Addr> {
    if !host.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let parts: Vec<&str> = host.split('.').collect();
    if let [whole] = parts[..] {
        return Some(Ipv4Addr::from_bits(number(whole)?));
    }
    let odd = |part: &&str| part.len() > 1 && part.starts_with('0');
    if parts.len() != 4 || !parts.iter().any(odd) {
        return None;
    }
    let octets = parts.iter().map(|part| u8::try_from(number(part)?).ok()).collect::<Option<Vec<u8>>>()?;
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?))
}

/// A number as Go reads it where the base is left to the text: `0x`, `0o` or `0`, `0b`, and `_` between digits.
fn number(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    let prefixed = digits.len() < lower.len();
    // One `_` between digits, or behind the prefix.
    let sound = !digits.ends_with('_') && !digits.contains("__") && (prefixed || !digits.starts_with('_'));
    let plain: String = digits.chars().filter(|digit| *digit != '_').collect();
    if !sound || plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    // `_` counts only where the text has a prefix.
    if plain.len() < digits.len() && !prefixed {
        return None;
    }
    u32::from_str_radix(&plain, base).ok()
}

/// The address that a resolver of C makes of a text without asking anybody (`inet_aton`): one to four numbers, of which
/// the last fills what is left.
#[must_use]
pub fn numeric(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = host.split('.').map(c_number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    let left = 4_u32.checked_sub(u32::try_from(first.len()).ok()?).filter(|left| *left > 0)?;
    let most = u32::MAX >> (8 * (4 - left));
    if *last > most || first.iter().any(|part| *part > 255) {
        return None;
    }
    let high = first.iter().enumerate().map(|(at, part)| part << (24 - 8 * at)).sum::<u32>();
    Some(Ipv4Addr::from_bits(high | last))
}

fn c_number(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, base) = match hex {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, base).ok())?
}

/// The label that the gate on entropy refuses, and its entropy in bits a character.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label<'a> {
    /// The label.
    pub text: &'a str,
    /// Bits a character.
    pub bits: f64,
}

/// Characters that a label has at least before its entropy is asked for, and the bits above which it is refused
/// (`checkSubdomainEntropy` and its default at 2.3.0; a label of 4.32 was refused).
const LABEL: (usize, f64) = (8, 4.0);
/// From which length on newer versions refuse a label of nothing but hexadecimal or base32 characters (release notes).
const ENCODED: usize = 14;

/// The labels that the gates look at: all but the last two, as they stand between dots. A dot at the end counts as one
/// more label.
fn looked_at(host: &str) -> impl Iterator<Item = &str> {
    let count = host.split('.').count();
    host.split('.').take(count.saturating_sub(2))
}

/// The first label of a host that the gate on entropy refuses.
#[must_use]
pub fn too_random(host: &str) -> Option<Label<'_>> {
    let (least, most) = LABEL;
    let labels = looked_at(host).filter(|label| label.len() >= least);
    labels.map(|text| Label { text, bits: entropy(text) }).find(|label| label.bits > most)
}

/// The first label of a host that a newer version may take for an encoded text.
#[must_use]
pub fn encoded(host: &str) -> Option<&str> {
    let of = |label: &str, fits: fn(u8) -> bool| label.bytes().all(fits);
    let hex = |label: &str| of(label, |b| b.is_ascii_hexdigit());
    let base32 = |label: &str| of(label, |b| matches!(b.to_ascii_lowercase(), b'a'..=b'z' | b'2'..=b'7'));
    looked_at(host).find(|label| label.len() >= ENCODED && (hex(label) || base32(label)))
}

/// Shannon's entropy in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(counts.iter().sum::<u32>());
    let share = |count: u32| f64::from(count) / length;
    -counts
        .into_iter()
        .filter(|count| *count > 0)
        .map(|count| share(count) * share(count).log2())
        .sum::<f64>()
}

/// A shape of credentials that can stand in a host's name.
struct Shape {
    what: &'static str,
    /// One of these begins it.
    begins: &'static [&'static str],
    /// Which characters follow, beside digits.
    then: &'static [u8],
    /// How many at least.
    least: usize,
}

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const WORD: &[u8] = b"abcdefghijklmnopqrstuvwxyz_";
const DASHED: &[u8] = b"abcdefghijklmnopqrstuvwxyz-";
const URL: &[u8] = b"abcdefghijklmnopqrstuvwxyz-_";
const HEX: &[u8] = b"abcdef";

const fn shape(
    what: &'static str,
    begins: &'static [&'static str],
    then: &'static [u8],
    least: usize,
) -> Shape {
    Shape { what, begins, then, least }
}

/// What pipelock looks for in every URL, its host among it, without regard to case (`internal/scanner/core.go` and
/// `internal/config/defaults.go` at 2.3.0): of its patterns those that the characters of a host's name can spell. Left out
/// are those that a check sum decides as well (cards, accounts, keys of currencies), and phrases of twelve words.
static SHAPES: &[Shape] = &[
    shape("an Anthropic API key", &["sk-ant-"], URL, 10),
    shape("an OpenAI API key", &["sk-proj-", "sk-svcacct-"], URL, 10),
    shape("a Fireworks API key", &["fw_"], LETTERS, 24),
    shape("a Google API key", &["aiza"], URL, 35),
    shape("a Google OAuth client's secret", &["gocspx-"], URL, 28),
    shape(
        "a Stripe key",
        &[
            "sk-live-", "sk-live_", "sk-test-", "sk-test_", "sk_live-", "sk_live_", "sk_test-", "sk_test_",
            "rk-live-", "rk-live_", "rk-test-", "rk-test_", "rk_live-", "rk_live_", "rk_test-", "rk_test_",
        ],
        LETTERS,
        20,
    ),
    shape("a Stripe webhook's secret", &["whsec_"], URL, 20),
    shape("a GitHub token", &["gho_", "ghp_", "ghr_", "ghs_", "ghu_"], WORD, 36),
    shape("a fine-grained GitHub token", &["github_pat_"], WORD, 36),
    shape("a GitLab token", &["glpat-"], URL, 20),
    shape(
        "an AWS key's id",
        &["a3t", "agpa", "aida", "aipa", "akia", "anpa", "anva", "aroa", "asia"],
        LETTERS,
        16,
    ),
    shape("a Google OAuth token", &["ya29."], URL, 20),
    shape("a Slack token", &["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"], DASHED, 15),
    shape("a New Relic key", &["nrak-"], LETTERS, 27),
    shape("a Hugging Face token", &["hf_"], LETTERS, 20),
    shape("a Databricks token", &["dapi"], LETTERS, 30),
    shape("a Replicate token", &["r8_"], LETTERS, 20),
    shape("a Together key", &["tok_"], LETTERS, 40),
    shape("a Pinecone key", &["pcsk_"], LETTERS, 36),
    shape("a Groq key", &["gsk_"], LETTERS, 48),
    shape("a DigitalOcean token", &["dop_v1_"], HEX, 64),
    shape("a Vault token", &["hvs."], LETTERS, 23),
    shape("a Vercel token", &["vca_", "vci_", "vck_", "vcp_", "vcr_", "vercel_"], LETTERS, 24),
    shape("a Supabase service key", &["sb_secret_"], URL, 20),
    shape("an npm token", &["npm_"], LETTERS, 36),
    shape("a token of a Python index", &["pypi-"], URL, 16),
    shape("a Linear key", &["lin_api_"], LETTERS, 40),
    shape("a Notion key", &["ntn_"], LETTERS, 40),
    shape("a Sentry token", &["sntrys_"], LETTERS, 40),
    shape("an Ethereum key", &["0x"], HEX, 64),
];

/// What begins a credential, by its first byte: a list of hosts is long, and is looked at on each keystroke.
struct Beginnings {
    by_first: Vec<Vec<(&'static [u8], &'static Shape)>>,
    /// The fewest bytes that a credential has.
    shortest: usize,
}

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let mut all = Beginnings { by_first: vec![Vec::new(); 256], shortest: usize::MAX };
    for shape in SHAPES {
        for begins in shape.begins {
            all.by_first[usize::from(begins.as_bytes()[0])].push((begins.as_bytes(), shape));
            all.shortest = all.shortest.min(begins.len() + shape.least);
        }
    }
    all
});

/// What pipelock takes a host's name, in lower case, for: it looks at the name, and at the name without its dots, so that
/// a credential cannot be spread over labels.
#[must_use]
pub fn credential(host: &str) -> Option<&'static str> {
    if host.len() < BEGINNINGS.shortest {
        return None;
    }
    let joined = || host.bytes().filter(|byte| *byte != b'.').collect::<Vec<u8>>();
    shape_in(host.as_bytes()).or_else(|| shape_in(&joined())).map(|shape| shape.what)
}

fn shape_in(text: &[u8]) -> Option<&'static Shape> {
    let begins_at = |at: usize| {
        let rest = &text[at..];
        let mut alike = BEGINNINGS.by_first[usize::from(rest[0])].iter();
        alike.find(|(begins, shape)| {
            rest.strip_prefix(*begins)
                .and_then(|rest| rest.get(..shape.least))
                .is_some_and(|body| shape.fits(body))
        })
    };
    (0..text.len()).find_map(begins_at).map(|(_, shape)| *shape)
}

impl Shape {
    fn fits(&self, body: &[u8]) -> bool {
        body.iter().all(|byte| byte.is_ascii_digit() || self.then.contains(byte))
    }
}

/// Ports whose protocol has the server speak first. Through CONNECT such a connection is answered and then dies: the
/// proxy waits for the agent's TLS greeting, and gives up after five seconds (run with 2.3.0, SSH).
pub static SERVER_FIRST: &[(u16, &str)] = &[
    (21, "FTP"),
    (22, "SSH"),
    (25, "SMTP"),
    (110, "POP3"),
    (143, "IMAP"),
    (587, "SMTP"),
    (3306, "MySQL"),
    (5900, "VNC"),
];
