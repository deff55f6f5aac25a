//! Jobs that end in a fate: run on tokio, in order within a key, their answers brought back to the worker.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::producer::Token;
use crate::task::{Deferred, Done, Job};

/// Runs jobs. Owned by one worker; the only thing that crosses threads is the answer.
pub(crate) struct Dispatcher {
    runtime: tokio::runtime::Handle,
    waiting: HashMap<Arc<str>, VecDeque<(Token, Job)>>,
    answers: Receiver<Answer>,
    answer_to: Sender<Answer>,
    outstanding: usize,
}

struct Answer {
    key: Arc<str>,
    token: Token,
    done: Done,
}

impl Dispatcher {
    pub(crate) fn new(runtime: tokio::runtime::Handle) -> Self {
        let (answer_to, answers) = channel();
        Self { runtime, waiting: HashMap::new(), answers, answer_to, outstanding: 0 }
    }

    /// Takes a job; it starts at once unless one of its key is under way.
    pub(crate) fn submit(&mut self, token: Token, deferred: Deferred) {
        self.outstanding += 1;
        match self.waiting.get_mut(&deferred.key) {
            Some(queue) => queue.push_back((token, deferred.job)),
            None => {
                self.waiting.insert(Arc::clone(&deferred.key), VecDeque::new());
                self.start(deferred.key, token, deferred.job);
            }
        }
    }

    fn start(&self, key: Arc<str>, token: Token, job: Job) {
        let answer_to = self.answer_to.clone();
        self.runtime.spawn(async move {
            let done = job.await;
            // The worker may have gone; then nobody waits for the answer and the record will be read again.
            drop(answer_to.send(Answer { key, token, done }));
        });
    }

    /// The next answer, if one has come; the next job of its key starts.
    pub(crate) fn answer(&mut self) -> Option<(Token, Done)> {
        let Answer { key, token, done } = self.answers.try_recv().ok()?;
        self.outstanding = self.outstanding.saturating_sub(1);
        match self.waiting.get_mut(&key).and_then(VecDeque::pop_front) {
            Some((next, job)) => self.start(key, next, job),
            None => {
                self.waiting.remove(&key);
            }
        }
        Some((token, done))
    }

    /// Jobs taken and not yet answered.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }
}
