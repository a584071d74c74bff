//! A list as a stream of items.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::{Stream, stream::FusedStream};
use reqwest::Request;

use super::{Page, Pages, ResumeToken, recover::Bad};
use crate::{Operation, Result, Transport};

/// The items of a list, over all its pages.
///
/// A [`Stream`] of `Result<P::Item>`, with [`try_next`](Self::try_next),
/// [`try_collect`](Self::try_collect) and [`take`](Self::take) of its own, so that no extension
/// trait is needed. Nothing is sent before the first poll. The stream ends after the last item, and
/// after an error, which comes after all earlier items;
/// [`resume_token`](Self::resume_token) goes on from there.
///
/// An item that does not decode is an error of kind [`Decode`](crate::ErrorKind::Decode) in its
/// place. The stream goes on: the next read gives the item after it. The error has the item's name,
/// [`json_path`](crate::Error::json_path) and, as [`value`](crate::Error::value) of type
/// [`serde_json::Value`], the item as it was received.
///
/// ```no_run
/// # async fn example<P: mkio_core::Page>(items: mkio_core::Items<P>) -> Result<(), Box<dyn std::error::Error>>
/// # where P::Item: std::fmt::Debug {
/// // `items` is `media.list_assets().items()`, for example.
/// let mut items = items.limit(500);
/// while let Some(item) = items.try_next().await? {
///     println!("{item:?}");
/// }
/// // The place in the list, to go on there with `resume`: later, or in another process.
/// let place = serde_json::to_string(&items.resume_token())?;
/// # drop(place);
/// # Ok(())
/// # }
/// ```
///
/// Where one bad item must not end the work:
///
/// ```no_run
/// # async fn example<P: mkio_core::Page>(mut items: mkio_core::Items<P>) -> mkio_core::Result<()> {
/// use mkio_core::serde_json::Value;
///
/// loop {
///     match items.try_next().await {
///         Ok(Some(item)) => drop(item),
///         Ok(None) => break,
///         Err(error) if error.value::<Value>().is_some() => eprintln!("left out: {error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// While the items of one page are in use, the next page is fetched
/// ([`prefetch`](Self::prefetch)); memory holds those two and no more, or with a prefetch of `n`
/// the current page and `n` others.
#[must_use = "a list sends nothing until it is polled"]
pub struct Items<P: Page> {
    pages: Pages<P>,
    current: std::vec::IntoIter<P::Item>,
    /// Errors of items of the current page that do not decode, not yet given out.
    bad: VecDeque<Bad>,
    /// Items of the current page that have been handed out.
    taken: usize,
    /// Items that have been handed out since the first page.
    handed_out: u64,
    /// How many of them there may be.
    end: u64,
}

impl<P: Page> Pages<P> {
    /// The items of the pages instead of the pages.
    pub fn items(self) -> Items<P> {
        Items::new(self)
    }
}

impl<P: Page> Items<P> {
    fn new(pages: Pages<P>) -> Self {
        Self {
            handed_out: pages.items_before(),
            pages,
            current: Vec::new().into_iter(),
            bad: VecDeque::new(),
            taken: 0,
            end: u64::MAX,
        }
    }

    /// The items of the list that `first` asks for; an error in it is the stream's first item.
    pub fn of(transport: Transport, operation: &'static Operation, first: Result<Request>) -> Self {
        Self::new(Pages::new(transport, operation, first))
    }

    /// Pages that are fetched while the items of earlier ones are in use: 1 by default, 0 for
    /// none. Call it before the first poll.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// Empty pages in a row, each with a link to a next one, after which the list is given up with
    /// an error: 100 by default, at least 1. Call it before the first poll.
    pub fn max_empty_pages(mut self, pages: usize) -> Self {
        self.pages = self.pages.max_empty_pages(pages);
        self
    }

    /// Ends after `items` items, counted from now, and fetches no page beyond the one that holds
    /// the last of them.
    ///
    /// If the request sets no `$top`, a limit of 100 or less is also sent as the page size. After the
    /// limit is reached, call `limit` again to continue.
    pub fn limit(mut self, items: u64) -> Self {
        self.end = self.handed_out.saturating_add(items);
        self.pages.read_until(self.end);
        self
    }

    /// The same as [`limit`](Self::limit), under the name that streams give it.
    pub fn take(self, items: usize) -> Self {
        self.limit(u64::try_from(items).unwrap_or(u64::MAX))
    }

    /// Goes on at `token` instead of at the beginning. Call it before the first poll; later it has
    /// no effect. A token of another list is an error of kind
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) at the first poll.
    pub fn resume(mut self, token: &ResumeToken) -> Self {
        self.pages = self.pages.resume(token);
        self
    }

    /// The place after the last item that was handed out.
    ///
    /// A list that is resumed there repeats no item and leaves none out, also in the middle of a
    /// page, as long as the service keeps the order; items that are added or removed before the
    /// place in the meantime shift it, as they do for any list that is read page by page.
    pub fn resume_token(&self) -> ResumeToken {
        self.pages.token_at(self.taken, self.left() == 0)
    }

    /// Total number of items by the service's own count; `None` until a page has it.
    pub fn total(&self) -> Option<u64> {
        self.pages.total()
    }

    /// The next item; `None` after the last one. Nothing is lost when the future is dropped before
    /// it is ready, as `select!` and timeouts do.
    ///
    /// # Errors
    ///
    /// Those of the call that fetches a page; kind [`Paging`](crate::ErrorKind::Paging) when the list
    /// cannot go on; kind [`Decode`](crate::ErrorKind::Decode) for an item that does not decode, after
    /// which the list goes on.
    pub fn try_next(&mut self) -> impl Future<Output = Result<Option<P::Item>>> {
        poll_fn(|cx| {
            // Most items are here, and each step on the way would copy them once more.
            let item = self.next_here();
            if item.is_some() {
                return Poll::Ready(Ok(item));
            }
            Pin::new(&mut *self).poll_next(cx).map(Option::transpose)
        })
    }

    /// The next item, when it is of the current page and has decoded.
    #[inline]
    fn next_here(&mut self) -> Option<P::Item> {
        let is_bad = self.bad.front().is_some_and(|bad| bad.place <= self.taken);
        if self.handed_out >= self.end || is_bad {
            return None;
        }
        let item = self.current.next();
        self.count(usize::from(item.is_some()));
        item
    }

    /// All items; the first error ends it.
    ///
    /// # Errors
    ///
    /// Those of [`try_next`](Self::try_next).
    pub async fn try_collect<C: Default + Extend<P::Item>>(mut self) -> Result<C> {
        let mut all = C::default();
        while let Some(item) = self.try_next().await? {
            // The rest of the page is here: no need to go through the poll for each.
            let to_bad = self
                .bad
                .front()
                .map_or(usize::MAX, |bad| bad.place - self.taken);
            let rest = self.current.len().min(self.most()).min(to_bad);
            all.extend([item]);
            all.extend(self.current.by_ref().take(rest));
            self.count(rest);
        }
        Ok(all)
    }

    fn count(&mut self, handed_out: usize) {
        self.taken += handed_out;
        self.handed_out += handed_out as u64;
    }

    /// Items of the current page that have not been handed out.
    fn left(&self) -> usize {
        self.current.len() + self.bad.len()
    }

    /// Items that may still be handed out.
    fn most(&self) -> usize {
        usize::try_from(self.end - self.handed_out).unwrap_or(usize::MAX)
    }
}

impl<P: Page> Unpin for Items<P> {}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.handed_out >= this.end {
                return Poll::Ready(None);
            }
            if let Some(item) = this.next_here() {
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(bad) = this.bad.pop_front() {
                this.count(1);
                return Poll::Ready(Some(Err(bad.error)));
            }
            match ready!(this.pages.poll_page(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    let mut page = page.into_inner();
                    let items = page.items_mut().map(std::mem::take).unwrap_or_default();
                    this.current = items.into_iter();
                    this.bad = std::mem::take(&mut this.pages.bad).into();
                    this.taken = 0;
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.most();
        let known = (self.end < u64::MAX).then_some(most);
        (self.left().min(most), known)
    }
}

impl<P: Page> FusedStream for Items<P> {
    fn is_terminated(&self) -> bool {
        self.handed_out >= self.end || (self.left() == 0 && self.pages.is_terminated())
    }
}

impl<P: Page> std::fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
