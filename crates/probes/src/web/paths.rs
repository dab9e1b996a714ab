//! Paths below the root, and the random paths that give their answers a meaning.

use bartizan_domain::evidence::web::{
    Baseline, BaselineAnswer, BodyFacts, PathAnswer, PathProbe, PathShape, SecurityTxtAnswer, SecurityTxtEvidence,
};
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure, Scheme, WebEvidence};
use bartizan_outbound::http::{Request, Response};
use url::Url;

use super::response::{body_facts, charset, media_type};
use super::session::Session;
use super::shapes::{self, Expect, GitHead};
use super::{document, security_txt};

/// Bytes of a probed file read at most.
const MAX_FILE: usize = 64 * 1024;
/// Redirects followed to a security contact file.
const MAX_REDIRECTS: u32 = 5;

const PATHS: &[(&str, Expect)] = &[
    ("/.git/HEAD", Expect::GitHead),
    ("/.git/config", Expect::GitConfig),
    ("/.svn/entries", Expect::SvnEntries),
    ("/.svn/wc.db", Expect::SvnDatabase),
    ("/.hg/requires", Expect::Hg),
    ("/.env", Expect::Env),
    ("/.env.local", Expect::Env),
    ("/.env.production", Expect::Env),
    ("/.env.bak", Expect::Env),
];

/// Fills `baseline`, `paths` and `security_txt` of `evidence`.
pub async fn probe(session: &mut Session<'_>, evidence: &mut WebEvidence) {
    let known = match baseline(session).await {
        Ok(known) => known,
        Err(failure) => {
            evidence.baseline = Observation::Failed(failure.clone());
            evidence.paths = Observation::Failed(failure.clone());
            evidence.security_txt = Observation::Failed(failure);
            return;
        }
    };
    if evidence.scheme == Scheme::Http && known.all_to_https {
        let reason = "every path redirects to HTTPS";
        evidence.paths = Observation::NotApplicable { reason: reason.to_owned() };
        evidence.security_txt = Observation::NotApplicable { reason: reason.to_owned() };
    } else {
        evidence.paths = Observation::Observed(files(session, &known.facts).await);
        evidence.security_txt = Observation::Observed(SecurityTxtEvidence {
            well_known: contact_file(session, &known.facts, "/.well-known/security.txt").await.into(),
            legacy: contact_file(session, &known.facts, "/security.txt").await.into(),
        });
    }
    evidence.baseline = Observation::Observed(known.facts);
}

struct Known {
    facts: Baseline,
    all_to_https: bool,
}

async fn baseline(session: &mut Session<'_>) -> Result<Known, ProbeFailure> {
    let word = |length: usize| {
        let random = rand::random::<u64>();
        format!("{random:016x}").chars().take(length).collect::<String>()
    };
    let asked =
        [("/<random>", format!("/{}", word(16))), ("/.<random>/<random>", format!("/.{}/{}", word(8), word(8)))];
    let mut facts = Baseline::default();
    let mut all_to_https = true;
    for (kind, path) in asked {
        let response = session.ask(&Request::get(path.clone(), MAX_FILE)).await?;
        all_to_https &= leads_to_https(session, &response);
        facts.soft_404 |= response.status.is_success() || response.status.is_redirection();
        if facts.signature.is_none() {
            facts.signature = document::signature(&response.body);
        }
        facts.answers.push(BaselineAnswer {
            kind: kind.to_owned(),
            status: response.status.as_u16(),
            content_type: media_type(&response),
            body: body_facts(&response, &without(&response.body, &path)),
        });
    }
    Ok(Known { facts, all_to_https })
}

fn leads_to_https(session: &Session<'_>, response: &Response) -> bool {
    response.status.is_redirection()
        && response
            .headers
            .get(http::header::LOCATION)
            .and_then(|value| session.root().join(&String::from_utf8_lossy(value.as_bytes())).ok())
            .is_some_and(|target| target.scheme() == "https")
}

async fn files(session: &mut Session<'_>, baseline: &Baseline) -> Vec<PathProbe> {
    let mut probes = Vec::new();
    let mut head = None;
    for (path, expect) in PATHS {
        let (probe, body) = file(session, baseline, path, path, *expect).await;
        if let (Expect::GitHead, Some(body)) = (expect, body)
            && matches!(&probe.answer, Observation::Observed(answer) if answer.shape == PathShape::GitHead)
        {
            head = std::str::from_utf8(&body).ok().and_then(shapes::git_head);
        }
        probes.push(probe);
    }
    if let Some(head) = head {
        objects(session, baseline, head, &mut probes).await;
    }
    probes
}

/// Whether objects of the repository can be fetched: the object the head points to, or else a list of packs. One
/// object's first bytes are enough of a proof.
async fn objects(session: &mut Session<'_>, baseline: &Baseline, head: GitHead, probes: &mut Vec<PathProbe>) {
    let id = match head {
        GitHead::Object(id) => Some(id),
        GitHead::Reference(reference) => {
            let path = format!("/.git/{reference}");
            let (probe, body) = file(session, baseline, &path, "/.git/<ref>", Expect::GitRef).await;
            let found = matches!(&probe.answer, Observation::Observed(answer) if answer.shape == PathShape::GitRef);
            probes.push(probe);
            body.filter(|_| found).and_then(|body| std::str::from_utf8(&body).ok().and_then(shapes::object_id))
        }
    };
    if let Some(id) = id {
        let path = format!("/.git/objects/{}/{}", &id[..2], &id[2..]);
        let (probe, _) = file(session, baseline, &path, "/.git/objects/<id>", Expect::GitObject).await;
        let found = matches!(&probe.answer, Observation::Observed(answer) if answer.shape == PathShape::GitObject);
        probes.push(probe);
        if found {
            return;
        }
    }
    let packs = "/.git/objects/info/packs";
    probes.push(file(session, baseline, packs, packs, Expect::GitPacks).await.0);
}

/// Asks for one file. `label` stands in the evidence in place of the path where that would repeat content.
async fn file(
    session: &mut Session<'_>,
    baseline: &Baseline,
    path: &str,
    label: &str,
    expect: Expect,
) -> (PathProbe, Option<Vec<u8>>) {
    // Of an object only the first bytes are looked at, so only they are fetched.
    let limit = if expect == Expect::GitObject { 64 } else { MAX_FILE };
    match session.ask(&Request::get(path, limit)).await {
        Err(failure) => (PathProbe { path: label.to_owned(), answer: Observation::Failed(failure) }, None),
        Ok(response) => {
            let answer = answer(baseline, path, expect, &response);
            let probe = PathProbe { path: label.to_owned(), answer: Observation::Observed(answer) };
            (probe, response.status.is_success().then_some(response.body))
        }
    }
}

fn answer(baseline: &Baseline, path: &str, expect: Expect, response: &Response) -> PathAnswer {
    let facts = body_facts(response, &without(&response.body, path));
    let content_type = media_type(response);
    let equals_baseline = equals(baseline, response, content_type.as_deref(), &facts);
    let readable = response.status.is_success() && facts.encoding.is_none();
    let shape = if readable { shapes::shape(expect, &response.body) } else { PathShape::Other };
    // A hash of a small secret file could be searched for; structure is all that is kept of it.
    let secret = matches!(shape, PathShape::Env { .. } | PathShape::GitConfig { .. } | PathShape::GitRef);
    PathAnswer {
        status: response.status.as_u16(),
        content_type,
        body: if secret { BodyFacts { sha256: String::new(), ..facts } } else { facts },
        equals_baseline,
        shape,
    }
}

/// Whether the answer is what the site says to a path that does not exist: the same status and type, and the same
/// body or, for pages with changing parts, again a page.
fn equals(baseline: &Baseline, response: &Response, content_type: Option<&str>, facts: &BodyFacts) -> bool {
    let html = document::starts_like_html(&response.body);
    baseline.answers.iter().any(|known| {
        known.status == response.status.as_u16()
            && known.content_type.as_deref() == content_type
            && (known.body.sha256 == facts.sha256 || html)
    })
}

/// `body` without the path asked for, which error pages like to repeat.
fn without(body: &[u8], path: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let cut = text.replace(path, "");
    // Single-page applications and error handlers repeat it in other spellings too.
    path.split('/').filter(|part| part.len() >= 4).fold(cut, |text, part| text.replace(part, "")).into_bytes()
}

async fn contact_file(
    session: &mut Session<'_>,
    baseline: &Baseline,
    path: &str,
) -> Result<SecurityTxtAnswer, ProbeFailure> {
    let start: Url = session
        .root()
        .join(path)
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("`{path}` as a URL: {error}")))?;
    let steps = session.walk(&start, MAX_FILE, MAX_REDIRECTS).await?;
    let redirects = u32::try_from(steps.len()).unwrap_or(u32::MAX) - 1;
    let Some(last) = steps.last() else {
        unreachable!("a walk that did not fail has at least its first step");
    };
    let response = &last.response;
    let content_type = media_type(response);
    let facts = body_facts(response, &without(&response.body, path));
    let is_html = document::starts_like_html(&response.body);
    let equals_baseline = equals(baseline, response, content_type.as_deref(), &facts);
    let readable = response.status.as_u16() == 200 && facts.encoding.is_none() && last.redirect.is_none();
    let file = (readable && !equals_baseline && !is_html)
        .then(|| security_txt::read(&String::from_utf8_lossy(&response.body)))
        .filter(security_txt::is_one);
    Ok(SecurityTxtAnswer {
        url: super::redact::url(&last.url),
        status: response.status.as_u16(),
        redirects,
        charset: charset(response),
        content_type,
        equals_baseline,
        is_html,
        file,
    })
}
