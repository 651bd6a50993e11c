//! A vendor that gives prepared answers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ringfence_providers::{Budget, Transport, WireError};

/// Gives prepared answers, and keeps what was asked.
#[derive(Debug, Default)]
pub(super) struct Script {
    answers: Mutex<Vec<Result<Response<Bytes>, WireError>>>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Script {
    pub(super) fn of(answers: Vec<Result<Response<Bytes>, WireError>>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().rev().collect());
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    pub(super) fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut *self.asked.lock().expect("free"))
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        self.asked.lock().expect("free").push(request);
        self.answers.lock().expect("free").pop().expect("no more requests than answers")
    }
}

/// Questions cost nothing.
pub(super) struct Free;

#[async_trait]
impl Budget for Free {
    async fn take(&self) {}
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are written where they are used")]
pub(super) fn answer(status: u16, body: impl ToString) -> Result<Response<Bytes>, WireError> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status.try_into().expect("a status");
    Ok(response)
}
