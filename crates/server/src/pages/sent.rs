//! What a form of a page sends.

use axum::extract::{Form, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::PageError;
use crate::Server;

/// The fields of a form. What cannot be read is told on a page.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Server> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Response> {
        match Form::<T>::from_request(request, server).await {
            Ok(Form(form)) => Ok(Self(form)),
            Err(error) => {
                let says = format!("the form cannot be read: {}", error.body_text());
                Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says).into_response())
            }
        }
    }
}
