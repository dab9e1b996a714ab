//! The search on one port: which question is put when, and what becomes of the answers.
//!
//! Questions are put in stages. A stage gives way to the next when each of its questions has its answer, or when its lead
//! is over; a question that is still open then goes on beside the later ones for as long as the caller's timeout says.
//! So a server that takes its time is heard out, and a silent port costs little more than one timeout. The first answer
//! that is understood ends the search.

use std::pin::Pin;
use std::time::Duration;

use bartizan_domain::evidence::service::{Access, ServiceDetails};
use bartizan_domain::evidence::{FailureKind, ProbeFailure, ServiceEvidence};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::wire::{self, Dialer, Ear, Layer};
use super::{
    ANSWER, Answer, Found, GREETING, HINTED_GREETING, OTHERS, Question, Reply, ask, binary, exchanges, hints,
    signatures, text,
};
use crate::Caution;

/// Whether an answer speaks of TLS, as those of a TLS port to plain HTTP do.
fn names_tls(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard).to_ascii_lowercase();
    ["https", "ssl", "tls"].iter().any(|name| text.contains(name))
}

type Asking<'c> = Pin<Box<dyn Future<Output = (Question, Answer)> + Send + 'c>>;

/// Questions that are put together.
struct Stage {
    /// Each with how long it waits for an answer.
    questions: Vec<(Question, Duration)>,
    /// How long the next stage is held back for them.
    lead: Duration,
    /// Whether what was met with silence before is asked once more.
    again: bool,
}

/// How a search ends before its questions do.
enum End {
    Found(Box<Found>),
    /// TLS answers; the search goes on inside.
    Tls,
}

/// What is known while a port is asked.
pub struct Search<'c> {
    dialer: Dialer<'c>,
    asking: FuturesUnordered<Asking<'c>>,
    asked: Vec<Question>,
    answered: Vec<Question>,
    /// Questions that nothing was said to.
    silent: Vec<Question>,
    /// What the peer says to nobody's question.
    listening: Ear,
    /// What was heard first and not understood.
    heard: Option<Vec<u8>>,
    /// Whether a greeting has begun and was waited for.
    is_greeting: bool,
    /// Whether a greeting that came late was listened to once more.
    listened_again: bool,
    connected: bool,
    failure: Option<ProbeFailure>,
}

/// Whether a question could not be put for trouble on this machine.
fn is_trouble(failure: &ProbeFailure) -> bool {
    failure.kind == FailureKind::Local
}

impl<'c> Search<'c> {
    /// A search over connections of `dialer`.
    pub fn new(dialer: Dialer<'c>) -> Self {
        Self {
            dialer,
            asking: FuturesUnordered::new(),
            asked: Vec::new(),
            answered: Vec::new(),
            silent: Vec::new(),
            listening: Ear::default(),
            heard: None,
            is_greeting: false,
            listened_again: false,
            connected: false,
            failure: None,
        }
    }

    /// Finds out what speaks; see [`super::identify`].
    pub async fn run(mut self) -> Result<Found, ProbeFailure> {
        let port = self.dialer.address.port();
        let spared = match self.dialer.cx.caution {
            Caution::Spare => hints().spare.iter().find(|spared| spared.ports.contains(&port)),
            Caution::AskEverything => None,
        };
        let stages = self.stages(spared.is_some());
        match self.through(stages).await {
            Some(End::Found(found)) => Ok(*found),
            Some(End::Tls) => self.inside().await,
            None => match self.failure {
                Some(failure) if !self.connected || is_trouble(&failure) => Err(failure),
                _ => Ok(self.unknown(spared.map(|spared| spared.reason.as_str()))),
            },
        }
    }

    /// The stages on an unencrypted port: what its number suggests, then a greeting and TLS, then HTTP, then everything
    /// else. A port that is to be spared is asked what its number suggests and listened to.
    fn stages(&self, is_spared: bool) -> Vec<Stage> {
        let (port, patience) = (self.dialer.address.port(), self.dialer.cx.timeout);
        let hinted = hints().hints.iter().filter(|(_, ports)| ports.contains(&port)).map(|(question, _)| {
            let lead = if *question == Question::Greeting { HINTED_GREETING } else { ANSWER };
            Stage { questions: vec![(*question, patience)], lead, again: false }
        });
        let mut stages: Vec<Stage> = hinted.collect();
        let listening = (Question::Greeting, GREETING.min(patience));
        if is_spared {
            stages.push(Stage { questions: vec![listening], lead: GREETING, again: false });
            return stages;
        }
        let hello = (Question::Tls, ANSWER.min(patience));
        stages.push(Stage { questions: vec![listening, hello], lead: GREETING, again: false });
        stages.push(Stage { questions: vec![(Question::Http, patience)], lead: ANSWER, again: false });
        let mut others = self.others();
        // A handshake that takes long, such as on a small device, has until then.
        others.questions.push((Question::Tls, self.rest_of_patience()));
        stages.push(others);
        stages.push(self.exchanges());
        stages
    }

    /// How long HTTP is waited for beyond its lead.
    fn rest_of_patience(&self) -> Duration {
        let patience = self.dialer.cx.timeout;
        patience.saturating_sub(ANSWER).max(ANSWER.min(patience))
    }

    /// What is usual, for as long as HTTP is waited for anyway.
    fn others(&self) -> Stage {
        let wait = self.rest_of_patience();
        let questions = OTHERS.into_iter().map(|question| (question, wait)).collect();
        Stage { questions, lead: ANSWER.min(wait), again: true }
    }

    /// What is rarer, for the rest of that time.
    fn exchanges(&self) -> Stage {
        let wait = self.rest_of_patience().saturating_sub(ANSWER).max(ANSWER.min(self.dialer.cx.timeout));
        let questions = exchanges::EVERYWHERE.map(|protocol| (Question::Exchange(protocol), wait)).to_vec();
        Stage { questions, lead: wait, again: false }
    }

    /// The search behind TLS.
    async fn inside(self) -> Result<Found, ProbeFailure> {
        let mut search = Search::new(Dialer { layer: Layer::Tls, ..self.dialer });
        let patience = search.dialer.cx.timeout;
        let first = vec![(Question::Greeting, GREETING.min(patience)), (Question::Http, patience)];
        // A handshake that no client of ours can complete (SSL 3.0, a client certificate demanded) says nothing about what
        // runs inside; the search ends with it.
        let stages = vec![Stage { questions: first, lead: ANSWER, again: false }, search.others(), search.exchanges()];
        let mut found = match Box::pin(search.through(stages)).await {
            Some(End::Found(found)) => *found,
            Some(End::Tls) | None => match search.failure.take_if(|failure| is_trouble(failure)) {
                Some(trouble) => return Err(trouble),
                None => search.unknown(None),
            },
        };
        found.evidence.tls = true;
        Ok(found)
    }

    async fn through(&mut self, stages: Vec<Stage>) -> Option<End> {
        for stage in stages {
            let mut open = Vec::new();
            for (question, wait) in stage.questions {
                let is_due = !self.asked.contains(&question) || (stage.again && self.silent.contains(&question));
                if is_due {
                    self.put(question, wait);
                    open.push(question);
                }
            }
            let mut until = Instant::now() + stage.lead;
            while !open.is_empty() {
                match timeout_at(until, self.asking.next()).await {
                    Ok(Some((question, answer))) => {
                        open.retain(|one| *one != question);
                        if let Some(end) = self.take(question, answer).await {
                            return Some(end);
                        }
                    }
                    // A greeting has begun: whoever greets is not asked in other protocols meanwhile.
                    Err(_) if open.contains(&Question::Greeting) && !self.is_greeting => {
                        self.is_greeting = text::recognise(&self.listening.heard()).is_some();
                        if !self.is_greeting {
                            break;
                        }
                        open.retain(|one| *one == Question::Greeting);
                        until = Instant::now() + self.dialer.cx.timeout;
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            // Nobody is there any more.
            if !self.connected && self.failure.is_some() && self.asking.is_empty() {
                return None;
            }
        }
        while let Some((question, answer)) = self.asking.next().await {
            if let Some(end) = self.take(question, answer).await {
                return Some(end);
            }
        }
        None
    }

    fn put(&mut self, question: Question, wait: Duration) {
        self.asked.push(question);
        let dialer = self.dialer.for_question(wait);
        if question == Question::Greeting {
            self.listening = dialer.ear.clone();
        }
        self.asking.push(Box::pin(async move { (question, ask(&dialer, question).await) }));
    }

    async fn take(&mut self, question: Question, Answer { reply, heard }: Answer) -> Option<End> {
        self.answered.push(question);
        self.connected |= reply.is_ok();
        match reply {
            Ok(Reply::Found(evidence)) => self.settle(Found { evidence: *evidence, heard }).await,
            Ok(Reply::Tls) => Some(End::Tls),
            Ok(Reply::NotUnderstood) => {
                self.heard.get_or_insert_with(|| heard.clone());
                self.overheard(question, heard).await
            }
            Ok(Reply::Nothing) => {
                self.silent.push(question);
                None
            }
            Err(failure) => {
                // Trouble on this machine stands: the question that was not put may be the one that would be answered.
                if !self.failure.as_ref().is_some_and(is_trouble) {
                    self.failure = Some(failure);
                }
                None
            }
        }
    }

    /// An HTTP answer that may come from a TLS port is checked before it stands: a 400 to plain HTTP may be a TLS port
    /// complaining, and every server that complains does so with that status.
    async fn settle(&mut self, found: Found) -> Option<End> {
        let is_doubtful = matches!(found.evidence.details, ServiceDetails::Http { status: 400, .. });
        if is_doubtful && self.dialer.layer == Layer::Plain && self.speaks_tls(&found).await {
            return Some(End::Tls);
        }
        Some(End::Found(Box::new(found)))
    }

    /// Whether a port that complained in HTTP answers to a hello of TLS: to the one that is under way or, where that got no
    /// answer and the complaint names TLS, to another one. Who answers a hello in the words of HTTP does not speak TLS.
    async fn speaks_tls(&mut self, complaint: &Found) -> bool {
        let mut unanswered = self.answered.contains(&Question::Tls);
        let mut failed = false;
        while self.asked.contains(&Question::Tls) && !unanswered {
            match self.asking.next().await {
                Some((Question::Tls, Answer { reply, .. })) => {
                    if matches!(reply, Ok(Reply::Tls)) {
                        return true;
                    }
                    (unanswered, failed) = (true, reply.is_err());
                }
                Some(_) => {}
                None => unanswered = true,
            }
        }
        // A failure says nothing about the peer.
        if unanswered && !failed && !names_tls(&complaint.heard) {
            return false;
        }
        let dialer = self.dialer.for_question(self.dialer.cx.timeout);
        let mut hello = std::pin::pin!(ask(&dialer, Question::Tls));
        if !names_tls(&complaint.heard) {
            // Whoever reads lines may take a hello for the beginning of one, and say nothing before it ends.
            tokio::select! {
                biased;
                hello = &mut hello => return matches!(hello.reply, Ok(Reply::Tls)),
                is_http = binary::takes_hello_for_http(&dialer) => if is_http {
                    return false;
                },
            }
        }
        matches!(hello.await.reply, Ok(Reply::Tls))
    }

    /// What another question was answered with may be a greeting that came late. Its server is listened to once more, as
    /// long as the caller's timeout says, because the questions that follow a greeting can only be put on a connection
    /// on which nothing else was said.
    async fn overheard(&mut self, question: Question, heard: Vec<u8>) -> Option<End> {
        let end = |evidence, heard| Some(End::Found(Box::new(Found { evidence, heard })));
        if question == Question::Greeting || self.listened_again {
            return None;
        }
        if let Some(evidence) = signatures::by_greeting(&heard).or_else(|| exchanges::greeted(&heard)) {
            return end(evidence, heard);
        }
        let greeting = text::recognise(&heard)?;
        self.listened_again = true;
        let again = ask(&self.dialer.for_question(self.dialer.cx.timeout), Question::Greeting).await;
        match again.reply {
            Ok(Reply::Found(evidence)) => end(*evidence, again.heard),
            _ => text::overheard(greeting, &heard, self.dialer.layer).and_then(|evidence| end(evidence, heard)),
        }
    }

    /// Evidence of something that was heard at most, with why it is not known what.
    fn unknown(&self, why: Option<&str>) -> Found {
        let reason = match &self.failure {
            Some(failure) if !self.connected => failure.to_string(),
            _ => why.unwrap_or("no protocol that is known here was answered").to_owned(),
        };
        let evidence = ServiceEvidence {
            banner: self.heard.as_deref().and_then(wire::banner),
            access: Access::Unknown { reason },
            ..ServiceEvidence::default()
        };
        Found { evidence, heard: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_ports_of_tls_name_it() {
        for body in [
            "<center>The plain HTTP request was sent to HTTPS port</center>",
            "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
            "Client sent an HTTP request to an HTTPS server.",
            "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
        ] {
            assert!(names_tls(format!("HTTP/1.1 400 Bad Request\r\n\r\n{body}").as_bytes()), "{body}");
        }
        assert!(!names_tls(
            b"HTTP/1.1 400 Bad Request\r\nServer: tinyproxy/1.11.1\r\n\r\nYou tried to connect to the proxy"
        ));
    }
}
