//! Countersign as a real kube-apiserver sees it: the project's own manifests (only `clientConfig` is replaced), the real binary
//! with the rights of its service account, real TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod allow_list;
mod certificates;
mod coverage;
mod doctor;
mod exec_door;
mod fleet;
mod golden;
mod main_job;
mod modes;
mod own_files;
mod pods;
mod policies;
mod rights;
mod service_name;
mod site;
mod templates;
mod ways_in;
mod webhook_down;
