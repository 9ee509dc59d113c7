//! How long a connection may keep silent: little within a request's head, long between two requests, and less when all places are
//! taken; and how long it may leave an answer unread.
//!
//! Why: hyper's one header timeout starts when the last answer was sent, so it cannot be short against a client that
//! sends its headers byte by byte and long for one that keeps its connection for later. A connection that has sent
//! nothing yet counts as idle: the API server dials some that it uses only later.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::limits::Limits;

/// How often a silent connection looks whether all places are taken by now.
const LOOK: Duration = Duration::from_secs(1);

/// Whether every place of a listener is taken; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Full(Arc<AtomicBool>);

impl Full {
    /// Says whether it is so now.
    pub(super) fn set(&self, full: bool) {
        self.0.store(full, Ordering::Relaxed);
    }

    fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a connection is doing; shared by its stream and its requests.
#[derive(Debug)]
pub(super) struct Pace {
    stage: Mutex<Stage>,
    limits: Arc<Limits>,
    full: Full,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle { since: Instant },
    Head { since: Instant },
    Busy { holders: usize },
}

/// While it lives, the request's own deadline counts and not the connection's.
#[derive(Debug)]
pub(super) struct Busy(Arc<Pace>);

impl Pace {
    /// The pace of a connection that begins now, on a listener that may be full.
    pub(super) fn new(limits: Arc<Limits>, full: Full) -> Arc<Self> {
        Arc::new(Self { stage: Mutex::new(Stage::Idle { since: Instant::now() }), limits, full })
    }

    /// A request is being served.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.change(|stage| match stage {
            Stage::Busy { holders } => Stage::Busy { holders: holders + 1 },
            Stage::Idle { .. } | Stage::Head { .. } => Stage::Busy { holders: 1 },
        });
        Busy(Arc::clone(self))
    }

    fn bytes_came(&self) {
        self.change(|stage| match stage {
            Stage::Idle { .. } => Stage::Head { since: Instant::now() },
            other => other,
        });
    }

    fn deadline(&self) -> Option<Instant> {
        match *self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Idle { since } => Some(since + self.idle()),
            Stage::Head { since } => Some(since + self.limits.head),
            Stage::Busy { .. } => None,
        }
    }

    fn idle(&self) -> Duration {
        if self.full.is_so() { self.limits.idle_when_full.min(self.limits.idle) } else { self.limits.idle }
    }

    fn change(&self, next: impl FnOnce(Stage) -> Stage) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = next(*stage);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|stage| match stage {
            Stage::Busy { holders } if holders > 1 => Stage::Busy { holders: holders - 1 },
            _ => Stage::Idle { since: Instant::now() },
        });
    }
}

/// A stream that fails with [`io::ErrorKind::TimedOut`] when its connection kept silent, or took nothing, for too long.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
    timer: Pin<Box<Sleep>>,
    /// Runs while the other side takes nothing of what is written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    /// Puts `stream` under `pace`.
    pub(super) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace, timer: Box::pin(sleep_until(Instant::now())), stuck: None }
    }

    /// What became of a write, or its end when nothing has come of it for too long.
    fn written<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.pace.limits.write;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        stuck.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                this.pace.bytes_came();
            }
            return Poll::Ready(read);
        }
        loop {
            let Some(deadline) = this.pace.deadline() else {
                return Poll::Pending;
            };
            let now = Instant::now();
            if deadline <= now {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            this.timer.as_mut().reset(deadline.min(now + LOOK));
            if this.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(written, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(written, cx)
    }
}
