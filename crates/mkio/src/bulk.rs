//! Works on every item of a list, several at a time.
//!
//! [`Bulk`] reads a list, or anything that can be iterated, and works on `n` items at a time.
//! Failures end nothing: they are collected with the names of their items. All calls share the
//! client's rate budget, so `n` need not be small: it limits the items under way, not the requests
//! a minute.
//!
//! ```no_run
//! # async fn run(media: mkio::media::ProjectClient) -> mkio::Result<()> {
//! use mkio::{bulk::Bulk, media::fields::assets};
//!
//! let old = media.list_assets().filter(assets::CREATED.lt("2024-01-01")).items();
//! // Deleting while reading would shift the pages: all are read first.
//! let old: Vec<mkio::media::types::Asset> = old.try_collect().await?;
//! let report = Bulk::each(old)
//!     .at_once(16)
//!     .run(|asset| {
//!         let name = asset.name.unwrap_or_default();
//!         let call = media.delete_asset(&name).send();
//!         (name, call)
//!     })
//!     .await;
//! println!("{} deleted", report.done);
//! for failed in &report.failed {
//!     eprintln!("{}: {}", failed.name, failed.error);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A run that is stopped, or ends with the process, goes on later: [`Bulk::on_checkpoint`] gives a
//! [`ResumeToken`] behind which everything is done. Items that were under way when the process ended
//! come again, so the work must be one that can be repeated, such as a PUT or a DELETE.
//!
//! A list whose items disappear while it is read (a bulk deletion) shifts under its offset. The pages
//! that follow then leave items out: run it again until nothing is listed, or read the names first.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::stream::{FuturesUnordered, Stream};
use mkio_core::{BoxError, Error, Items, Page, Result, ResumeToken};

/// Where items come from. Implemented for lists and iterators.
pub trait Source: sealed::Source {}

impl<S: sealed::Source> Source for S {}

mod sealed {
    use super::{Context, Poll, Result, ResumeToken};

    pub trait Source {
        type Item;

        /// The next item, an error in its place, or the end.
        fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Self::Item>>>;

        /// The place after the last item, where there are such places.
        fn place(&self) -> Option<ResumeToken>;
    }
}

/// The items of a list of the service.
#[derive(Debug)]
pub struct List<P: Page>(Items<P>);

impl<P: Page> sealed::Source for List<P> {
    type Item = P::Item;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<P::Item>>> {
        Pin::new(&mut self.0).poll_next(cx)
    }

    fn place(&self) -> Option<ResumeToken> {
        Some(self.0.resume_token())
    }
}

/// The items of an iterator.
#[derive(Debug)]
pub struct Each<I>(I);

impl<I: Iterator> sealed::Source for Each<I> {
    type Item = I::Item;

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<I::Item>>> {
        Poll::Ready(self.0.next().map(Ok))
    }

    fn place(&self) -> Option<ResumeToken> {
        None
    }
}

type OnCheckpoint<'a> = Box<dyn FnMut(&ResumeToken) + Send + 'a>;
type Stop<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Work on every item of a list. See the [module](self).
#[must_use = "nothing is done until `run`"]
pub struct Bulk<'a, S> {
    source: S,
    at_once: usize,
    most_failures: usize,
    on_checkpoint: Option<OnCheckpoint<'a>>,
    stop: Option<Stop<'a>>,
}

impl<P: Page> Bulk<'_, List<P>> {
    /// For the items of a list. To go on where another run stopped, give them the token:
    /// `media.list_assets().items().resume(&token)`.
    pub fn list(items: Items<P>) -> Self {
        Self::of(List(items))
    }
}

impl<I: Iterator> Bulk<'_, Each<I>> {
    /// For anything that can be iterated, such as names.
    pub fn each(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self::of(Each(items.into_iter()))
    }
}

impl<'a, S: Source> Bulk<'a, S> {
    fn of(source: S) -> Self {
        Self {
            source,
            at_once: 8,
            most_failures: usize::MAX,
            on_checkpoint: None,
            stop: None,
        }
    }

    /// Items that are worked on at a time. Default 8; 0 counts as 1.
    pub fn at_once(mut self, items: usize) -> Self {
        self.at_once = items.max(1);
        self
    }

    /// Takes no more items after so many failures. Default: never stops.
    pub fn stop_after_failures(mut self, failures: usize) -> Self {
        self.most_failures = failures.max(1);
        self
    }

    /// Takes no more items once `signal` is ready, for example `tokio::signal::ctrl_c()`; items
    /// under way are finished.
    pub fn stop_on<F>(mut self, signal: F) -> Self
    where
        F: Future<Output: Send> + Send + 'a,
    {
        self.stop = Some(Box::pin(async move {
            signal.await;
        }));
        self
    }

    /// Gives a place in the list whenever all items before it are done or have failed. Write it down to
    /// go on there in another process. Iterators have no such places.
    pub fn on_checkpoint(mut self, keep: impl FnMut(&ResumeToken) + Send + 'a) -> Self {
        self.on_checkpoint = Some(Box::new(keep));
        self
    }

    /// Works on all items. `work` takes an item and returns its name and a future. Errors of the
    /// future are collected; other results are dropped, unless [`run_then`](Self::run_then) takes
    /// them.
    ///
    /// Dropping the run drops the items under way; calls that were sent may have taken effect.
    pub async fn run<F, W, T, E>(self, work: F) -> Report<E>
    where
        F: FnMut(S::Item) -> (String, W),
        W: Future<Output = std::result::Result<T, E>>,
    {
        self.run_then(work, |_, _| ()).await
    }

    /// Works on all items, as [`run`](Self::run) does, and calls `then` with the name and the outcome of
    /// each, as soon as it has ended: for a line of progress, or the rows of a table.
    ///
    /// ```
    /// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use mkio::{Error, ErrorKind, bulk::Bulk};
    ///
    /// let mut rows = Vec::new();
    /// let report = Bulk::each([3_usize, 0, 5])
    ///     .at_once(1)
    ///     .run_then(
    ///         |length| (format!("film-{length}"), async move {
    ///             // In a program, a call or a wait of the SDK.
    ///             let empty = Error::new(ErrorKind::Wait, "there is nothing to encode");
    ///             if length == 0 { Err(empty) } else { Ok(length * 60) }
    ///         }),
    ///         |name, outcome| match outcome {
    ///             Ok(seconds) => rows.push(format!("{name} {seconds} s")),
    ///             Err(error) => rows.push(format!("{name} {error}")),
    ///         },
    ///     )
    ///     .await;
    /// assert_eq!(rows, ["film-3 180 s", "film-0 there is nothing to encode", "film-5 300 s"]);
    /// assert_eq!((report.done, report.failed.len()), (2, 1));
    /// # }) }
    /// ```
    pub async fn run_then<F, W, T, E, N>(self, mut work: F, mut then: N) -> Report<E>
    where
        F: FnMut(S::Item) -> (String, W),
        W: Future<Output = std::result::Result<T, E>>,
        N: FnMut(&str, &std::result::Result<T, E>),
    {
        let mut run = Run {
            bulk: self,
            under_way: FuturesUnordered::new(),
            places: Places::default(),
            report: Report::default(),
            open: true,
        };
        loop {
            match poll_fn(|cx| run.poll(cx)).await {
                Step::Item(item) => {
                    let (name, work) = work(item);
                    let number = run.places.begin(run.bulk.source.place());
                    run.under_way.push(carry(number, name, work));
                }
                Step::Unreadable(error) => run.unreadable(error),
                Step::Done((number, name, outcome)) => {
                    then(&name, &outcome);
                    run.done(number, name, outcome.map(drop));
                }
                Step::End => return run.report,
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Bulk<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("source", &self.source)
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}

/// Result of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report<E = Error> {
    /// Items that were worked on without an error.
    pub done: u64,
    /// The others.
    pub failed: Vec<Failed<E>>,
    /// Items of the list that do not decode; they were left out.
    pub unreadable: Vec<Error>,
    /// Why the list ended before its end, if it did.
    pub list_error: Option<Error>,
    /// Whether the run was stopped: by the program, or after too many failures.
    pub stopped: bool,
    /// Where to go on: everything before it is done or in [`failed`](Self::failed). None for iterators
    /// and when nothing was done.
    pub resume: Option<ResumeToken>,
}

impl<E> Default for Report<E> {
    fn default() -> Self {
        Self {
            done: 0,
            failed: Vec::new(),
            unreadable: Vec::new(),
            list_error: None,
            stopped: false,
            resume: None,
        }
    }
}

impl<E> Report<E> {
    /// Every item was read and done.
    pub fn is_complete(&self) -> bool {
        let read = self.list_error.is_none() && !self.stopped;
        read && self.failed.is_empty() && self.unreadable.is_empty()
    }

    /// The first error, for programs that end with it.
    ///
    /// # Errors
    ///
    /// The list's error, else that of an item with its name.
    pub fn into_result(self) -> std::result::Result<u64, BoxError>
    where
        E: Into<BoxError>,
    {
        if let Some(error) = self.list_error.or(self.unreadable.into_iter().next()) {
            return Err(error.into());
        }
        match self.failed.into_iter().next() {
            Some(failed) => Err(format!("{}: {}", failed.name, failed.error.into()).into()),
            None => Ok(self.done),
        }
    }
}

/// An item whose work failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed<E = Error> {
    /// Name of the item.
    pub name: String,
    /// Its error.
    pub error: E,
}

type Done<T, E> = (usize, String, std::result::Result<T, E>);

enum Step<I, T, E> {
    Item(I),
    Unreadable(Error),
    Done(Done<T, E>),
    End,
}

/// Carries out the work on the item of a number.
async fn carry<T, E>(
    number: usize,
    name: String,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Done<T, E> {
    let outcome = work.await;
    (number, name, outcome)
}

struct Run<'a, S, W, E> {
    bulk: Bulk<'a, S>,
    under_way: FuturesUnordered<W>,
    places: Places,
    report: Report<E>,
    /// More items are taken.
    open: bool,
}

impl<S: Source, W: Future<Output = Done<T, E>>, T, E> Run<'_, S, W, E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step<S::Item, T, E>> {
        if let Some(stop) = &mut self.bulk.stop
            && self.open
            && stop.as_mut().poll(cx).is_ready()
        {
            self.stop();
        }
        let done = Pin::new(&mut self.under_way).poll_next(cx);
        if let Poll::Ready(Some(done)) = done {
            return Poll::Ready(Step::Done(done));
        }
        if self.open && self.under_way.len() < self.bulk.at_once {
            match self.bulk.source.poll(cx) {
                Poll::Ready(Some(Ok(item))) => return Poll::Ready(Step::Item(item)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Step::Unreadable(error)),
                Poll::Ready(None) => self.open = false,
                Poll::Pending => return Poll::Pending,
            }
        }
        if !self.open && self.under_way.is_empty() {
            return Poll::Ready(Step::End);
        }
        Poll::Pending
    }

    fn stop(&mut self) {
        self.open = false;
        self.report.stopped = true;
    }

    /// An error in the place of an item leaves that out; any other one ends the list.
    fn unreadable(&mut self, error: Error) {
        if error.value::<mkio_core::serde_json::Value>().is_some() {
            self.report.unreadable.push(error);
        } else {
            self.report.list_error = Some(error);
            self.open = false;
        }
    }

    fn done(&mut self, number: usize, name: String, outcome: std::result::Result<(), E>) {
        match outcome {
            Ok(()) => self.report.done += 1,
            Err(error) => self.report.failed.push(Failed { name, error }),
        }
        if self.report.failed.len() >= self.bulk.most_failures && self.open {
            self.stop();
        }
        if let Some(place) = self.places.end(number) {
            if let Some(keep) = &mut self.bulk.on_checkpoint {
                keep(&place);
            }
            self.report.resume = Some(place);
        }
    }
}

/// Places behind items that were taken and are not behind the checkpoint yet, in the list's order.
#[derive(Default)]
struct Places {
    /// The number of the first of them.
    first: usize,
    waiting: VecDeque<(Option<ResumeToken>, bool)>,
}

impl Places {
    /// Takes the next item, and gives it a number.
    fn begin(&mut self, place: Option<ResumeToken>) -> usize {
        self.waiting.push_back((place, false));
        self.first + self.waiting.len() - 1
    }

    /// An item is done; gives the place up to which all are, if that has moved.
    fn end(&mut self, number: usize) -> Option<ResumeToken> {
        if let Some(item) = self.waiting.get_mut(number - self.first) {
            item.1 = true;
        }
        let mut moved = None;
        while let Some((_, true)) = self.waiting.front() {
            moved = self.waiting.pop_front().and_then(|(place, _)| place);
            self.first += 1;
        }
        moved
    }
}
