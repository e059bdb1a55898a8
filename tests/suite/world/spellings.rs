//! Other spellings: what pipelock folds, punycode, and the base64 of host keys.

use base64::Engine as _;
use bottlec::world::folding::{LOOK_ALIKES, folded, is_kept};
use bottlec::world::host_key::{KeyError, check, within};
use bottlec::world::punycode::decoded;

#[test]
fn look_alikes_have_a_letter_each() {
    for (theirs, latin) in LOOK_ALIKES {
        assert_eq!(theirs.chars().count(), latin.chars().count(), "{theirs}");
        assert!(latin.chars().all(|c| c.is_ascii_alphabetic()), "{latin}");
    }
}

#[test]
fn what_is_folded_comes_out_otherwise() {
    let folded = |text: &str| text.chars().map(folded).collect::<String>();
    assert_eq!(folded("Müller, Łódź"), "Muller, Lodz");
    assert_eq!(folded("секрет"), "cekpet");
    assert_eq!(folded("ﬁ\u{200b}Ａ\t\u{3000}"), "fiA");
    assert_eq!(folded("й"), "и");
    for kept in "aZ0 -_жд漢字ß".chars() {
        assert!(is_kept(kept), "{kept}");
    }
    for lost in "éНだ한\n\u{a0}\u{301}".chars() {
        assert!(!is_kept(lost), "{lost:?}");
    }
}

#[test]
fn the_samples_of_the_rfc_are_decoded() {
    // RFC 3492, 7.1: (A), (B), (I), (L), and (S), which has a dot there.
    for (encoded, meant) in [
        ("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"),
        ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
        ("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски"),
        ("3B-ww4c5e180e575a65lsy2b", "3年B組金八先生"),
        ("-> $100 <--", "-> $100 <-"),
        ("bcher-kva", "bücher"),
    ] {
        assert_eq!(decoded(&format!("xn--{encoded}")).as_deref(), Some(meant), "{encoded}");
    }
}

#[test]
fn what_is_no_punycode_is_nothing() {
    for name in ["api.example.com", "xn--99999999999.example", "xn--a-ä.example", "xn--a_b-!.example"] {
        assert_eq!(decoded(name), None, "{name}");
    }
    assert_eq!(decoded("xn--pple-43d.example").as_deref(), Some("аpple.example"));
}

proptest::proptest! {
    #[test]
    fn no_name_panics(name in "(xn--)?[a-z0-9-]{0,70}") {
        let _ = decoded(&name);
    }
}

const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[test]
fn a_key_is_of_the_type_that_it_says() {
    assert_eq!(check("ssh-ed25519", ED25519), Ok(()));
    assert_eq!(check("ssh-rsa", ED25519), Err(KeyError::OtherType("ssh-ed25519".into())));
    assert_eq!(check("ssh-ed25519", "AAAA"), Err(KeyError::CutShort(3)));
    assert_eq!(check("ssh-ed25519", &ED25519[..64]), Err(KeyError::CutShort(48)));
    assert_eq!(check("ssh-ed25519", &ED25519[..66]), Err(KeyError::NoBase64));
    assert_eq!(check("ssh-ed25519", &format!("{ED25519}AAAA")), Err(KeyError::Surplus(3)));
    assert_eq!(check("ssh-ed25519", &ED25519.replace('O', "=")), Err(KeyError::NoBase64));
    let line = format!("git.example.com ssh-ed25519 {ED25519} a comment");
    assert_eq!(within(&line), Some(format!("ssh-ed25519 {ED25519}")));
    assert_eq!(within("git.example.com ssh-ed25519 AAAA"), None);
}

/// The base64 of a key of an Ed25519 token, whose last part may have any length: it is padded in each way.
fn token(application: &str) -> String {
    let parts: [&[u8]; 3] = [b"sk-ssh-ed25519@openssh.com", &[0xfb; 32], application.as_bytes()];
    let length = |part: &[u8]| u32::try_from(part.len()).expect("short").to_be_bytes();
    let bytes: Vec<u8> = parts.iter().flat_map(|part| [&length(part)[..], part].concat()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn base64_is_read_in_one_way() {
    // What is too short to be a key has its bytes counted.
    for (text, bytes) in [("Zm9v", 3), ("Zm8=", 2), ("Zg==", 1)] {
        assert_eq!(check("ssh-ed25519", text), Err(KeyError::CutShort(bytes)), "{text}");
    }
    for application in ["ssh:", "ssh:a", "ssh:ab"] {
        let key = token(application);
        assert_eq!(check("sk-ssh-ed25519@openssh.com", &key), Ok(()), "{key}");
        assert_eq!(
            check("ssh-ed25519", &key),
            Err(KeyError::OtherType("sk-ssh-ed25519@openssh.com".into())),
            "{key}"
        );
    }
    for text in ["Zm8", "Zm9=", "Zh==", "Z===", "Zm=8", "Zm 9", "====", "Zm-_"] {
        assert_eq!(check("ssh-ed25519", text), Err(KeyError::NoBase64), "{text}");
    }
}
