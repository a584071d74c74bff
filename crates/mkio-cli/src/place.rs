//! Places in lists and waits as one word, for later runs of the program.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::failure::{Failure, Result};

/// A place as one word.
pub fn write(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place of a word.
pub fn read<T: DeserializeOwned>(word: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD.decode(word.trim()).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| {
        Failure::usage("--resume takes a token that the program has printed, as a whole")
    })
}
