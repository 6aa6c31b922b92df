//! Servers in this process: whoever asks has the server work on its own thread.
use super::{Carrier, Server};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// A replica's way to servers that all replicas of this process share.
pub(crate) struct Local<'r> {
    servers: Arc<[Mutex<Server<'r>>]>,
    /// By server.
    answers: Vec<VecDeque<Vec<u8>>>,
}

impl<'r> Local<'r> {
    pub fn new(servers: Arc<[Mutex<Server<'r>>]>) -> Local<'r> {
        let answers = servers.iter().map(|_| VecDeque::new()).collect();
        Local { servers, answers }
    }
}

impl Carrier for Local<'_> {
    fn servers(&self) -> usize {
        self.servers.len()
    }

    fn ask(&mut self, server: usize, request: Vec<u8>) {
        let answer = self.servers[server].lock().unwrap_or_else(PoisonError::into_inner).handle(&request);
        self.answers[server].push_back(answer.expect("a request of this process"));
    }

    fn answer(&mut self, server: usize) -> Vec<u8> {
        self.answers[server].pop_front().expect("a request before each answer")
    }
}
