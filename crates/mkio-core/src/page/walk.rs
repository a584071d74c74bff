//! Fetches the pages of a list one after the other.

use std::marker::PhantomData;
use std::sync::Arc;

use reqwest::Request;
use url::Url;

use super::exchange::Exchange;
use super::link::{self, BadLink, Seen};
use super::{Page, ResumeToken};
use crate::{Error, ErrorKind, Operation, Response, Result};

/// A page and where it stands in the list.
pub(crate) struct Fetched<P> {
    pub(crate) page: Response<P>,
    /// Query of this page.
    pub(crate) query: Option<String>,
    /// Items at its start that were handed out before and are not in `page` any more.
    pub(crate) skipped: usize,
    /// Query of the next page, if there is one.
    pub(crate) next: Option<Option<String>>,
}

/// What comes next.
enum Next {
    Page(Url),
    Failure(Error),
    End,
}

/// The walk over a list's pages.
pub(crate) struct Walk<P> {
    exchange: Arc<dyn Exchange>,
    operation: &'static Operation,
    /// The first request; the others differ in their query.
    template: Option<Request>,
    next: Next,
    seen: Seen,
    /// Empty pages in a row.
    empty: usize,
    pub(crate) max_empty: usize,
    /// Items to leave out of the next page.
    skip: usize,
    /// Items that are still wanted; no limit when `None`.
    pub(crate) items_wanted: Option<u64>,
    /// Pages that are still wanted; no limit when `None`.
    pub(crate) pages_wanted: Option<u64>,
    page: PhantomData<fn() -> P>,
}

/// Empty pages in a row after which a list counts as not getting anywhere.
pub(crate) const MAX_EMPTY: usize = 100;

impl<P: Page> Walk<P> {
    pub(crate) fn new(
        exchange: Arc<dyn Exchange>,
        operation: &'static Operation,
        first: Result<Request>,
    ) -> Self {
        let (template, next) = match first {
            Ok(request) => {
                let url = request.url().clone();
                (Some(request), Next::Page(url))
            }
            Err(error) => (None, Next::Failure(error)),
        };
        Self {
            exchange,
            operation,
            template,
            next,
            seen: Seen::default(),
            empty: 0,
            max_empty: MAX_EMPTY,
            skip: 0,
            items_wanted: None,
            pages_wanted: None,
            page: PhantomData,
        }
    }

    /// Where the walk stands before its first page.
    pub(crate) fn start(&self) -> ResumeToken {
        let (list, query) = match &self.next {
            Next::Page(url) => (url.path().to_owned(), url.query().map(str::to_owned)),
            Next::Failure(_) | Next::End => (String::new(), None),
        };
        ResumeToken {
            list,
            query,
            offset: self.skip,
        }
    }

    /// Starts at `token` instead of at the beginning.
    pub(crate) fn resume(&mut self, token: &ResumeToken) {
        let Next::Page(url) = &mut self.next else {
            return;
        };
        if url.path() == token.list {
            url.set_query(token.query.as_deref());
            self.skip = token.offset;
        } else {
            let message = format!(
                "the resume token is of {}, not of {}; give it to the list that it came from",
                token.list,
                url.path()
            );
            self.next = Next::Failure(self.error(message));
        }
    }

    /// The next page; `None` after the last. Nothing follows an error.
    pub(crate) async fn next(&mut self) -> Option<Result<Fetched<P>>> {
        if self.items_wanted == Some(0) || self.pages_wanted == Some(0) {
            return None;
        }
        match std::mem::replace(&mut self.next, Next::End) {
            Next::End => None,
            Next::Failure(error) => Some(Err(error)),
            Next::Page(url) => Some(self.fetch(url).await),
        }
    }

    async fn fetch(&mut self, url: Url) -> Result<Fetched<P>> {
        let mut request = self
            .template
            .as_ref()
            .and_then(Request::try_clone)
            .ok_or_else(|| self.error("a list whose request body is a stream has one page"))?;
        *request.url_mut() = url.clone();
        self.seen.insert(&url);
        let mut page = self.exchange.json::<P>(request, self.operation).await?;

        let received = page.items().len();
        let skipped = self.skip.min(received);
        self.skip = 0;
        if skipped > 0
            && let Some(items) = page.items_mut()
        {
            items.drain(..skipped);
        }
        self.empty = if received == 0 { self.empty + 1 } else { 0 };
        if let Some(wanted) = &mut self.items_wanted {
            let fresh = u64::try_from(received - skipped).unwrap_or(u64::MAX);
            *wanted = wanted.saturating_sub(fresh);
        }
        if let Some(wanted) = &mut self.pages_wanted {
            *wanted -= 1;
        }
        self.next = match page.next_link().filter(|link| !link.trim().is_empty()) {
            None => Next::End,
            Some(link) => match self.follow(&url, link) {
                Ok(next) => Next::Page(next),
                Err(error) => Next::Failure(error),
            },
        };
        Ok(Fetched {
            page,
            query: url.query().map(str::to_owned),
            skipped,
            next: match &self.next {
                Next::Page(url) => Some(url.query().map(str::to_owned)),
                Next::Failure(_) | Next::End => None,
            },
        })
    }

    fn follow(&mut self, from: &Url, link: &str) -> Result<Url> {
        let next = link::resolve(from, link).map_err(|bad| {
            let kind = match bad {
                BadLink::OtherOrigin(_) => ErrorKind::Origin,
                BadLink::Unreadable | BadLink::OtherList(_) => ErrorKind::Paging,
            };
            Error::new(kind, bad.to_string()).with_operation(self.operation)
        })?;
        if !self.seen.insert(&next) {
            return Err(
                self.error("the link to the next page leads to a page that was read before")
            );
        }
        if self.empty >= self.max_empty {
            let message = format!(
                "{} empty pages in a row, each with a link to a next one",
                self.empty
            );
            return Err(self.error(message));
        }
        Ok(next)
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Paging, message).with_operation(self.operation)
    }
}
