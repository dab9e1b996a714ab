//! The cases: each a site with one fault, or none, and the checks that must fail on it.

use super::{Answer, Over, Request};

/// Name under which the sites are asked for.
pub const HOST: &str = "www.site.test";
/// A cookie value that must never be found in anything that is kept.
pub const COOKIE_VALUE: &str = "c0ffee5ecret7f3a9b";
/// A value inside an environment file, likewise.
pub const ENV_VALUE: &str = "hunter2-swordfish-9931";

/// Handler of a site.
pub type Handler = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

/// One case.
pub struct Case {
    /// Short name, unique.
    pub name: &'static str,
    /// How it is served.
    pub over: Over,
    /// The site.
    pub handler: Handler,
    /// Checks that fail on it, sorted; no other web check does.
    pub expected: &'static [&'static str],
}

/// A policy without a weakness.
pub const STRONG_CSP: &str =
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
/// A policy of one year for all subdomains.
pub const HSTS: &str = "max-age=31536000; includeSubDomains";
/// A security contact file without a fault.
pub const SECURITY_TXT: &str = "Contact: mailto:security@site.test\nExpires: 2027-06-01T00:00:00Z\n";
/// What every good page begins with.
const PAGE: &str = "<!doctype html><html><head><title>Site</title></head><body><h1>Hello</h1></body></html>";

/// Headers of a page without a fault.
#[must_use]
pub fn good_headers() -> Vec<(&'static str, &'static str)> {
    vec![
        ("Strict-Transport-Security", HSTS),
        ("Content-Security-Policy", STRONG_CSP),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Server", "webserver"),
    ]
}

/// Answers as a site without a fault does, on HTTPS.
#[must_use]
pub fn good(request: &Request) -> Answer {
    let hsts = ("Strict-Transport-Security", HSTS);
    match (request.method.as_str(), request.path.as_str()) {
        ("TRACE", _) => Answer::status(405).with_all(&[hsts]),
        ("OPTIONS", _) => Answer::status(204).with("Allow", "GET, HEAD, OPTIONS").with_all(&[hsts]),
        (_, "/") => Answer::html(PAGE)
            .with_all(&good_headers())
            .with("Set-Cookie", &format!("__Host-session={COOKIE_VALUE}; Path=/; Secure; HttpOnly; SameSite=Lax")),
        (_, "/.well-known/security.txt") => Answer::text(SECURITY_TXT).with_all(&[hsts]),
        _ => Answer::html("<!doctype html><title>Not found</title>").and_status(404).with_all(&[hsts]),
    }
}

/// The good site with its root's header `name` replaced (or, with `None`, left out).
fn root_header(name: &'static str, value: Option<&'static str>) -> Handler {
    Box::new(move |request| {
        let mut answer = good(request);
        if request.path == "/" && request.method == "GET" {
            answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if let Some(value) = value {
                answer = answer.with(name, value);
            }
        }
        answer
    })
}

/// The good site with another page at its root, under the same headers.
fn root_page(page: &'static str) -> Handler {
    Box::new(move |request| {
        let mut answer = good(request);
        if request.path == "/" && request.method == "GET" {
            answer.body = page.as_bytes().to_vec();
        }
        answer
    })
}

/// The good site with other answers at some paths.
fn paths(answers: Vec<(&'static str, Answer)>) -> Handler {
    Box::new(move |request| {
        let found = answers.iter().find(|(path, _)| *path == request.path && request.method == "GET");
        found.map_or_else(|| good(request), |(_, answer)| answer.clone())
    })
}

fn security_txt(answer: Answer) -> Handler {
    paths(vec![("/.well-known/security.txt", answer)])
}

/// The files of a repository as `git init` and one commit leave them; with or without its objects.
fn repository(objects: bool) -> Handler {
    let id = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad";
    let raw = |body: &str| Answer::new("application/octet-stream", body);
    let config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote \"origin\"]\n\turl = https://git.site.test/x.git\n";
    let mut answers = vec![("/.git/HEAD", raw("ref: refs/heads/main\n")), ("/.git/config", raw(config))];
    if objects {
        answers.push(("/.git/refs/heads/main", raw(&format!("{id}\n"))));
        let blob = [0x78, 0x01, 0x4b, 0xca, 0xc9, 0x4f, 0x52, 0x30, 0x65, 0xc8, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        answers.push((
            "/.git/objects/3b/18e512dba79e4c8300dd08aeb37f8e728b8dad",
            Answer::new("application/octet-stream", blob),
        ));
    }
    paths(answers)
}

/// Every case on HTTPS, and the plain-HTTP ones that stand alone.
#[must_use]
pub fn cases() -> Vec<Case> {
    let tls = |name, expected, handler| Case { name, over: Over::Tls, handler, expected };
    let plain = |name, expected, handler| Case { name, over: Over::Plain, handler, expected };
    let cookie = |value: &'static str| -> Handler { root_header("Set-Cookie", Some(value)) };
    vec![
        tls("good", &[], Box::new(good)),
        tls("hsts-missing", &["hsts.missing"], root_header("Strict-Transport-Security", None)),
        tls("hsts-invalid", &["hsts.missing"], root_header("Strict-Transport-Security", Some("max-age=forever"))),
        tls("hsts-zero", &["hsts.zero"], root_header("Strict-Transport-Security", Some("max-age=0"))),
        tls(
            "hsts-short",
            &["hsts.short"],
            root_header("Strict-Transport-Security", Some("max-age=86400; includeSubDomains")),
        ),
        tls(
            "hsts-no-subdomains",
            &["hsts.no_subdomains"],
            root_header("Strict-Transport-Security", Some("max-age=31536000")),
        ),
        tls(
            "hsts-preload-unmet",
            &["hsts.preload"],
            root_header("Strict-Transport-Security", Some("max-age=15552000; includeSubDomains; preload")),
        ),
        tls(
            "hsts-preload-met",
            &[],
            root_header("Strict-Transport-Security", Some("max-age=63072000; includeSubDomains; preload")),
        ),
        tls("csp-missing", &["csp.missing", "frame.unprotected"], root_header("Content-Security-Policy", None)),
        tls(
            "csp-unsafe-inline",
            &["csp.weak"],
            root_header(
                "Content-Security-Policy",
                Some(
                    "default-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
                ),
            ),
        ),
        tls(
            "csp-nonce",
            &[],
            root_header(
                "Content-Security-Policy",
                Some(
                    "script-src 'nonce-r4nd0m' 'strict-dynamic' 'unsafe-inline' https:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
                ),
            ),
        ),
        tls(
            "frame-ancestors-open",
            &["frame.unprotected"],
            root_header(
                "Content-Security-Policy",
                Some("default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors *"),
            ),
        ),
        tls("nosniff-missing", &["http.nosniff"], root_header("X-Content-Type-Options", None)),
        tls("referrer-unsafe", &["http.referrer"], root_header("Referrer-Policy", Some("unsafe-url"))),
        tls("referrer-default", &[], root_header("Referrer-Policy", None)),
        tls("cookie-bare", &["cookie.no_secure", "cookie.samesite"], cookie("insecure_secure=c0ffee5ecret7f3a9b")),
        tls(
            "cookie-session-script",
            &["cookie.no_httponly"],
            cookie("PHPSESSID=c0ffee5ecret7f3a9b; Path=/; Secure; SameSite=Lax"),
        ),
        tls(
            "cookie-prefix",
            &["cookie.prefix"],
            cookie("__Host-id=c0ffee5ecret7f3a9b; Path=/app; Secure; HttpOnly; SameSite=Lax"),
        ),
        tls(
            "cookie-wide",
            &["cookie.domain"],
            cookie("lang=c0ffee5ecret7f3a9b; Domain=.site.test; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ),
        tls("cookie-deleted", &[], cookie("old=c0ffee5ecret7f3a9b; Max-Age=0")),
        tls(
            "sri-missing",
            &["sri.missing"],
            root_page("<!doctype html><title>Site</title><script src=\"//cdn.www-site.test/x.js\"></script>"),
        ),
        tls(
            "sri-present",
            &[],
            root_page(
                "<!doctype html><title>Site</title><script src=\"https://static.site.test/y.js\"></script><script crossorigin src=\"https://cdn.other.test/x.js\" integrity=\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"></script>",
            ),
        ),
        tls(
            "form-insecure",
            &["http.form_insecure"],
            root_page(
                "<!doctype html><title>Site</title><form action=\"http://www.site.test/send\"><input name=q></form>",
            ),
        ),
        tls(
            "login-secure",
            &[],
            root_page(
                "<!doctype html><title>Log in</title><form action=\"/login\" method=post><input type=password></form>",
            ),
        ),
        tls(
            "login-to-plain",
            &["http.login_plain"],
            root_page(
                "<!doctype html><title>Log in</title><form action=\"http://www.site.test/login\" method=post><input type=password></form>",
            ),
        ),
        tls(
            "listing",
            &["http.listing"],
            root_page(
                "<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href=\"../\">../</a>\n<a href=\"a.zip\">a.zip</a></pre></body></html>",
            ),
        ),
        tls("version-header", &["disclosure.version"], root_header("Server", Some("nginx/1.22.1"))),
        tls("repository", &["exposed.vcs"], repository(false)),
        tls("repository-objects", &["exposed.vcs"], repository(true)),
        tls(
            "repository-head-only",
            &[],
            paths(vec![("/.git/HEAD", Answer::new("application/octet-stream", "ref: refs/heads/main\n"))]),
        ),
        tls(
            "env",
            &["exposed.env"],
            paths(vec![(
                "/.env",
                Answer::new(
                    "application/octet-stream",
                    format!("APP_NAME=site\nAPP_KEY={ENV_VALUE}\nDB_PASSWORD='{ENV_VALUE}'\n"),
                ),
            )]),
        ),
        tls(
            "spa",
            &["sectxt.missing"],
            Box::new(|request| match request.method.as_str() {
                "GET" => good(&Request { path: "/".into(), ..request.clone() }),
                _ => good(request),
            }),
        ),
        tls(
            "spa-with-repository",
            &["exposed.vcs", "sectxt.missing"],
            Box::new(|request| match request.path.as_str() {
                "/.git/HEAD" | "/.git/config" => repository(false)(request),
                _ if request.method == "GET" => good(&Request { path: "/".into(), ..request.clone() }),
                _ => good(request),
            }),
        ),
        tls("contact-missing", &["sectxt.missing"], security_txt(Answer::status(404))),
        tls(
            "contact-expired",
            &["sectxt.expired"],
            security_txt(Answer::text("Contact: mailto:a@site.test\nExpires: 2024-01-01T00:00:00Z\n")),
        ),
        tls(
            "contact-expiring",
            &["sectxt.expiring"],
            security_txt(Answer::text("Contact: mailto:a@site.test\nExpires: 2026-12-01T00:00:00Z\n")),
        ),
        tls("contact-nobody", &["sectxt.no_contact"], security_txt(Answer::text("Expires: 2027-06-01T00:00:00Z\n"))),
        tls("contact-for-ever", &["sectxt.no_expires"], security_txt(Answer::text("Contact: mailto:a@site.test\n"))),
        tls("contact-as-html-type", &["sectxt.not_text"], security_txt(Answer::html(SECURITY_TXT))),
        tls(
            "contact-as-page",
            &["sectxt.not_text"],
            security_txt(Answer::html("<!doctype html><title>Security</title><p>Contact: mailto:a@site.test</p>")),
        ),
        tls(
            "contact-legacy-path",
            &["sectxt.path"],
            paths(vec![
                ("/.well-known/security.txt", Answer::status(404)),
                ("/security.txt", Answer::text(SECURITY_TXT)),
            ]),
        ),
        tls(
            "contact-broken-signature",
            &["sectxt.signature"],
            security_txt(Answer::text(&format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{SECURITY_TXT}"))),
        ),
        tls(
            "contact-signed",
            &[],
            security_txt(Answer::text(&format!(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{SECURITY_TXT}-----BEGIN PGP SIGNATURE-----\n\niHUEARYKAB0WIQQAAAAAAAAAAAAAAAAAAAAAAAAAAAUCZ0AAAAAKCRAAAAAAAAAAAAAA\n=abcd\n-----END PGP SIGNATURE-----\n"
            ))),
        ),
        tls(
            "contact-redirected",
            &[],
            paths(vec![
                (
                    "/.well-known/security.txt",
                    Answer::redirect(302, "/contact/security.txt").with("Strict-Transport-Security", HSTS),
                ),
                ("/contact/security.txt", Answer::text(SECURITY_TXT)),
            ]),
        ),
        tls(
            "trace",
            &["http.methods"],
            Box::new(|request| match request.method.as_str() {
                "TRACE" => Answer::new("message/http", request.head.clone()),
                _ => good(request),
            }),
        ),
        tls(
            "webdav",
            &["http.methods"],
            Box::new(|request| match request.method.as_str() {
                "OPTIONS" => Answer::status(200).with("DAV", "1, 2").with("Allow", "GET, PUT, PROPFIND, DELETE"),
                _ => good(request),
            }),
        ),
        tls(
            "cors-reflecting",
            &["cors.reflect"],
            Box::new(|request| {
                let answer = good(request);
                match request.headers.get("origin") {
                    Some(origin) => answer
                        .with("Access-Control-Allow-Origin", origin)
                        .with("Access-Control-Allow-Credentials", "true"),
                    None => answer,
                }
            }),
        ),
        tls(
            "redirect-within",
            &[],
            Box::new(|request| match request.path.as_str() {
                "/" if request.method == "GET" => {
                    Answer::redirect(302, "/start?session=c0ffee5ecret7f3a9b").with("Strict-Transport-Security", HSTS)
                }
                path if path.starts_with("/start") => good(&Request { path: "/".into(), ..request.clone() }),
                _ => good(request),
            }),
        ),
        tls(
            "api",
            &[],
            Box::new(|request| match request.path.as_str() {
                "/" if request.method == "GET" => Answer::new("application/json", "{\"ok\":true}")
                    .with_all(&[("Strict-Transport-Security", HSTS), ("X-Content-Type-Options", "nosniff")]),
                _ => good(request),
            }),
        ),
        plain(
            "plain-only",
            &["http.no_https"],
            Box::new(|request| {
                let mut answer = good(request);
                answer.headers.retain(|(name, _)| name != "Set-Cookie");
                answer
            }),
        ),
        plain(
            "plain-login",
            &["http.login_plain", "http.no_https"],
            Box::new(|request| {
                let mut answer = good(request);
                answer.headers.retain(|(name, _)| name != "Set-Cookie");
                if request.path == "/" && request.method == "GET" {
                    answer.body =
                        b"<!doctype html><title>Log in</title><form method=post><input type=password></form>".to_vec();
                }
                answer
            }),
        ),
        plain(
            "plain-api-error",
            &[],
            Box::new(|request| match request.path.as_str() {
                "/" => Answer::new("application/json", "{\"error\":\"no such route\"}").and_status(404),
                _ => good(request),
            }),
        ),
    ]
}
