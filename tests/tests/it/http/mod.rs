//! HTTP inwards, over real sockets.

mod callbacks;
