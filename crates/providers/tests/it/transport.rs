//! Requests over real sockets: what surely never left, what may have arrived, and never a second
//! one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use ringfence_providers::{HttpTransport, Transport, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn post(port: u16) -> Request<Bytes> {
    Request::builder()
        .method("POST")
        .uri(format!("http://127.0.0.1:{port}/call"))
        .body(Bytes::from_static(b"{}"))
        .expect("a request")
}

/// Answers every connection with these bytes and closes it; how many requests came.
async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            if stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::SeqCst);
                drop(stream.write_all(answer.as_bytes()).await);
            }
        }
    });
    (port, requests)
}

#[tokio::test]
async fn a_refused_connection_surely_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = HttpTransport::new(None).expect("a client").send(post(port)).await.expect_err("nobody listens");
    assert!(matches!(error, WireError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn a_broken_answer_is_in_doubt_and_nothing_is_sent_twice() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"success\": tr", "garbage\r\n\r\n"] {
        let (port, requests) = server(answer).await;
        let error = HttpTransport::new(None).expect("a client").send(post(port)).await.expect_err(answer);
        assert!(matches!(error, WireError::Broken(_)), "{answer}: {error:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{answer}");
    }
}

#[tokio::test]
async fn redirects_and_errors_are_answers_and_nothing_is_sent_twice() {
    for (answer, status) in [
        ("HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", 307),
        ("HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n", 503),
    ] {
        let (port, requests) = server(answer).await;
        let response = HttpTransport::new(None).expect("a client").send(post(port)).await.expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{answer}");
    }
}

/// A connection that was kept may be closed by the vendor while the next request is on it: nobody
/// knows whether it was acted upon.
#[tokio::test]
async fn a_request_on_a_connection_that_is_closed_meanwhile_is_in_doubt_and_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let mut head = [0; 1024];
                // The first on each connection is answered, and the connection kept.
                while stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    if count.fetch_add(1, Ordering::SeqCst) > 0 || stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let client = HttpTransport::new(None).expect("a client");
    client.send(post(port)).await.expect("an answer");
    let error = client.send(post(port)).await.expect_err("it is closed");
    assert!(matches!(error, WireError::Broken(_)), "{error:?}");
    assert_eq!(requests.load(Ordering::SeqCst), 2, "nothing is sent twice");
}
