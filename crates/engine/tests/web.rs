//! Web sites of the lab, probed over real connections and judged by the real checks: every case yields exactly the
//! findings it was made for, and nothing secret is kept.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bartizan_catalog::{Catalog, Category};
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::web::RedirectDecision;
use bartizan_domain::evidence::{
    AtEndpoint, Endpoint, FailureKind, HostEvidence, Observation, ProbeFailure, Scheme, Section, WebEvidence,
};
use bartizan_domain::{AssetRef, Outcome, Severity, Verdict};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use bartizan_probes::web::WebOptions;
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::web::sites::{self, COOKIE_VALUE, ENV_VALUE, HOST};
use bartizan_test_support::lab::web::{Answer, Over, serve, serve_on};
use bartizan_test_support::lab::web_servers::{Setup, apache, nginx};
use chrono::{DateTime, Utc};

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-22T03:00:00Z").unwrap().to_utc()
}

fn context() -> ProbeContext {
    let settings = Settings { policy: Policy { allow_private: true }, ..Settings::default() };
    ProbeContext::new(Outbound::new(settings), Arc::new(FixedClock::at(now())))
}

async fn gather(address: SocketAddr, over: Over, host: &str, options: &WebOptions) -> AtEndpoint<WebEvidence> {
    let endpoint = Endpoint::tcp(address.ip(), address.port());
    let scheme = if over == Over::Tls { Scheme::Https } else { Scheme::Http };
    let observation = bartizan_probes::web::gather(&context(), &endpoint, scheme, host, options).await;
    AtEndpoint { endpoint, observation }
}

fn host_of(items: Vec<AtEndpoint<WebEvidence>>) -> HostEvidence {
    let mut host = HostEvidence::new(AssetRef::Domain(HOST.to_owned()), now());
    host.web = Section::complete(items);
    host
}

async fn host(address: SocketAddr, over: Over) -> HostEvidence {
    host_of(vec![gather(address, over, HOST, &WebOptions::default()).await])
}

fn verdicts(host: &HostEvidence) -> Vec<Verdict> {
    let catalog = Catalog::builtin();
    let selection = Selection::filter(catalog, |meta| meta.category == Category::Web);
    judge(catalog, &selection, host, &JudgeSettings::default())
}

fn failed(verdicts: &[Verdict]) -> Vec<&str> {
    let ids: BTreeSet<&str> =
        verdicts.iter().filter(|v| v.outcome == Outcome::Fail).map(|v| v.check_id.as_str()).collect();
    ids.into_iter().collect()
}

fn of<'v>(verdicts: &'v [Verdict], id: &str) -> &'v Verdict {
    verdicts.iter().find(|verdict| verdict.check_id.as_str() == id).unwrap()
}

#[tokio::test]
async fn every_case_yields_exactly_its_findings_and_keeps_no_secret() {
    let mut wrong = Vec::new();
    for case in sites::cases() {
        let site = serve(case.over, case.handler).await;
        let host = host(site.address, case.over).await;
        let verdicts = verdicts(&host);
        if failed(&verdicts) != case.expected {
            let detail: Vec<_> = verdicts.iter().filter(|v| v.outcome == Outcome::Fail).collect();
            wrong.push(format!("{}: expected {:?}, got {detail:#?}", case.name, case.expected));
        }
        let errors: Vec<_> = verdicts.iter().filter(|v| !v.outcome.is_conclusive()).collect();
        if !errors.is_empty() {
            wrong.push(format!("{}: inconclusive {errors:#?}", case.name));
        }
        for stored in [serde_json::to_string(&host).unwrap(), serde_json::to_string(&verdicts).unwrap()] {
            assert!(!stored.contains(COOKIE_VALUE), "{}: the cookie's value is kept", case.name);
            assert!(!stored.contains(ENV_VALUE), "{}: a value of the environment file is kept", case.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn severities_follow_the_proof() {
    let severity = async |name: &str, id: &str| {
        let case = sites::cases().into_iter().find(|case| case.name == name).unwrap();
        let site = serve(case.over, case.handler).await;
        let verdicts = verdicts(&host(site.address, case.over).await);
        of(&verdicts, id).severity.unwrap()
    };
    assert_eq!(severity("repository", "exposed.vcs").await, Severity::High);
    assert_eq!(severity("repository-objects", "exposed.vcs").await, Severity::Critical);
    assert_eq!(severity("env", "exposed.env").await, Severity::Critical);
    assert_eq!(severity("csp-unsafe-inline", "csp.weak").await, Severity::Medium);
}

#[tokio::test]
async fn a_site_that_redirects_to_https_is_clean() {
    let secure = serve(Over::Tls, sites::good).await;
    let target = format!("https://{HOST}:{}", secure.address.port());
    let plain = serve(Over::Plain, move |request| Answer::redirect(301, &format!("{target}{}", request.path))).await;
    let host = host_of(vec![
        gather(plain.address, Over::Plain, HOST, &WebOptions::default()).await,
        gather(secure.address, Over::Tls, HOST, &WebOptions::default()).await,
    ]);
    let verdicts = verdicts(&host);
    assert_eq!(failed(&verdicts), [""; 0]);
    assert!(verdicts.iter().any(|v| v.check_id.as_str() == "http.no_redirect" && v.outcome == Outcome::Pass));
    let web = host.web.items[0].observation.observed().unwrap();
    assert_eq!(web.first_redirect().unwrap().decision, RedirectDecision::Followed);
    assert_eq!(web.chain.len(), 2);
}

#[tokio::test]
async fn plain_http_beside_https_must_redirect() {
    let secure = serve(Over::Tls, sites::good).await;
    let plain = serve(Over::Plain, |_| {
        Answer::html("<!doctype html><title>Old</title>")
            .with("X-Frame-Options", "DENY")
            .with("Content-Security-Policy", sites::STRONG_CSP)
            .with("X-Content-Type-Options", "nosniff")
    })
    .await;
    let host = host_of(vec![
        gather(plain.address, Over::Plain, HOST, &WebOptions::default()).await,
        gather(secure.address, Over::Tls, HOST, &WebOptions::default()).await,
    ]);
    assert_eq!(failed(&verdicts(&host)), ["http.no_redirect"]);
}

/// Another host, with faults that are none of the host that leads there. Its security contact is that host's as well.
fn elsewhere(request: &bartizan_test_support::lab::web::Request) -> Answer {
    match request.path.as_str() {
        "/.well-known/security.txt" => Answer::text(sites::SECURITY_TXT),
        "/" => Answer::html("<!doctype html><title>Elsewhere</title>"),
        _ => Answer::status(404),
    }
}

/// A site that has nothing of its own and sends visitors to another host.
fn sends_to(target: String) -> impl Fn(&bartizan_test_support::lab::web::Request) -> Answer {
    move |request| Answer::redirect(302, &format!("{target}{}", request.path))
}

#[tokio::test]
async fn a_redirect_in_the_clear_to_another_host_is_found_there_and_nothing_of_that_host() {
    let careless = serve(Over::Plain, elsewhere).await;
    let to_careless = format!("http://{}", careless.address);
    let secure = serve(Over::Tls, sites::good).await;
    let to_secure = format!("https://{}", secure.address);
    let by_detour = serve(Over::Plain, sends_to(to_secure.clone())).await;
    let to_detour = format!("http://{}", by_detour.address);

    for (target, followed) in [(&to_careless, &careless), (&to_detour, &by_detour), (&to_secure, &secure)] {
        let site = serve(Over::Plain, sends_to(target.clone())).await;
        let alone = gather(site.address, Over::Plain, HOST, &WebOptions::default()).await;
        assert!(!followed.asked().is_empty(), "the redirect to {target} was followed");
        // Without HTTPS on the host, and with it.
        for host in [
            host_of(vec![alone.clone()]),
            host_of(vec![alone, gather(secure.address, Over::Tls, HOST, &WebOptions::default()).await]),
        ] {
            let verdicts = verdicts(&host);
            assert_eq!(failed(&verdicts), ["http.no_redirect"], "to {target}: {verdicts:#?}");
            let finding = verdicts.iter().find(|verdict| verdict.outcome == Outcome::Fail).unwrap();
            assert_eq!(finding.location.as_str(), format!("tcp/{}", site.address.port()));
            assert_eq!(finding.evidence["redirects_to"], format!("{target}/"));
        }
    }
}

#[tokio::test]
async fn metadata_services_are_never_contacted() {
    let site = serve(Over::Plain, |request| match request.path.as_str() {
        "/" => Answer::redirect(302, "http://169.254.169.254/latest/meta-data/"),
        _ => Answer::status(404),
    })
    .await;
    let gathered = gather(site.address, Over::Plain, HOST, &WebOptions::default()).await;
    let web = gathered.observation.observed().unwrap();
    assert_eq!(web.chain.len(), 1, "a second hop would mean that the target was asked");
    let redirect = web.first_redirect().unwrap();
    assert_eq!(redirect.target.as_deref(), Some("http://169.254.169.254/latest/meta-data/"));
    match &redirect.decision {
        RedirectDecision::Refused { reason } => assert!(reason.contains("metadata"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redirect_circles_and_long_chains_end() {
    let circle = serve(Over::Plain, |_| Answer::redirect(302, "/")).await;
    let web = gather(circle.address, Over::Plain, HOST, &WebOptions::default()).await;
    assert_eq!(web.observation.observed().unwrap().chain.len(), 1);
    let endless = serve(Over::Plain, |request| Answer::redirect(302, &format!("{}x", request.path))).await;
    let options = WebOptions { max_redirects: 4, ..WebOptions::default() };
    let web = gather(endless.address, Over::Plain, HOST, &options).await;
    assert_eq!(web.observation.observed().unwrap().chain.len(), 5);
}

#[tokio::test]
async fn the_same_site_on_two_ports_is_judged_once() {
    let weak = |request: &bartizan_test_support::lab::web::Request| {
        let mut answer = sites::good(request);
        answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("X-Content-Type-Options") && name != "Set-Cookie");
        answer
    };
    let (one, two) = (serve(Over::Plain, weak).await, serve(Over::Plain, weak).await);
    let host = host_of(vec![
        gather(one.address, Over::Plain, HOST, &WebOptions::default()).await,
        gather(two.address, Over::Plain, HOST, &WebOptions::default()).await,
    ]);
    let verdicts = verdicts(&host);
    let outcomes: Vec<Outcome> =
        verdicts.iter().filter(|v| v.check_id.as_str() == "http.nosniff").map(|v| v.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Fail).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::NotApplicable).count(), 1, "{outcomes:?}");
    assert_eq!(
        verdicts.iter().filter(|v| v.check_id.as_str() == "http.no_https" && v.outcome == Outcome::Fail).count(),
        2
    );
}

#[tokio::test]
async fn without_path_probes_nothing_below_the_root_is_asked_or_judged() {
    let site = serve(Over::Tls, sites::good).await;
    let options = WebOptions { path_probes: false, ..WebOptions::default() };
    let host = host_of(vec![gather(site.address, Over::Tls, HOST, &options).await]);
    assert!(site.asked().iter().all(|request| request == "GET /"), "{:?}", site.asked());
    let verdicts = verdicts(&host);
    for id in ["exposed.vcs", "exposed.env", "sectxt.missing", "http.methods"] {
        assert_eq!(of(&verdicts, id).outcome, Outcome::NotTested, "{id}");
    }
    assert_eq!(failed(&verdicts), [""; 0]);
}

#[tokio::test]
async fn the_budget_bounds_requests_and_what_is_missing_is_no_pass() {
    let site = serve(Over::Tls, sites::good).await;
    let options = WebOptions { max_requests: 6, ..WebOptions::default() };
    let host = host_of(vec![gather(site.address, Over::Tls, HOST, &options).await]);
    assert!(site.asked().len() <= 6, "{:?}", site.asked());
    let verdicts = verdicts(&host);
    for id in ["exposed.vcs", "exposed.env", "sectxt.missing", "http.methods"] {
        assert_eq!(of(&verdicts, id).outcome, Outcome::Error, "{id}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_http_is_an_error_everywhere() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let host = host(address, Over::Plain).await;
    assert!(
        matches!(&host.web.items[0].observation, Observation::Failed(failure) if failure.kind == FailureKind::Refused)
    );
    assert!(verdicts(&host).iter().all(|verdict| verdict.outcome == Outcome::Error));
}

#[tokio::test]
async fn sni_and_host_are_the_name_asked_for() {
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let log = Arc::clone(&seen);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = serve_on(listener, Over::Plain, move |request| {
        log.lock().unwrap().insert(request.headers["host"].clone());
        sites::good(request)
    });
    gather(site.address, Over::Plain, HOST, &WebOptions::default()).await;
    assert_eq!(seen.lock().unwrap().iter().cloned().collect::<Vec<_>>(), [format!("{HOST}:{port}")]);
}

#[tokio::test]
async fn a_server_that_turns_us_away_says_nothing_about_its_files() {
    let site = serve(Over::Tls, |request| match request.path.as_str() {
        "/" => sites::good(request),
        _ => Answer::status(429),
    })
    .await;
    let verdicts = verdicts(&host(site.address, Over::Tls).await);
    for id in ["exposed.vcs", "exposed.env", "sectxt.missing"] {
        assert_eq!(of(&verdicts, id).outcome, Outcome::Error, "{id}");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_not_judged() {
    let site = serve(Over::Tls, |request| {
        let answer = sites::good(request);
        if request.path == "/" && request.method == "GET" { answer.with("Content-Encoding", "br") } else { answer }
    })
    .await;
    let verdicts = verdicts(&host(site.address, Over::Tls).await);
    for id in ["csp.missing", "csp.weak", "frame.unprotected", "http.nosniff", "http.listing", "sri.missing"] {
        assert_eq!(of(&verdicts, id).outcome, Outcome::Error, "{id}");
    }
    assert_eq!(failed(&verdicts), [""; 0]);
}

#[tokio::test]
async fn by_address_hsts_is_a_hint_and_any_https_target_will_do() {
    let secure = serve(Over::Tls, |request| {
        let mut answer = sites::good(request);
        answer.headers.retain(|(name, _)| name != "Strict-Transport-Security");
        answer
    })
    .await;
    let plain = serve(Over::Plain, |_| Answer::redirect(301, "https://127.0.0.2:9/")).await;
    let address = "127.0.0.1";
    let mut host = host_of(vec![
        gather(plain.address, Over::Plain, address, &WebOptions::default()).await,
        gather(secure.address, Over::Tls, address, &WebOptions::default()).await,
    ]);
    host.asset = AssetRef::Ip([127, 0, 0, 1].into());
    let verdicts = verdicts(&host);
    assert_eq!(failed(&verdicts), ["hsts.missing"]);
    let finding = verdicts.iter().find(|v| v.outcome == Outcome::Fail).unwrap();
    assert_eq!(finding.confidence, Some(bartizan_domain::Confidence::Hint));
}

#[tokio::test]
async fn real_servers_give_what_they_are_set_up_for() {
    let careless = &[
        "csp.missing",
        "disclosure.version",
        "exposed.env",
        "exposed.vcs",
        "frame.unprotected",
        "http.listing",
        "http.no_https",
        "http.nosniff",
        "sectxt.missing",
    ];
    let default =
        ["csp.missing", "disclosure.version", "frame.unprotected", "http.no_https", "http.nosniff", "sectxt.missing"];
    let server = nginx(Setup::Careless);
    let found = verdicts(&host(server.address, Over::Plain).await);
    assert_eq!(failed(&found), careless, "nginx");
    assert_eq!(of(&found, "exposed.vcs").severity, Some(Severity::Critical));
    let server = apache(Setup::Careless);
    let found = verdicts(&host(server.address, Over::Plain).await);
    let mut with_trace = careless.to_vec();
    with_trace.push("http.methods");
    with_trace.sort_unstable();
    assert_eq!(failed(&found), with_trace, "Apache");
    for (name, server) in [("nginx", nginx(Setup::Default)), ("Apache", apache(Setup::Default))] {
        assert_eq!(failed(&verdicts(&host(server.address, Over::Plain).await)), default, "{name}");
    }
    for (name, server) in [("nginx", nginx(Setup::Careful)), ("Apache", apache(Setup::Careful))] {
        assert_eq!(failed(&verdicts(&host(server.address, Over::Plain).await)), ["http.no_https"], "{name}");
    }
}

/// Writes the fixtures of the web checks from the cases of the lab: for each check the first case it fails on, the
/// first it passes on, and the inconclusive kinds. Run by hand after a change of the evidence, then review the
/// difference: `cargo test -p bartizan-engine --test web -- --ignored write_fixtures`.
#[tokio::test]
#[ignore = "writes files; run by hand"]
async fn write_fixtures() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../checks/fixtures");
    let mut runs: Vec<(String, HostEvidence)> = Vec::new();
    for case in sites::cases() {
        let site = serve(case.over, case.handler).await;
        let port = if case.over == Over::Tls { 443 } else { 80 };
        runs.push((
            case.name.to_owned(),
            settled(&host(site.address, case.over).await, &[(site.address.port(), port)]),
        ));
    }
    let secure = serve(Over::Tls, sites::good).await;
    let target = format!("https://{HOST}:{}/", secure.address.port());
    let plain = serve(Over::Plain, move |_| Answer::redirect(301, &target)).await;
    let open = serve(Over::Plain, |_| Answer::html("<!doctype html><title>Old</title>")).await;
    for (name, first) in [("redirecting", &plain), ("not-redirecting", &open)] {
        let both = host_of(vec![
            gather(first.address, Over::Plain, HOST, &WebOptions::default()).await,
            gather(secure.address, Over::Tls, HOST, &WebOptions::default()).await,
        ]);
        runs.push((name.to_owned(), settled(&both, &[(first.address.port(), 80), (secure.address.port(), 443)])));
    }
    let elsewhere = serve(Over::Plain, elsewhere).await;
    let gone = serve(Over::Plain, sends_to(format!("http://{}", elsewhere.address))).await;
    let ports = [(gone.address.port(), 80), (secure.address.port(), 443), (elsewhere.address.port(), 8080)];
    let gone = gather(gone.address, Over::Plain, HOST, &WebOptions::default()).await;
    runs.push(("redirect-elsewhere".to_owned(), settled(&host_of(vec![gone.clone()]), &ports)));
    let secure = gather(secure.address, Over::Tls, HOST, &WebOptions::default()).await;
    runs.push(("redirect-elsewhere-beside-https".to_owned(), settled(&host_of(vec![gone, secure]), &ports)));

    let failure = ProbeFailure::new(FailureKind::Timeout, "GET /: no answer within 10s");
    let mut unanswered = host_of(vec![AtEndpoint {
        endpoint: Endpoint::tcp([127, 0, 0, 1].into(), 443),
        observation: Observation::Failed(failure),
    }]);
    runs.push(("unanswered".to_owned(), unanswered.clone()));
    unanswered.web = Section::not_attempted("web checks are switched off");
    runs.push(("switched-off".to_owned(), unanswered));

    for meta in Catalog::builtin().checks().filter(|meta| meta.category == Category::Web) {
        let selection = Selection::filter(Catalog::builtin(), |other| other.id == meta.id);
        let target = folder.join(meta.id.as_str());
        std::fs::create_dir_all(&target).unwrap();
        let mut written: BTreeSet<&str> = BTreeSet::new();
        for (name, host) in &runs {
            let found = judge(Catalog::builtin(), &selection, host, &JudgeSettings::default());
            let any = |outcome| found.iter().any(|verdict| verdict.outcome == outcome);
            let kind = if any(Outcome::Fail) {
                "fail"
            } else if any(Outcome::Pass) && found.iter().all(|verdict| verdict.outcome.is_conclusive()) {
                "pass"
            } else if found.iter().all(|verdict| !verdict.outcome.is_conclusive()) {
                "inconclusive"
            } else {
                continue;
            };
            let wanted = (kind == "inconclusive" && name == "switched-off")
                || (kind == "fail" && name.starts_with("redirect-elsewhere"));
            if written.insert(kind) || wanted {
                let file = target.join(format!("{kind}-{name}.json"));
                std::fs::write(file, serde_json::to_string_pretty(host).unwrap() + "\n").unwrap();
            }
        }
        assert_eq!(written.into_iter().collect::<Vec<_>>(), ["fail", "inconclusive", "pass"], "{}", meta.id);
    }
}

/// The evidence with the ports that the system picked replaced by fixed ones.
fn settled(host: &HostEvidence, ports: &[(u16, u16)]) -> HostEvidence {
    let mut text = serde_json::to_string(host).unwrap();
    for (picked, fixed) in ports {
        text = text.replace(&format!(":{picked}/"), &format!(":{fixed}/"));
        text = text.replace(&format!("\"port\":{picked}"), &format!("\"port\":{fixed}"));
    }
    serde_json::from_str(&text).unwrap()
}
