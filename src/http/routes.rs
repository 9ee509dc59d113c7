//! The paths of the webhook, and what the others get.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    routing::any,
};

use super::{
    error::{HttpError, refuse_stranger},
    judge::Endpoint,
    review::Desk,
};

/// Every path that the API server calls. A new webhook is a new line.
pub const ROUTES: [(&str, Endpoint); 6] = [
    ("/mutate", Endpoint::Mutate),
    ("/mutate/required", Endpoint::MutateRequired),
    ("/validate", Endpoint::Validate),
    ("/validate/required", Endpoint::ValidateRequired),
    ("/templates", Endpoint::Templates),
    ("/allow-list", Endpoint::AllowList),
];

/// The path of the exec door.
pub const EXEC: (&str, Endpoint) = ("/exec", Endpoint::Exec);

/// The routes, each to the same `desk`.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    let exec = desk.guards_ways_in().then_some(EXEC);
    ROUTES
        .into_iter()
        .chain(exec)
        .fold(Router::new(), |router, (path, endpoint)| {
            router.route(
                path,
                any(move |State(desk): State<Arc<Desk>>, request: Request| async move { desk.answer(endpoint, request).await }),
            )
        })
        .fallback(|State(desk): State<Arc<Desk>>, request: Request| async move {
            let unknown = || HttpError::UnknownPath { path: request.uri().path().to_owned(), known: known() };
            let error = refuse_stranger(request.extensions()).err().unwrap_or_else(unknown);
            desk.turn_away(&error, request)
        })
        .with_state(desk)
}

fn known() -> String {
    ROUTES.map(|(path, _)| path).join(", ")
}
