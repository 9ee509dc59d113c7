//! Room for bodies: a bound on the bytes of all requests in flight.
//!
//! Why: bodies may be 40 MiB each, and a burst of them must cost a few callers a retry, not the process its memory.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A semaphore counts in `u32`; in KiB that reaches 4 TiB.
const UNIT: usize = 1024;

/// The room of one server.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    in_flight: Gauge,
}

/// There is no room for this body now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A part of the room, given back on drop.
#[derive(Debug)]
pub(super) struct Place {
    free: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    units: usize,
    in_flight: Gauge,
}

impl Room {
    /// Room for `bytes`, rounded down to KiB, shown in the gauge `in_flight`.
    pub(super) fn new(bytes: usize, in_flight: Gauge) -> Self {
        let units = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(units)), in_flight }
    }

    /// A place for a body of `bytes`; it never waits.
    pub(super) fn take(&self, bytes: usize) -> Result<Place, Full> {
        let mut place = Place { free: Arc::clone(&self.free), held: None, units: 0, in_flight: self.in_flight.clone() };
        place.grow(bytes)?;
        Ok(place)
    }
}

impl Place {
    /// Makes this a place for `bytes` in all; a smaller number changes nothing.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let more = bytes.div_ceil(UNIT).saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let permits = u32::try_from(more).map_err(|_| Full)?;
        let permit = Arc::clone(&self.free).try_acquire_many_owned(permits).map_err(|_| Full)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.units += more;
        self.in_flight.inc_by(gauge_bytes(more));
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight.dec_by(gauge_bytes(self.units));
    }
}

fn gauge_bytes(units: usize) -> i64 {
    i64::try_from(units.saturating_mul(UNIT)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_is_refused_when_the_rest_is_too_small_and_given_after_a_drop() {
        let gauge = Gauge::default();
        let room = Room::new(10 * UNIT, gauge.clone());
        let first = room.take(6 * UNIT).unwrap();
        assert_eq!(gauge.get(), 6 * 1024);
        assert_eq!(room.take(5 * UNIT).unwrap_err(), Full);
        drop(first);
        assert_eq!(gauge.get(), 0);
        room.take(10 * UNIT).unwrap();
    }

    #[test]
    fn a_place_grows_by_what_is_missing_alone() {
        let room = Room::new(3 * UNIT, Gauge::default());
        let mut place = room.take(1).unwrap();
        place.grow(UNIT).unwrap();
        place.grow(3 * UNIT).unwrap();
        assert_eq!(place.grow(3 * UNIT + 1).unwrap_err(), Full);
        drop(place);
        assert_eq!(room.free.available_permits(), 3);
    }
}
