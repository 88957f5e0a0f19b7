//! Items that stand before the `kind` of their list.
//!
//! kubectl sorts keys, so a `PodList` written by a program that does the same has its `kind`
//! behind its items, and those have none. If no file name tells the kind either, their text is
//! kept until the list has named itself.

use super::checked;
use super::sink::{Hint, Sink, Taken};
use super::window::said;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How much text is kept; a list with more kindless items than that is asked for by name.
const KEPT: usize = 64 << 20;

/// The items of one list that wait for its kind.
#[derive(Default)]
pub(super) struct Late {
    items: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    lost: u64,
}

impl Late {
    /// Keeps the text of an item that begins at `offset`.
    pub(super) fn keep(&mut self, offset: u64, text: &[u8]) {
        if self.bytes + text.len() > KEPT {
            self.lost += 1;
        } else {
            self.bytes += text.len();
            self.items.push((offset, text.to_owned()));
        }
    }

    /// Whether no item waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty() && self.lost == 0
    }

    /// Reads what was kept, now that the list has ended.
    pub(super) fn settle(self, hint: &Hint, sink: &mut Sink<'_>) {
        let Some(first) = self.items.first().map(|(offset, _)| *offset) else { return };
        if *hint == Hint::None {
            let what = match self.items.len() as u64 + self.lost {
                1 => "an object".to_owned(),
                count => format!("{count} objects"),
            };
            let message =
                format!("{what} without a kind; a file's name such as `pods.json` tells it");
            sink.fault(first, 0, message);
            return;
        }
        for (offset, text) in &self.items {
            if let Err((message, below)) = item(text, *offset, hint, sink) {
                sink.fault(*offset, below, label(text) + &message);
            }
        }
        if self.lost > 0 {
            let message =
                format!("{} items stand too far before the kind of their list", self.lost);
            sink.fault(first, 0, message);
        }
    }
}

/// Reads one object out of text that is held; a message and its line where that fails.
pub(super) fn item(
    text: &[u8],
    offset: u64,
    hint: &Hint,
    sink: &mut Sink<'_>,
) -> Result<Taken, (String, u64)> {
    match checked::held(text, hint) {
        Ok(object) => Ok(sink.take(object, offset, hint)),
        Err(error) => Err(said(&error)),
    }
}

/// The name of an item that could not be read, to begin a message with.
pub(super) fn label(text: &[u8]) -> String {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Named {
        kind: Loose,
        metadata: Option<Meta>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Meta {
        namespace: Loose,
        name: Loose,
    }
    /// Text, or nothing where something else stands.
    #[derive(Default)]
    struct Loose(String);
    impl<'de> Deserialize<'de> for Loose {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            #[serde(untagged)]
            enum Any {
                Text(String),
                Other(IgnoredAny),
            }
            match Any::deserialize(deserializer)? {
                Any::Text(text) => Ok(Self(text)),
                Any::Other(IgnoredAny) => Ok(Self::default()),
            }
        }
    }
    let named: Named = serde_json::from_slice(text).unwrap_or_default();
    let meta = named.metadata.unwrap_or_default();
    let kind = if named.kind.0.is_empty() { "item" } else { &named.kind.0 };
    match (&*meta.namespace.0, &*meta.name.0) {
        (_, "") => String::new(),
        ("", name) => format!("{kind} `{name}`: "),
        (namespace, name) => format!("{kind} `{namespace}/{name}`: "),
    }
}

/// What the API server said in place of objects.
pub(super) fn status(text: &[u8]) -> String {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Status {
        message: Option<String>,
        reason: Option<String>,
    }
    let status: Status = serde_json::from_slice(text).unwrap_or_default();
    match status.message.or(status.reason).filter(|said| !said.is_empty()) {
        Some(said) => format!("holds the API server's refusal in place of objects: `{said}`"),
        None => "holds the API server's refusal in place of objects".to_owned(),
    }
}
