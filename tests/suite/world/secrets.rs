//! What credentials look like, and what is likely one.

use bottlec::world::secret::{SHAPES, Shape, assigned, known, looks_secret, passwords};

fn found(text: &str) -> Vec<(&str, &'static str)> {
    known(text).into_iter().map(|it| (&text[it.range], it.what)).collect()
}

/// What a credential of that shape may look like.
fn body(shape: &Shape) -> String {
    let all: Vec<char> =
        (b'0'..=b'z').filter(|b| b.is_ascii_alphanumeric() && shape.body.holds(*b)).map(char::from).collect();
    let length = shape.min.max(16).min(shape.max);
    (0..length).map(|n| all[(n * 7 + 3) % all.len()]).collect()
}

#[test]
fn every_shape_is_found_where_it_stands() {
    for shape in SHAPES {
        let secret = format!("{}{}", shape.prefix, body(shape));
        for text in [secret.clone(), format!("Authorization: Bearer {secret}, or"), format!("é\"{secret}\"")]
        {
            let seen = found(&text);
            assert_eq!(seen.len(), 1, "{text}");
            assert!(seen[0].0 == secret, "{text}: {seen:?}");
        }
        // Part of a word, or too short, it is another thing.
        assert!(found(&format!("x{secret}")).is_empty(), "{secret}");
        assert!(found(&secret[..shape.prefix.len() + 8]).is_empty(), "{secret}");
    }
}

#[test]
fn others_are_found_by_their_form() {
    let token =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
    assert_eq!(found(token), [(token, "a JSON Web Token")]);
    let key =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----";
    assert_eq!(found(key), [("\nb3BlbnNzaC1rZXktdjEAAAAA\n", "a private key")]);
    let bot = format!("{}:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0", 110_201_543);
    assert_eq!(found(&bot), [(bot.as_str(), "a Telegram bot token")]);
    for text in [
        "-----BEGIN PUBLIC KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "eyJ.eyJ.eyJ",
    ] {
        assert!(found(text).is_empty(), "{text}");
    }
}

#[test]
fn passwords_are_those_of_urls() {
    let shown =
        |text: &'static str| -> Vec<&str> { passwords(text).into_iter().map(|range| &text[range]).collect() };
    assert_eq!(shown("postgres://u:p@h/db redis://:q@h"), ["p", "q"]);
    assert_eq!(shown("amqp://user:a:b@c@h"), ["a:b@c"]);
    assert_eq!(shown("postgres://u:long…"), ["long"]);
    assert!(shown("http://h:80/a@b ssh://git@h:22/x postgres://u:${P}@h https://h").is_empty());
}

#[test]
fn names_and_texts_speak_together() {
    let random = "q7Rk2vX9mZ4tB8wL1nC6";
    for name in ["DB_PASSWORD", "API_KEY", "my-token", "GH_PAT", "DBPASSWORD", "OPENAI_APIKEY", "jwt.secret"]
    {
        assert!(looks_secret(name, random), "{name}");
    }
    for name in ["PATH", "TOKENIZER", "PUBLIC_KEY", "CACHE_KEY", "BUILD_ID", "MONKEY", "KEYBOARD"] {
        assert!(!looks_secret(name, random), "{name}");
    }
    let random = [
        "9f86d081884c7d659a2feaa0c55ad015",
        "8c7e1f2a-1b3c-4d5e-8f90-a1b2c3d4e5f6",
        "aG9tZSBzd2VldCBob21lIDEy",
    ];
    for value in random {
        assert!(looks_secret("TOKEN", value), "{value}");
    }
    for value in [
        "changeme",
        "/run/secrets/db-password-v2",
        "https://auth.example.com/oauth2/token",
        "${DB_PASSWORD_FROM_HOST}",
        "postgres-17-development-password",
        "correct-horse-battery-staple",
        "your-4pi-k3y-g03s-h3r3-1234567890",
        "00000000-0000-0000-0000-000000000000",
        "1234567890123456",
        "node20buildcachekey2024",
        "MY_APP_V2_DB1_PASSWORD",
        "xxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        assert!(!looks_secret("TOKEN", value), "{value}");
    }
}

#[test]
fn what_is_given_to_a_name_is_found_wherever_it_stands() {
    let text = "// API_TOKEN \"q7Rk2vX9mZ4tB8wL1nC6\"\ncommand \"--password=q7Rk2vX9mZ4tB8wL1nC6\" KEY";
    let found: Vec<&str> = assigned(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, ["q7Rk2vX9mZ4tB8wL1nC6"; 2]);
}

#[test]
fn shapes_are_sorted_and_have_a_source() {
    assert!(SHAPES.is_sorted_by(|a, b| a.prefix < b.prefix));
    for Shape { prefix, min, max, what, source, .. } in SHAPES {
        assert!(prefix.len() > 2 && min <= max && what.starts_with('a') && source.len() > 8, "{prefix}");
    }
}
