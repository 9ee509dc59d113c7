//! Golden cases (to come).
