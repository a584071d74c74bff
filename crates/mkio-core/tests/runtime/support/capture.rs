//! Everything that is traced, as text.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{
    Registry,
    filter::filter_fn,
    fmt::{self, MakeWriter, format::FmtSpan},
    layer::SubscriberExt,
};

/// Takes down every span and event down to TRACE, of this thread, for as long as it lives.
pub struct Capture {
    text: Text,
    _default: ::tracing::subscriber::DefaultGuard,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Capture {
    pub fn start() -> Self {
        Self::without("nobody")
    }

    /// Leaves this target out.
    pub fn without(target: &'static str) -> Self {
        let text = Text::default();
        let layer = fmt::layer()
            .with_ansi(false)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_writer(text.clone());
        let filter = filter_fn(move |what| what.target() != target);
        let subscriber = Registry::default().with(filter).with(layer);
        Self {
            _default: ::tracing::subscriber::set_default(subscriber),
            text,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }
}
