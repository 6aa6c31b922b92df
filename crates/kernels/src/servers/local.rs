//! Servers in this process: whoever asks has the server work on its own thread.
use super::{Answer, Carrier, Request, Server};
use std::sync::{Arc, Mutex, PoisonError};

/// A replica's way to servers that all replicas of this process share.
pub(crate) struct Local<'r>(pub Arc<[Mutex<Server<'r>>]>);

impl Carrier for Local<'_> {
    fn servers(&self) -> usize {
        self.0.len()
    }

    fn ask(&mut self, server: usize, request: Request) -> Answer {
        self.0[server].lock().unwrap_or_else(PoisonError::into_inner).handle(request)
    }
}
