//! Facts about an HTML page, read with an HTML parser.

use std::sync::LazyLock;

use bartizan_domain::evidence::Scheme;
use bartizan_domain::evidence::web::{DocumentFacts, FormFacts, ResourceFacts, ResourceKind};
use regex::Regex;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::redact::{self, shortened};

/// Forms kept of one page.
const MAX_FORMS: usize = 20;
/// Scripts and style sheets kept of one page.
const MAX_RESOURCES: usize = 100;

/// Whether a browser renders a body of this type as a document. A body without a type is sniffed as browsers do
/// (WHATWG MIME Sniffing), by how it begins.
pub fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    match content_type {
        Some("text/html" | "application/xhtml+xml") => true,
        Some(_) => false,
        None => starts_like_html(body),
    }
}

/// Whether a body begins like an HTML page, whatever its type says.
pub fn starts_like_html(body: &[u8]) -> bool {
    let head = &body[..body.len().min(512)];
    let head = String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)).to_ascii_lowercase();
    let head = head.trim_start();
    ["<!doctype html", "<html", "<head", "<body", "<title", "<script", "<!--"].iter().any(|tag| head.starts_with(tag))
}

/// Reads a page. `base` is its URL.
pub fn read(body: &[u8], base: &Url) -> DocumentFacts {
    let html = Html::parse_document(&String::from_utf8_lossy(body));
    let first = |css: &Lazy| html.select(css).next();
    let base = first(&BASE)
        .and_then(|element| element.attr("href"))
        .and_then(|href| base.join(href).ok())
        .unwrap_or_else(|| base.clone());
    let title = first(&TITLE).map(|element| text_of(element, 200)).filter(|title| !title.is_empty());
    let heading = first(&HEADING).map(|element| text_of(element, 200)).unwrap_or_default();
    let metas = |wanted: &str, attribute: &str| -> Vec<String> {
        html.select(&META)
            .filter(|meta| meta.attr(attribute).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted)))
            .filter_map(|meta| meta.attr("content"))
            .map(str::to_owned)
            .take(10)
            .collect()
    };
    let forms: Vec<FormFacts> = html.select(&FORM).take(MAX_FORMS).map(|form| read_form(form, &base)).collect();
    let stray_password = html.select(&PASSWORD).next().is_some();
    let title_says_login = title.as_deref().is_some_and(|title| LOGIN.is_match(title));
    DocumentFacts {
        generator: metas("generator", "name").first().map(|text| shortened(text.trim(), 200)),
        meta_csp: metas("content-security-policy", "http-equiv").iter().map(|text| shortened(text, 4096)).collect(),
        listing: listing(title.as_deref().unwrap_or_default(), &heading, body),
        default_page: default_page(title.as_deref().unwrap_or_default(), &heading),
        resources: html.select(&RESOURCE).filter_map(|e| read_resource(e, &base)).take(MAX_RESOURCES).collect(),
        login_hint: stray_password || title_says_login,
        forms,
        title,
    }
}

/// The product and version that an error page or directory index names in its body.
pub fn signature(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let found = SIGNATURE.captures(&body)?;
    Some(shortened(found.get(1).or_else(|| found.get(2))?.as_str().trim(), 120))
}

type Lazy = LazyLock<Selector>;

macro_rules! selector {
    ($name:ident, $css:literal) => {
        static $name: Lazy = LazyLock::new(|| Selector::parse($css).expect("the selector is constant and tested"));
    };
}

selector!(TITLE, "title");
selector!(HEADING, "h1");
selector!(BASE, "base[href]");
selector!(META, "meta[content]");
selector!(FORM, "form");
selector!(PASSWORD, "input[type=\"password\" i]");
selector!(RESOURCE, "script[src], link[rel][href]");

static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(log[ -]?in|log[ -]?on|sign[ -]?in|anmeld(en|ung)|connexion|iniciar sesi[oó]n|accedi)\b")
        .expect("the pattern is constant and tested")
});

static SIGNATURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:<center>|<address>|<h3>|<i>|<pre>|<hr>)\s*(?:<small>|<i>)?((?:nginx|openresty|tengine|Apache|lighttpd|Microsoft-IIS|Jetty|Apache Tomcat|Caddy|Werkzeug|gunicorn|Varnish)(?:[/ ]\(?v?|://)?\d[\w.:+~-]*(?: \([\w. /+-]+\))?)|(Apache Tomcat/\d[\w.]*)",
    )
    .expect("the pattern is constant and tested")
});

fn text_of(element: ElementRef<'_>, limit: usize) -> String {
    let mut text = String::new();
    for part in element.text() {
        text.push_str(part);
        if text.len() > limit * 4 {
            break;
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&text, limit)
}

fn scheme_of(url: &Url) -> Option<Scheme> {
    match url.scheme() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

fn read_form(form: ElementRef<'_>, base: &Url) -> FormFacts {
    let action = base.join(form.attr("action").unwrap_or_default().trim()).unwrap_or_else(|_| base.clone());
    FormFacts {
        action: redact::url(&action),
        scheme: scheme_of(&action),
        method: if form.attr("method").is_some_and(|m| m.trim().eq_ignore_ascii_case("post")) { "post" } else { "get" }
            .to_owned(),
        password: form.select(&PASSWORD).next().is_some(),
    }
}

fn read_resource(element: ElementRef<'_>, base: &Url) -> Option<ResourceFacts> {
    let (kind, address) = if element.value().name() == "script" {
        (ResourceKind::Script, element.attr("src")?)
    } else {
        let rel = element.attr("rel")?.to_ascii_lowercase();
        let has = |wanted: &str| rel.split_ascii_whitespace().any(|word| word == wanted);
        let kind = if has("stylesheet") {
            ResourceKind::Style
        } else if has("modulepreload") {
            ResourceKind::ModulePreload
        } else {
            return None;
        };
        (kind, element.attr("href")?)
    };
    let url = base.join(address.trim()).ok()?;
    Some(ResourceFacts {
        kind,
        url: redact::url(&url),
        host: url.host_str().map(str::to_ascii_lowercase),
        scheme: scheme_of(&url),
        integrity: element.attr("integrity").is_some_and(has_usable_hash),
    })
}

/// Subresource Integrity, section 3.3: hashes of unknown algorithms are ignored.
fn has_usable_hash(integrity: &str) -> bool {
    integrity.split_ascii_whitespace().any(|hash| {
        ["sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|prefix| hash.strip_prefix(prefix).is_some_and(|digest| digest.len() >= 40))
    })
}

/// A directory index says so in its title and again in its heading; a page *about* indexes rarely does both.
fn listing(title: &str, heading: &str, body: &[u8]) -> Option<String> {
    let (title, heading) = (title.to_ascii_lowercase(), heading.to_ascii_lowercase());
    let body = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let says = |text: &str| {
        ["index of /", "directory listing for /", "directory: /", "listing directory /"]
            .iter()
            .any(|start| text.starts_with(start))
    };
    let iis = body.contains("[To Parent Directory]</A>") && body.contains("<pre>");
    let caddy = body.contains("<meta name=\"color-scheme\"") && body.contains("class=\"breadcrumbs\"");
    if !(says(&title) && says(&heading) || iis || caddy || (says(&title) && body.contains("id=\"files\""))) {
        return None;
    }
    let product = if iis {
        "iis"
    } else if caddy {
        "caddy"
    } else if title.starts_with("directory listing for") {
        "python"
    } else if title.starts_with("directory: ") {
        "jetty"
    } else if body.contains("?C=N;O=") || body.contains("?C=N&amp;O=") || body.contains("<address>Apache") {
        "apache"
    } else if body.contains("lighttpd") {
        "lighttpd"
    } else if body.contains("<hr><pre><a href=\"../\">") {
        "nginx"
    } else {
        "unknown"
    };
    Some(product.to_owned())
}

fn default_page(title: &str, heading: &str) -> Option<String> {
    let lower = title.to_ascii_lowercase();
    let product = if lower.starts_with("welcome to nginx") {
        "nginx"
    } else if lower.starts_with("apache2 ") && lower.contains("default page")
        || lower.contains("test page for the") && lower.contains("http server")
        || lower.is_empty() && heading == "It works!"
    {
        "apache"
    } else if lower == "iis windows server" || lower.starts_with("iis windows") {
        "iis"
    } else if lower.starts_with("apache tomcat") {
        "tomcat"
    } else {
        return None;
    };
    Some(product.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(text: &str) -> DocumentFacts {
        read(text.as_bytes(), &Url::parse("https://site.test/dir/").unwrap())
    }

    #[test]
    fn forms_scripts_and_styles_are_resolved() {
        let facts = page(
            r#"<!doctype html><title> Log
               in </title><base href="/app/"><meta NAME=Generator content="WordPress 6.4">
               <meta http-equiv="content-security-policy" content="default-src 'self'">
               <form action=http://other.test/login?token=1 METHOD=Post><input TYPE=PASSWORD></form>
               <script src="//cdn.test/x.js"></script><script>inline()</script>
               <script src="y.js" integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"></script>
               <script src="z.js" integrity="md5-x"></script>
               <link rel="preload StyleSheet" href=s.css><link rel=icon href=i.png>
               <script src="data:text/javascript,1"></script>"#,
        );
        assert_eq!(facts.title.as_deref(), Some("Log in"));
        assert_eq!(facts.generator.as_deref(), Some("WordPress 6.4"));
        assert_eq!(facts.meta_csp, ["default-src 'self'"]);
        assert!(facts.login_hint);
        let form = &facts.forms[0];
        assert_eq!(
            (form.action.as_str(), form.scheme, form.password),
            ("http://other.test/login", Some(Scheme::Http), true)
        );
        let seen: Vec<_> = facts.resources.iter().map(|r| (r.url.as_str(), r.integrity)).collect();
        assert_eq!(
            seen,
            [
                ("https://cdn.test/x.js", false),
                ("https://site.test/app/y.js", true),
                ("https://site.test/app/z.js", false),
                ("https://site.test/app/s.css", false),
                ("data:", false),
            ]
        );
    }

    #[test]
    fn an_index_is_told_from_a_page_about_indexes() {
        let nginx = "<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href=\"../\">../</a></pre></body></html>";
        assert_eq!(page(nginx).listing.as_deref(), Some("nginx"));
        assert_eq!(page("<title>Index of /r/all</title><h1>Welcome</h1>").listing, None);
        assert_eq!(
            page("<title>Directory listing for /</title><h1>Directory listing for /</h1>").listing.as_deref(),
            Some("python")
        );
    }

    #[test]
    fn error_pages_name_their_server() {
        let named = |text: &str| signature(text.as_bytes());
        assert_eq!(named("<hr><center>nginx/1.22.1</center>").as_deref(), Some("nginx/1.22.1"));
        assert_eq!(
            named("<address>Apache/2.4.62 (Debian) Server at x Port 80</address>").as_deref(),
            Some("Apache/2.4.62 (Debian)")
        );
        assert_eq!(named("<h3>Apache Tomcat/9.0.1</h3>").as_deref(), Some("Apache Tomcat/9.0.1"));
        assert_eq!(named("<center>nginx</center>"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, &Url::parse("http://site.test/").unwrap());
            let _ = (signature(&bytes), is_html(None, &bytes));
        }

        #[test]
        fn any_markup_is_read_without_panic(text in "(<(form|input type=password|script src=|base href=|title|h1|meta content=)[ -~]{0,20}>){0,12}") {
            let _ = page(&text);
        }
    }
}
