//! What pipelock guards, what each version of it does, and how it reads names.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use bottlec::world::pipelock::guard::{Guarded, METADATA, Metadata, hidden, of_network, without_metadata};
use bottlec::world::pipelock::name::{compared, credential, encoded, numeric, too_random};
use bottlec::world::pipelock::{FACTS, IMAGE, NEWEST, OLDEST, RECORDED, image};
use ipnet::Ipv4Net;
use proptest::prelude::*;

#[test]
fn metadata_stays_closed_and_every_row_is_a_host() {
    assert!(METADATA.is_sorted_by(|a, b| a.host < b.host));
    for Metadata { host, .. } in METADATA {
        match host.parse::<IpAddr>() {
            Ok(address) => {
                assert_eq!(of_network(address.into()), Guarded::Closed, "{host}");
                assert_eq!(address.to_string(), *host);
            }
            Err(_) => {
                assert!(host.bytes().all(|b| b.is_ascii_lowercase() || b"-.0123456789".contains(&b)));
            }
        }
    }
}

#[test]
fn a_private_address_is_found_in_both_spellings_of_version_6() {
    for (address, guarded) in [
        ("64:ff9b::a01:203", Guarded::Closed),
        ("64:ff9b::808:808", Guarded::No),
        ("2002:a01:203::1", Guarded::Closed),
        ("2002:808:808::1", Guarded::No),
        ("2002:a9fe:a9fe::", Guarded::Closed),
        ("64:ff9b:1::a01:203", Guarded::No),
    ] {
        let address: IpAddr = address.parse().expect("an address");
        assert_eq!(of_network(address.into()), guarded, "{address}");
    }
    assert_eq!(hidden("64:ff9b::a01:203".parse().expect("one")), Some(Ipv4Addr::new(10, 1, 2, 3)));
    assert_eq!(hidden("2002:a01:203::1".parse().expect("one")), Some(Ipv4Addr::new(10, 1, 2, 3)));
    assert_eq!(hidden("2001:db8::1".parse().expect("one")), None);
}

proptest! {
    #[test]
    fn an_opened_range_loses_metadata_and_nothing_else(
        (bits, length) in (any::<u32>(), 0_u8..=32),
        inner in any::<u32>(),
    ) {
        let range = Ipv4Net::new(bits.into(), length).expect("a range").trunc();
        let rest = without_metadata(range.into());
        prop_assert!(rest.len() <= 32 * METADATA.len());
        let mask = u32::MAX.checked_shr(length.into()).unwrap_or(0);
        let asked = [(range.network().to_bits() | (inner & mask)).into(), Ipv4Addr::new(100, 100, 100, 200)];
        for address in asked.map(IpAddr::from) {
            let open = rest.iter().any(|it| it.contains(&address));
            let meant = range.contains(&match address { IpAddr::V4(a) => a, IpAddr::V6(_) => unreachable!() });
            prop_assert_eq!(open, meant && !METADATA.iter().any(|it| it.host == address.to_string()));
        }
    }
}

#[test]
fn rows_are_in_order_and_have_their_evidence() {
    assert!(FACTS.is_sorted_by_key(|fact| fact.since));
    for fact in FACTS {
        assert!(!fact.evidence.is_empty() && fact.date.len() == 7 && fact.since >= OLDEST, "{fact:?}");
        assert!(fact.since <= NEWEST && fact.until.is_none_or(|until| until < NEWEST), "{fact:?}");
    }
    assert!((OLDEST..=NEWEST).contains(&RECORDED));
    assert_eq!(image(RECORDED), IMAGE);
    assert_eq!(image(NEWEST), "ghcr.io/pipelab-org/pipelock:3.8.0");
}

#[test]
fn other_spellings_of_an_address_are_read_as_the_proxy_reads_them() {
    for (host, meant) in [
        ("0x5db8d822", Some("93.184.216.34")),
        ("1572395042", Some("93.184.216.34")),
        ("013556154042", Some("93.184.216.34")),
        ("0o13556154042", Some("93.184.216.34")),
        ("0b1", Some("0.0.0.1")),
        ("0x5db8_d822", Some("93.184.216.34")),
        ("1_0", None),
        ("0x", None),
        ("0", Some("0.0.0.0")),
        ("0135.0270.0330.042", Some("93.184.216.34")),
        ("0x5d.184.216.34", Some("93.184.216.34")),
        ("93.184.216.34", None),
        ("93.184.55330", None),
        ("0x5d.184.216.256", None),
        ("api.example.com", None),
        ("4294967296", None),
    ] {
        let read = match compared(host) {
            Cow::Owned(address) => Some(address),
            Cow::Borrowed(_) => None,
        };
        assert_eq!(read.as_deref(), meant, "{host}");
    }
}

#[test]
fn a_resolver_reads_numbers_without_asking() {
    for (host, meant) in [
        ("93.184.55330", Some("93.184.216.34")),
        ("127.1", Some("127.0.0.1")),
        ("0x7f.1", Some("127.0.0.1")),
        ("2130706433", Some("127.0.0.1")),
        ("1.2.3.4", Some("1.2.3.4")),
        ("1.2.3.4.5", None),
        ("256.1.1.1", None),
        ("1.2.3.256", None),
        ("a.b", None),
        ("", None),
        ("1..2", None),
    ] {
        assert_eq!(numeric(host).map(|it| it.to_string()).as_deref(), meant, "{host}");
    }
}

#[test]
fn a_label_is_too_random_above_four_bits() {
    let found = too_random("qhbnmxlkvjztwyprgsdf.supabase.co").expect("a label");
    assert_eq!((found.text, format!("{:.2}", found.bits).as_str()), ("qhbnmxlkvjztwyprgsdf", "4.32"));
    assert_eq!(too_random("us-central1-aiplatform.googleapis.com"), None);
    assert_eq!(too_random("qhbnmxlkvjztwyprgsdf.co"), None);
    // The dot at the end moves what counts as the domain.
    assert!(too_random("qhbnmxlkvjztwyprgsdf.co.").is_some());
    assert_eq!(encoded("0123456789abcdef.r2.example.com"), Some("0123456789abcdef"));
    assert_eq!(encoded("api.example.com"), None);
}

#[test]
fn a_credential_is_seen_over_dots() {
    assert_eq!(credential("sk-ant-api03-aaaaaaaa.evil.example"), Some("an Anthropic API key"));
    assert_eq!(credential("glpat-aaaaa.bbbbb.ccccc.ddddddd.example.com"), Some("a GitLab token"));
    assert_eq!(credential("akiaabcdefghijklmnop.example.com"), Some("an AWS key's id"));
    assert_eq!(credential("api.github.com"), None);
}
