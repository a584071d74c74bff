//! Query strings of the emulator: filters, orders, labels and pages.
#![cfg_attr(fuzzing, no_main)]

use libfuzzer_sys::fuzz_target;
use mkio_emulator::query::{Dialect, Filter, Labels, OrderBy, Query};

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Cloud, Dialect::Device] {
        if let Err(error) = Filter::parse(text, dialect, &|field| field != "secret") {
            assert!(error.at <= text.len(), "{} of {text:?}", error.at);
        }
    }
    let _ = OrderBy::parse(text, &|field| field != "secret");
    if let Ok(query) = Query::parse(text) {
        let _ = Labels::parse(&query);
        for (name, _) in query.pairs() {
            let _ = query.switch(name);
        }
    }
});

#[cfg(not(fuzzing))]
fn main() {}
