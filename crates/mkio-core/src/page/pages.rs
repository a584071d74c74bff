//! A list as a stream of pages.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::{Stream, future::BoxFuture, stream::FusedStream};
use reqwest::Request;
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument;

use super::{
    Page, ResumeToken,
    bounds::Bounds,
    recover::Bad,
    walk::{Fetched, Start, Walk},
};
use crate::{Error, ErrorKind, Operation, Response, Result, Transport};

/// The pages of a list, one after the other.
///
/// A [`Stream`] of `Result<Response<P>>`, with [`try_next`](Self::try_next),
/// [`try_collect`](Self::try_collect) and [`take`](Self::take) of its own, so that no extension
/// trait is needed. Nothing is sent before the first poll. The stream ends after the last page, and
/// after an error; [`resume_token`](Self::resume_token) goes on from there. A page with an item that
/// does not decode is an error of kind [`Decode`](ErrorKind::Decode) in its place, after which the
/// stream can be read on; [`items`](Self::items) gives the other items of that page.
///
/// While one page is in use, the next is fetched ([`prefetch`](Self::prefetch), 1 by default). A
/// link to a page that was read before, or too many empty pages in a row
/// ([`max_empty_pages`](Self::max_empty_pages)), is an error.
///
/// ```no_run
/// # async fn example<P: mkio_core::Page>(mut pages: mkio_core::Pages<P>) -> mkio_core::Result<()> {
/// // `pages` is `media.list_assets().top(100).pages()`, for example.
/// while let Some(page) = pages.try_next().await? {
///     println!("{} bytes, {:?} items in all", page.raw().len(), pages.total());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list sends nothing until it is polled"]
pub struct Pages<P: Page> {
    operation: &'static Operation,
    state: State<P>,
    place: Place,
    prefetch: usize,
    total: Option<u64>,
    bounds: Arc<Bounds>,
    /// Pages that have been handed out.
    pages: u64,
    /// Items in them.
    items: u64,
    /// Items of the current page that do not decode.
    pub(super) bad: Vec<Bad>,
}

/// The walk after a step, and the result of the step.
type Step<P> = (Box<Walk<P>>, Option<Result<Fetched<P>>>);

/// More pages than any list has; a channel has its limits.
const MOST_AHEAD: usize = 1 << 20;

enum State<P> {
    Idle(Box<Walk<P>>),
    Fetching(BoxFuture<'static, Step<P>>),
    Ahead {
        pages: mpsc::Receiver<Result<Fetched<P>>>,
        /// Gives the walk back when it is over; aborts the fetching when dropped.
        task: JoinSet<Box<Walk<P>>>,
    },
    Ended,
}

/// Where in the list the reader stands.
struct Place {
    list: String,
    query: Option<String>,
    offset: usize,
    next: Option<Start>,
}

impl<P: Page> Pages<P> {
    /// The list that `first` asks for; an error in it is the stream's first item.
    pub fn new(
        transport: Transport,
        operation: &'static Operation,
        first: Result<Request>,
    ) -> Self {
        let walk = Walk::new(transport, operation, first);
        Self {
            operation,
            place: Place::at(walk.start()),
            bounds: walk.bounds.clone(),
            state: State::Idle(Box::new(walk)),
            prefetch: 1,
            total: None,
            pages: 0,
            items: 0,
            bad: Vec::new(),
        }
    }

    /// The list takes `$top`: where the request has none, a small limit is the page size, too. For
    /// generated code.
    #[doc(hidden)]
    pub fn supports_top(mut self) -> Self {
        self.set(Walk::supports_top);
        self
    }

    /// Pages that are fetched while earlier ones are in use: 1 by default, 0 for none.
    ///
    /// No more than this many pages wait in memory. Fetching ahead runs in a task of the current
    /// tokio runtime that ends with the stream. Call it before the first poll.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// Empty pages in a row, each with a link to a next one, after which the list is given up with
    /// an error: 100 by default, at least 1. Call it before the first poll.
    pub fn max_empty_pages(mut self, pages: usize) -> Self {
        self.set(|walk| walk.max_empty = pages);
        self
    }

    /// Ends after `pages` pages, counted from now, and fetches none beyond them.
    pub fn take(self, pages: usize) -> Self {
        self.bounds
            .set_pages(self.pages.saturating_add(pages as u64));
        self
    }

    /// Goes on at `token` instead of at the beginning. Call it before the first poll; later it has
    /// no effect. A token of another list is an error of kind
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) at the first poll.
    pub fn resume(mut self, token: &ResumeToken) -> Self {
        if let State::Idle(walk) = &mut self.state {
            walk.resume(token);
            self.place = Place::at(walk.start());
        }
        self
    }

    /// The place after the last page that was handed out.
    pub fn resume_token(&self) -> ResumeToken {
        self.place.token(true)
    }

    /// Total number of items by the service's own count; `None` until a page has it.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next page; `None` after the last one. Nothing is lost when the future is dropped before
    /// it is ready, as `select!` and timeouts do.
    ///
    /// # Errors
    ///
    /// Those of the call that fetches the page; kind [`Paging`](ErrorKind::Paging) when the list cannot
    /// go on; kind [`Decode`](ErrorKind::Decode) for a page with an item that does not decode, after
    /// which the list goes on.
    pub async fn try_next(&mut self) -> Result<Option<Response<P>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
            .await
            .transpose()
    }

    /// All pages; the first error ends it.
    ///
    /// # Errors
    ///
    /// Those of [`try_next`](Self::try_next).
    pub async fn try_collect<C: Default + Extend<Response<P>>>(mut self) -> Result<C> {
        let mut all = C::default();
        while let Some(page) = self.try_next().await? {
            all.extend([page]);
        }
        Ok(all)
    }

    /// Fetches no page beyond the item with this number, counted as
    /// [`items_before`](Self::items_before) counts.
    pub(super) fn read_until(&self, items: u64) {
        self.bounds.set_items(items);
    }

    /// Items in the pages that have been handed out.
    pub(super) fn items_before(&self) -> u64 {
        self.items
    }

    fn set(&mut self, change: impl FnOnce(&mut Walk<P>)) {
        if let State::Idle(walk) = &mut self.state {
            change(walk);
        }
    }

    /// The token of the place after `taken` items of the current page; `done` when that is all.
    pub(super) fn token_at(&self, taken: usize, done: bool) -> ResumeToken {
        let mut token = self.place.token(done);
        if !(done && self.place.next.is_some()) {
            token.offset += taken;
        }
        token
    }

    /// The next page, with the place moved to its start.
    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<P>>>> {
        let fetched = loop {
            if self.pages >= self.bounds.pages() {
                return Poll::Ready(None);
            }
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Ahead { pages, task } => match ready!(pages.poll_recv(cx)) {
                    Some(fetched) => break fetched,
                    None => {
                        let walk = ready!(task.poll_join_next(cx));
                        self.state = State::Ended;
                        match walk {
                            Some(Ok(walk)) => self.state = State::Idle(walk),
                            // As it would have come without a task.
                            Some(Err(failed)) if failed.is_panic() => {
                                std::panic::resume_unwind(failed.into_panic())
                            }
                            Some(Err(_)) | None => break Err(self.runtime_is_gone()),
                        }
                    }
                },
                State::Fetching(fetch) => {
                    let (walk, fetched) = ready!(fetch.as_mut().poll(cx));
                    self.state = State::Idle(walk);
                    if let Some(fetched) = fetched {
                        break fetched;
                    }
                }
                State::Idle(walk) if walk.is_over() => return Poll::Ready(None),
                State::Idle(_) => self.start(),
            }
        };
        Poll::Ready(Some(match fetched {
            Err(error) => {
                self.state = State::Ended;
                Err(error)
            }
            Ok(fetched) => {
                self.pages += u64::from(!fetched.is_over());
                self.items += fetched.len() as u64;
                self.bad = fetched.bad;
                self.place.query = fetched.query;
                self.place.offset = fetched.skipped;
                self.place.next = fetched.next;
                self.total = fetched.page.total().or(self.total);
                Ok(fetched.page)
            }
        }))
    }

    fn runtime_is_gone(&self) -> Error {
        Error::new(
            ErrorKind::Paging,
            "the runtime that fetched the list ahead has ended; read a list in one runtime, or go \
             on from its resume token",
        )
        .with_operation(self.operation)
    }

    fn start(&mut self) {
        let State::Idle(mut walk) = std::mem::replace(&mut self.state, State::Ended) else {
            return;
        };
        // Without a runtime there is no task to fetch ahead in.
        let runtime = tokio::runtime::Handle::try_current();
        self.state = match runtime {
            Ok(runtime) if self.prefetch > 0 => {
                let (sender, pages) = mpsc::channel(self.prefetch.min(MOST_AHEAD));
                let mut task = JoinSet::new();
                let fetch = async move {
                    // The place in the channel comes first: it limits how much is fetched.
                    while let Ok(free) = sender.reserve().await {
                        let Some(page) = walk.next().await else { break };
                        free.send(page);
                    }
                    drop(sender);
                    walk
                };
                task.spawn_on(fetch.in_current_span(), &runtime);
                State::Ahead { pages, task }
            }
            _ => State::Fetching(Box::pin(async move {
                let page = walk.next().await;
                (walk, page)
            })),
        };
    }
}

impl Place {
    fn at(token: ResumeToken) -> Self {
        Self {
            list: token.list,
            query: token.query,
            offset: token.offset,
            next: None,
        }
    }

    /// The token of the current page's start, or with `done` of the next page's.
    fn token(&self, done: bool) -> ResumeToken {
        let (query, offset) = match &self.next {
            Some(next) if done => (next.query.clone(), next.skip),
            _ => (self.query.clone(), self.offset),
        };
        ResumeToken {
            list: self.list.clone(),
            query,
            offset,
        }
    }
}

impl<P: Page> Stream for Pages<P> {
    type Item = Result<Response<P>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let page = ready!(this.poll_page(cx));
            if let Some(Ok(page)) = &page {
                let bad = std::mem::take(&mut this.bad);
                let items = page.items().len() + bad.len();
                let resumed_at_end = this.place.offset > 0 && items == 0;
                this.place.offset += items;
                if resumed_at_end {
                    continue;
                }
                if let Some(bad) = bad.into_iter().next() {
                    return Poll::Ready(Some(Err(bad.error)));
                }
            }
            return Poll::Ready(page);
        }
    }
}

impl<P: Page> FusedStream for Pages<P> {
    fn is_terminated(&self) -> bool {
        self.pages >= self.bounds.pages()
            || match &self.state {
                State::Ended => true,
                State::Idle(walk) => walk.is_over(),
                State::Fetching(_) | State::Ahead { .. } => false,
            }
    }
}

impl<P: Page> std::fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("list", &self.place.list)
            .field("prefetch", &self.prefetch)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
