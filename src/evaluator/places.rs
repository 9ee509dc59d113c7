//! How many processes evaluate at a time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::bounds::AT_A_TIME;

/// Those that are free.
#[derive(Debug)]
pub(super) struct Places {
    free: Mutex<usize>,
    left: Condvar,
}

/// One that is taken, until it is dropped.
pub(super) struct Place(Arc<Places>);

impl Default for Places {
    fn default() -> Self {
        Self { free: Mutex::new(AT_A_TIME), left: Condvar::new() }
    }
}

impl Places {
    /// Takes one, as soon as there is one: each is left within [`LONGEST`](super::bounds::LONGEST).
    pub(super) fn take(self: &Arc<Self>) -> Place {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.left.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(Arc::clone(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{TryRecvError, channel};

    use super::*;

    #[test]
    fn a_place_is_waited_for_and_given_on() {
        let places = Arc::<Places>::default();
        let mut taken: Vec<Place> = (0..AT_A_TIME).map(|_| places.take()).collect();
        let (tell, told) = channel();
        let another = Arc::clone(&places);
        let waiting = std::thread::spawn(move || {
            let place = another.take();
            tell.send(()).unwrap();
            place
        });
        assert_eq!((told.try_recv(), *places.free.lock().unwrap()), (Err(TryRecvError::Empty), 0));
        taken.pop();
        told.recv().unwrap();
        drop((waiting.join().unwrap(), taken));
        assert_eq!(*places.free.lock().unwrap(), AT_A_TIME);
    }
}
