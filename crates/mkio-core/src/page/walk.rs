//! Fetches the pages of a list one after the other.

use std::{marker::PhantomData, sync::Arc};

use reqwest::Request;
use url::Url;

use super::{
    Page, ResumeToken,
    bounds::Bounds,
    link::{self, Seen},
    recover::{Bad, recover},
};
use crate::{Error, ErrorKind, Operation, Response, Result, Transport, glue};

/// A page and where it stands in the list.
pub(crate) struct Fetched<P> {
    pub(crate) page: Response<P>,
    /// Items that do not decode, counted from the first one that is not left out.
    pub(crate) bad: Vec<Bad>,
    /// Query of this page.
    pub(crate) query: Option<String>,
    /// Items at its start that were handed out before and are not in `page` any more.
    pub(crate) skipped: usize,
    /// Where the next page is, if there is one.
    pub(crate) next: Option<Start>,
}

impl<P: Page> Fetched<P> {
    /// All its items were handed out before: there is nothing in it for the reader.
    pub(crate) fn is_over(&self) -> bool {
        self.skipped > 0 && self.len() == 0
    }

    /// Items of the page, those that do not decode included.
    pub(crate) fn len(&self) -> usize {
        self.page.items().len() + self.bad.len()
    }
}

/// Where a page starts to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) query: Option<String>,
    /// Items from there on that were handed out before.
    pub(crate) skip: usize,
}

/// The next step.
enum Next {
    Page(Url),
    Failure(Error),
    End,
}

/// The walk over a list's pages.
pub(crate) struct Walk<P> {
    transport: Transport,
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
    pub(crate) bounds: Arc<Bounds>,
    /// Items fetched, without those left out.
    items: u64,
    /// Pages fetched, without those left out as a whole.
    pages: u64,
    /// The page size is ours to choose: the service takes one, and the caller has said none.
    pub(crate) may_choose_page_size: bool,
    page: PhantomData<fn() -> P>,
}

/// Empty pages in a row after which a list counts as not getting anywhere.
pub(crate) const MAX_EMPTY: usize = 100;

/// Largest page size that is asked for on our own account. How large pages may be is published for
/// Beam devices only (1,000); a size that the service refuses must not come from us.
const LARGEST_CHOSEN: u64 = 100;

impl<P: Page> Walk<P> {
    pub(crate) fn new(
        transport: Transport,
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
            transport,
            operation,
            template,
            next,
            seen: Seen::default(),
            empty: 0,
            max_empty: MAX_EMPTY,
            skip: 0,
            bounds: Bounds::none(),
            items: 0,
            pages: 0,
            may_choose_page_size: false,
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

    /// Starts at `token` instead of at the beginning; has no effect once the walk has begun.
    pub(crate) fn resume(&mut self, token: &ResumeToken) {
        let Next::Page(url) = &mut self.next else {
            return;
        };
        if !self.seen.is_empty() {
            return;
        }
        if url.path() == token.list {
            url.set_query(token.query.as_deref());
            self.skip = token.offset;
        } else {
            let message = format!(
                "the resume token is of {}, not of {}; give it to the list that it came from",
                token.list,
                url.path()
            );
            let error = Error::new(ErrorKind::InvalidRequest, message);
            self.next = Next::Failure(error.with_operation(self.operation));
        }
    }

    /// The list takes `$top`. Unless the request has one, small limits are page sizes, too.
    pub(crate) fn supports_top(&mut self) {
        self.may_choose_page_size = matches!(&self.next, Next::Page(url) if !link::has_top(url));
    }

    /// Nothing follows: the list has ended, or as much of it as is wanted.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.next, Next::End) || self.has_enough()
    }

    fn has_enough(&self) -> bool {
        self.items >= self.bounds.items() || self.pages >= self.bounds.pages()
    }

    /// The next page; `None` after the last. Nothing follows an error.
    pub(crate) async fn next(&mut self) -> Option<Result<Fetched<P>>> {
        if self.has_enough() {
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
            .ok_or_else(|| {
                self.error(
                    "a list whose request body is a stream cannot go on after its first page",
                )
            })?;
        *request.url_mut() = url.clone();
        let chosen_page_size = self.chosen_page_size(&url);
        if let Some(top) = chosen_page_size {
            link::set_top(request.url_mut(), top);
        }
        self.seen.insert(&url);
        let response = self.transport.call(request, self.operation).await?;
        let asked = || Some(url.clone());
        let (mut page, mut bad) = match glue::json::<P>(response, self.operation, asked) {
            Ok(page) => (page, Vec::new()),
            Err(error) => recover(error)?,
        };

        let received = page.items().len() + bad.len();
        let skipped = self.skip.min(received);
        // A page can be smaller than it was when the place in it was noted.
        self.skip -= skipped;
        if skipped > 0 {
            leave_out(skipped, &mut page, &mut bad);
        }
        self.empty = if received == 0 { self.empty + 1 } else { 0 };
        self.items += (received - skipped) as u64;
        self.next = match page.next_link().filter(|link| !link.trim().is_empty()) {
            Some(link) => match self.follow(&url, link, chosen_page_size.is_some()) {
                Ok(next) => Next::Page(next),
                Err(error) => Next::Failure(error),
            },
            // As much as we asked for, but perhaps not all that there is: a caller who wants more
            // asks again, without a page size.
            None if chosen_page_size.is_some_and(|top| received as u64 >= top) => {
                self.skip += received;
                Next::Page(url.clone())
            }
            None => Next::End,
        };
        let fetched = Fetched {
            page,
            bad,
            query: url.query().map(str::to_owned),
            skipped,
            next: match &self.next {
                Next::Page(url) => Some(Start {
                    query: url.query().map(str::to_owned),
                    skip: self.skip,
                }),
                Next::Failure(_) | Next::End => None,
            },
        };
        self.pages += u64::from(!fetched.is_over());
        Ok(fetched)
    }

    /// Page size to ask for: as many items as are wanted, if they are few and nothing was said.
    fn chosen_page_size(&self, url: &Url) -> Option<u64> {
        let wanted = self.bounds.items().saturating_sub(self.items);
        let wanted = wanted.saturating_add(self.skip as u64);
        (self.may_choose_page_size && wanted <= LARGEST_CHOSEN && !link::has_top(url))
            .then_some(wanted)
    }

    fn follow(&mut self, from: &Url, link: &str, chosen_page_size: bool) -> Result<Url> {
        let mut next = link::resolve(from, link).map_err(|bad| self.error(bad.to_string()))?;
        if chosen_page_size {
            // It was for this page; a caller who goes on from here chooses the size of pages.
            link::remove_top(&mut next);
        }
        if !self.seen.insert(&next) {
            return Err(
                self.error("the link to the next page leads to a page that was read before")
            );
        }
        if self.empty >= self.max_empty.max(1) {
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

/// Leaves out the first items of a page, those that do not decode included.
fn leave_out(skipped: usize, page: &mut Response<impl Page>, bad: &mut Vec<Bad>) {
    let before = bad.len();
    bad.retain(|bad| bad.place >= skipped);
    let good = skipped - (before - bad.len());
    if let Some(items) = page.items_mut() {
        items.drain(..good);
    }
    for bad in bad {
        bad.place -= skipped;
    }
}
