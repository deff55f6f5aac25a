//! Jobs that end in a fate: run on tokio, in order within a key, their answers brought back to the worker.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::task::AbortHandle;

use crate::producer::Token;
use crate::task::{Deferred, Done, Job};

/// So many keys may have work for each delivery that a role may have under way: a key whose job waits for its next try takes
/// a place here and none at the destination.
const LANES: usize = 8;
/// And so many jobs, those behind others of their key included: what they hold is memory.
const JOBS: usize = 64;

/// Runs jobs. Owned by one worker; the only thing that crosses threads is the answer.
pub(crate) struct Dispatcher {
    runtime: tokio::runtime::Handle,
    lanes: HashMap<Arc<str>, Lane>,
    answers: Receiver<Answer>,
    answer_to: Sender<Answer>,
    outstanding: usize,
}

/// The jobs of one key: one under way, the others behind it.
struct Lane {
    token: Token,
    abort: AbortHandle,
    waiting: VecDeque<(Token, Job)>,
}

struct Answer {
    key: Arc<str>,
    token: Token,
    done: Done,
}

impl Dispatcher {
    pub(crate) fn new(runtime: tokio::runtime::Handle) -> Self {
        let (answer_to, answers) = channel();
        Self { runtime, lanes: HashMap::new(), answers, answer_to, outstanding: 0 }
    }

    /// Takes a job; it starts at once unless one of its key is under way.
    pub(crate) fn submit(&mut self, token: Token, deferred: Deferred) {
        self.outstanding += 1;
        match self.lanes.get_mut(&deferred.key) {
            Some(lane) => lane.waiting.push_back((token, deferred.job)),
            None => self.start(deferred.key, token, deferred.job, VecDeque::new()),
        }
    }

    fn start(&mut self, key: Arc<str>, token: Token, job: Job, waiting: VecDeque<(Token, Job)>) {
        let answer_to = self.answer_to.clone();
        let name = Arc::clone(&key);
        let task = self.runtime.spawn(async move {
            let done = job.await;
            // The worker may have gone; then nobody waits for the answer and the record will be read again.
            drop(answer_to.send(Answer { key: name, token, done }));
        });
        self.lanes.insert(key, Lane { token, abort: task.abort_handle(), waiting });
    }

    /// The next answer, if one has come; the next job of its key starts.
    pub(crate) fn answer(&mut self) -> Option<(Token, Done)> {
        loop {
            let Answer { key, token, done } = self.answers.try_recv().ok()?;
            // An answer that was on its way when its job was abandoned.
            if self.lanes.get(&key).is_none_or(|lane| lane.token != token) {
                continue;
            }
            self.outstanding = self.outstanding.saturating_sub(1);
            self.next_in_lane(&key);
            return Some((token, done));
        }
    }

    fn next_in_lane(&mut self, key: &Arc<str>) {
        let Some(mut lane) = self.lanes.remove(key) else { return };
        if let Some((token, job)) = lane.waiting.pop_front() {
            self.start(Arc::clone(key), token, job, lane.waiting);
        }
    }

    /// Gives up every job whose token is meant: under way or waiting. Their records have no fate here; whoever takes their
    /// partition over delivers them again, under the same idempotency key.
    pub(crate) fn abandon(&mut self, meant: impl Fn(Token) -> bool) {
        let keys: Vec<Arc<str>> = self.lanes.keys().cloned().collect();
        for key in keys {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            let before = lane.waiting.len();
            lane.waiting.retain(|(token, _)| !meant(*token));
            self.outstanding = self.outstanding.saturating_sub(before - lane.waiting.len());
            if meant(lane.token) {
                lane.abort.abort();
                self.outstanding = self.outstanding.saturating_sub(1);
                self.next_in_lane(&key);
            }
        }
    }

    /// Jobs taken and not yet answered.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// True when no more should be read, for a role with so many deliveries at once. What waits behind its own key is bounded
    /// by memory alone, so that one key that gets nowhere does not stop the others.
    pub(crate) fn is_full(&self, deliveries: usize) -> bool {
        self.lanes.len() >= deliveries * LANES || self.outstanding >= deliveries * JOBS
    }

    /// True when half of what is allowed is done.
    pub(crate) fn has_room(&self, deliveries: usize) -> bool {
        self.lanes.len() * 2 <= deliveries * LANES && self.outstanding * 2 <= deliveries * JOBS
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::Fate;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    fn done() -> Done {
        Done { fate: Fate::Forwarded, park: None }
    }

    fn wait(dispatcher: &mut Dispatcher) -> Token {
        loop {
            if let Some((token, _)) = dispatcher.answer() {
                return token;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn jobs_of_one_key_run_one_after_the_other_in_the_order_of_the_log() {
        let runtime = runtime();
        let mut dispatcher = Dispatcher::new(runtime.handle().clone());
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        for number in 0..20_u64 {
            let log = Arc::clone(&log);
            let job: Job = Box::pin(async move {
                tokio::task::yield_now().await;
                log.lock().unwrap().push(number);
                done()
            });
            dispatcher.submit(Token::new(1, number), Deferred { key: "alert-1".into(), job });
        }
        for number in 0..20 {
            assert_eq!(wait(&mut dispatcher), Token::new(1, number));
        }
        assert_eq!(*log.lock().unwrap(), (0..20).collect::<Vec<_>>());
        assert_eq!(dispatcher.outstanding(), 0);
    }

    #[test]
    fn what_waits_behind_its_own_key_fills_nothing_until_it_is_very_much() {
        let runtime = runtime();
        let mut dispatcher = Dispatcher::new(runtime.handle().clone());
        let submit = |dispatcher: &mut Dispatcher, key: &str, number: usize| {
            let token = Token::new(1, u64::try_from(number).unwrap());
            dispatcher.submit(token, Deferred { key: key.into(), job: Box::pin(pending()) });
        };
        for number in 0..JOBS * 2 - 1 {
            submit(&mut dispatcher, "stuck", number);
            assert!(!dispatcher.is_full(2), "{number}");
        }
        submit(&mut dispatcher, "stuck", JOBS * 2);
        assert!(dispatcher.is_full(2) && !dispatcher.has_room(2));
        dispatcher.abandon(|token| token.parts().is_some_and(|(_, at)| at >= 10));
        assert!(dispatcher.has_room(2));
        for number in 1..LANES * 2 {
            assert!(!dispatcher.is_full(2));
            submit(&mut dispatcher, &format!("key-{number}"), 1_000 + number);
        }
        assert!(dispatcher.is_full(2) && !dispatcher.has_room(2), "keys with work");
    }

    #[test]
    fn a_job_that_hangs_is_abandoned_with_its_partition_and_the_others_go_on() {
        let runtime = runtime();
        let mut dispatcher = Dispatcher::new(runtime.handle().clone());
        dispatcher.submit(Token::new(1, 0), Deferred { key: "a".into(), job: Box::pin(pending()) });
        dispatcher.submit(Token::new(1, 1), Deferred { key: "a".into(), job: Box::pin(async { done() }) });
        dispatcher.submit(Token::new(2, 0), Deferred { key: "a".into(), job: Box::pin(async { done() }) });
        dispatcher.abandon(|token| token.parts().is_some_and(|(slot, _)| slot == 1));
        assert_eq!(dispatcher.outstanding(), 1);
        assert_eq!(wait(&mut dispatcher), Token::new(2, 0));
        assert_eq!(dispatcher.outstanding(), 0);
    }
}
