//! Values that texts become: times, URLs, filters, base URLs, access tokens.
#![cfg_attr(fuzzing, no_main)]

use libfuzzer_sys::fuzz_target;
use mkio_core::{Timestamp, Token, Transport, UrlText, page::query::Literal};

fuzz_target!(|text: &str| {
    let time = Timestamp::from(text);
    let filter = <Timestamp as Literal<mkio_core::page::query::Time>>::literal(&time);
    // Either a bare time, or text in quotes that it cannot leave.
    if let Some(inside) = filter.strip_prefix('\'') {
        let inside = inside.strip_suffix('\'').unwrap();
        assert!(!inside.replace("''", "").contains('\''), "{filter}");
    } else {
        assert!(!filter.contains([' ', '(', ')', '\'']), "{filter}");
    }
    if time.utc().is_some() {
        assert_eq!(Timestamp::from(time.as_str()), time);
    }
    let url = UrlText::from(text);
    assert_eq!(url.as_str(), text);
    let _ = format!("{url:?}");
    let _ = format!("{:?}", Token::new(text));
    if text.starts_with("http") {
        let _ = Transport::builder().anonymous().base_url(text).build();
    }
});

#[cfg(not(fuzzing))]
fn main() {}
