//! The emulator's router: a path has an operation, or a response that says why not.
#![cfg_attr(fuzzing, no_main)]

use libfuzzer_sys::fuzz_target;
use mkio_emulator::docs::Documents;

fuzz_target!(|request: (&str, &str)| {
    let (method, path) = request;
    let Ok(method) = http::Method::from_bytes(method.as_bytes()) else {
        return;
    };
    if let Ok((operation, names)) = Documents::get().route(&method, path) {
        assert_eq!(operation.method, method);
        for name in names {
            assert!(!format!("{name:?}").is_empty());
        }
    }
});

#[cfg(not(fuzzing))]
fn main() {}
