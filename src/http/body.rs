//! A request's body: read within the cap and the room, with as few copies as can be, or thrown away.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;

use super::{
    error::HttpError,
    limits::Limits,
    pace::Pace,
    room::{Full, Place, Room},
};

/// How long the rest of an unwanted body is read before the connection is given up.
const LINGER: Duration = Duration::from_secs(5);

/// Reads a whole body, and gives it with its place in the room, which must live as long as the bytes.
///
/// A body of known length gets its place before its first byte; one of unknown length (chunked) as it comes. A body
/// that came in one piece is not copied.
pub(super) async fn read(body: &mut Body, limits: &Limits, room: &Room) -> Result<(Bytes, Place), HttpError> {
    let too_large = || HttpError::TooLarge { limit: limits.body_bytes };
    let no_room = |Full| HttpError::NoRoom { limit: limits.body_bytes_in_flight };
    let declared = match body.size_hint().exact().map(usize::try_from) {
        Some(Ok(declared)) if declared <= limits.body_bytes => declared,
        Some(_) => return Err(too_large()),
        None => 0,
    };
    let mut place = room.take(declared).map_err(no_room)?;
    let mut first = Bytes::new();
    let mut joined = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(HttpError::Broken)?.into_data() else {
            continue;
        };
        let so_far = first.len().max(joined.len());
        let length = so_far.saturating_add(data.len());
        if length > limits.body_bytes {
            return Err(too_large());
        }
        place.grow(length).map_err(no_room)?;
        if so_far == 0 {
            first = data;
            continue;
        }
        if joined.is_empty() {
            joined.reserve_exact(declared.max(length));
            joined.extend_from_slice(&first);
        }
        joined.extend_from_slice(&data);
    }
    let whole = if joined.is_empty() { first } else { Bytes::from(joined) };
    Ok((whole, place))
}

/// Reads the rest of a body that nobody wants, after the answer, up to twice the cap and for a few seconds.
///
/// Why: closing a connection with unread data resets it, and the client, still sending, would see the reset in place
/// of the answer that says to try again.
pub(super) fn discard(mut body: Body, limits: &Limits, pace: Option<Arc<Pace>>) {
    if body.is_end_stream() {
        return;
    }
    let most = limits.body_bytes.saturating_mul(2);
    tokio::spawn(tokio::time::timeout(LINGER, async move {
        let _busy = pace.as_ref().map(Pace::busy);
        let mut seen = 0_usize;
        while let Some(Ok(frame)) = body.frame().await {
            seen = seen.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if seen > most {
                break;
            }
        }
    }));
}
