//! What has to happen once before the first readiness, beyond what the judge needs.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// Open, or closed with a reason in words. Clones share it. Once open it stays open.
#[derive(Clone, Debug)]
pub struct Gate {
    closed: Arc<ArcSwapOption<String>>,
}

impl Gate {
    /// One that is open from the start.
    pub fn opened() -> Self {
        Self { closed: Arc::new(ArcSwapOption::empty()) }
    }

    /// One that is closed.
    pub fn closed(because: &str) -> Self {
        Self { closed: Arc::new(ArcSwapOption::from_pointee(because.to_owned())) }
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.closed.store(None);
    }

    /// Says why it is closed; nothing if it is open.
    pub fn close(&self, because: &str) {
        self.closed.rcu(|closed| closed.as_ref().map(|_| Arc::new(because.to_owned())));
    }

    /// Why it is closed, if it is.
    pub fn because(&self) -> Option<Arc<String>> {
        self.closed.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_gate_never_closes_again() {
        let gate = Gate::closed("a");
        gate.close("b");
        assert_eq!(gate.because().unwrap().as_str(), "b");
        gate.open();
        gate.close("c");
        assert_eq!(gate.because(), None);
    }
}
