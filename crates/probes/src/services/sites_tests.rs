//! Tests of the products behind HTTP, over answers as their documentation shows them.

use proptest::prelude::*;

use super::*;

fn answer(status: &str, headers: &str, body: &str) -> Response {
    http::parse(
        format!("HTTP/1.1 {status}\r\nX-Lab: lab\r\n{headers}\r\n\r\n{body}")
            .replace("\r\n\r\n\r\n", "\r\n\r\n")
            .as_bytes(),
    )
    .unwrap()
}

/// Product and version by a mark alone.
fn marked(root: &Response) -> Option<(&'static str, Option<String>)> {
    sites().iter().filter(|site| site.place == Place::Itself).find_map(|site| {
        let version = site.marks.iter().find_map(|mark| mark.find(root))?;
        let on_page = || site.page_version.as_ref().and_then(|pattern| pattern.find(&page(root))).flatten();
        Some((site.product.as_str(), version.or_else(on_page)))
    })
}

/// Products that a hint suggests.
fn hinted(root: &Response) -> Vec<&'static str> {
    sites()
        .iter()
        .filter(|site| site.hints.iter().any(|hint| hint.find(root).is_some()))
        .map(|site| site.product.as_str())
        .collect()
}

#[test]
fn products_show_themselves_in_the_answer_to_the_root() {
    for (headers, body, product, version) in [
        ("X-Jenkins: 2.426.3\r\nServer: Jetty(10.0.18)", "", "Jenkins", "2.426.3"),
        ("Set-Cookie: _gitlab_session=secret; path=/\r\nLocation: /users/sign_in", "", "GitLab", ""),
        ("Server: Nexus/3.40.1-01 (OSS)", "", "Sonatype Nexus Repository", "3.40.1-01"),
        ("kbn-name: kibana\r\nLocation: /app/home", "", "Kibana", ""),
        (
            "",
            "<html><title>Node Exporter</title>\n<div>Version: (version=1.6.1, branch=HEAD)</div>",
            "Prometheus Node Exporter",
            "1.6.1",
        ),
        ("", "Ollama is running", "Ollama", ""),
        ("Set-Cookie: phpMyAdmin=secret", "<script src=\"js/dist/ajax.js?v=5.2.1deb1\">", "phpMyAdmin", "5.2.1"),
        ("Server: pve-api-daemon/3.0", "", "Proxmox Virtual Environment", ""),
        ("Location: /remote/login?lang=en", "", "Fortinet FortiGate", ""),
        ("Location: /vpn/index.html", "", "NetScaler Gateway", ""),
        ("Location: /dana-na/auth/url_default/welcome.cgi", "", "Ivanti Connect Secure", ""),
        ("Location: https://vpn.test/global-protect/login.esp", "", "Palo Alto GlobalProtect", ""),
        (
            "",
            "<script>document.location.replace(\"/+CSCOE+/logon.html\")</script>",
            "Cisco Adaptive Security Appliance",
            "",
        ),
        ("Location: /my.policy", "", "F5 BIG-IP", ""),
        ("Server: SonicWALL SSL-VPN Web Server", "", "SonicWall", ""),
        ("", "<title>nas&nbsp;-&nbsp;Synology&nbsp;DiskStation</title>", "Synology DiskStation Manager", ""),
        ("Set-Cookie: __Host-nc_sameSiteCookielax=true", "", "Nextcloud", ""),
    ] {
        let root = answer("200 OK", headers, body);
        let found = marked(&root).unwrap_or_else(|| panic!("{product} is not recognised"));
        assert_eq!((found.0, found.1.as_deref().unwrap_or_default()), (product, version));
    }
    for (headers, product) in [
        ("Location: /login", "Grafana"),
        ("Location: /graph", "Prometheus"),
        ("Location: /solr/", "Apache Solr"),
        ("Location: /ui/", "HashiCorp Vault"),
        ("Location: /ui", "VMware vCenter Server"),
        ("Location: https://mail.test/owa/", "Microsoft Exchange Server"),
        ("Location: /restgui/start.html", "Dell iDRAC"),
        ("Server: TornadoServer/6.4", "Jupyter Server"),
    ] {
        assert!(hinted(&answer("302 Found", headers, "")).contains(&product), "{product}");
    }
}

#[test]
fn other_sites_are_not_taken_for_a_product() {
    for (headers, body) in [
        ("Server: nginx", "<title>Our Grafana dashboards and Jenkins</title><p>We use GitLab, Ollama is running here."),
        ("Location: https://shop.test/", ""),
        ("Location: /index.html", ""),
        ("X-Powered-By: PHP/8.2\r\nSet-Cookie: PHPSESSID=1", "<h1>remote login for members</h1>"),
        ("Server: Apache", "<a href=\"https://example.test/blog/global-protect\">a blog</a>"),
        ("", ""),
    ] {
        let root = answer("200 OK", headers, body);
        assert!(marked(&root).is_none(), "{headers} {body}: {:?}", marked(&root));
        assert!(hinted(&root).is_empty(), "{headers} {body}: {:?}", hinted(&root));
    }
}

#[test]
fn paths_settle_what_hints_suggest() {
    let settles = |product: &str, status: &str, headers: &str, body: &str| {
        let root = answer(status, headers, body);
        let asks = sites().iter().filter(|site| site.product == product).flat_map(|site| &site.asks);
        asks.into_iter().find_map(|ask| ask.settles(&root)).flatten()
    };
    let json = "Content-Type: application/json";
    for (product, headers, body, version) in [
        ("Grafana", json, r#"{"commit":"a","database":"ok","version":"10.4.2"}"#, "10.4.2"),
        (
            "Prometheus",
            json,
            r#"{"status":"success","data":{"version":"2.42.0","revision":"r","goVersion":"go1.19"}}"#,
            "2.42.0",
        ),
        ("HashiCorp Vault", json, r#"{"initialized":true,"sealed":false,"version":"1.15.2"}"#, "1.15.2"),
        ("Portainer", json, r#"{"Version":"2.19.4","InstanceID":"x"}"#, "2.19.4"),
        (
            "Nextcloud",
            json,
            r#"{"installed":true,"version":"27.1.3.2","versionstring":"27.1.3","productname":"Nextcloud"}"#,
            "27.1.3",
        ),
        ("Apache Solr", json, r#"{"lucene":{"solr-spec-version":"9.4.0"}}"#, "9.4.0"),
        ("Jupyter Server", json, r#"{"version": "2.12.5"}"#, "2.12.5"),
        ("Jupyter Notebook", json, r#"{"version": "6.5.2"}"#, "6.5.2"),
        ("SonarQube", "", "9.9.0.65466", "9.9.0.65466"),
        ("Harbor", json, r#"{"auth_mode":"db_auth","harbor_version":"v2.9.1-x"}"#, "2.9.1-x"),
        (
            "HPE iLO",
            json,
            r#"{"RedfishVersion":"1.6.0","Oem":{"Hpe":{"Manager":[{"ManagerFirmwareVersion":"2.44"}]}}}"#,
            "2.44",
        ),
        ("ClickHouse", "X-ClickHouse-Query-Id: 1", "23.8.2.7\n", "23.8.2.7"),
        (
            "VMware ESXi",
            "",
            "<about><name>VMware ESXi</name><version>7.0.3</version><build>20328353</build></about>",
            "7.0.3 build-20328353",
        ),
        (
            "VMware vCenter Server",
            "",
            "<about><name>VMware vCenter Server</name><version>8.0.2</version><build>22617221</build></about>",
            "8.0.2 build-22617221",
        ),
        ("Microsoft Exchange Server", "", "<link href=\"/owa/auth/15.1.2507/themes/x.css\">", "15.1.2507"),
    ] {
        assert_eq!(settles(product, "200 OK", headers, body).as_deref(), Some(version), "{product}");
        assert_eq!(settles(product, "404 Not Found", headers, body), None, "{product}");
        assert_eq!(settles(product, "200 OK", json, r#"{"ok":true}"#), None, "{product}");
    }
    // Others with the same interface state versions of their own.
    let thanos = r#"{"status":"success","data":{"version":"0.34.1","revision":"r","goVersion":"go1.21"}}"#;
    assert_eq!(settles("Prometheus", "200 OK", json, thanos), None);
}

#[test]
fn a_balancer_before_a_site_does_not_hide_it() {
    let root = answer("200 OK", "Set-Cookie: BIGipServerpool=1.2.3.0000; path=/", "<p>shop");
    let mut found = evidence("http");
    before(&mut found, &root);
    assert_eq!(found.product.as_deref(), Some("F5 BIG-IP"));
    let mut found = evidence("http");
    signatures::set(&mut found, "nginx", Some("1.22.1"), Some("f5:nginx"));
    before(&mut found, &root);
    assert_eq!(found.product.as_deref(), Some("nginx"));
    assert!(!format!("{root:?}").contains("1.2.3.0000"), "the value of a cookie is kept");
}

proptest! {
    #[test]
    fn no_answer_breaks_the_marks(text in "\\PC{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut raw = format!("HTTP/1.1 200 OK\r\nLocation: {text}\r\nServer: {text}\r\nSet-Cookie: {text}=1\r\n\r\n").into_bytes();
        raw.extend(&bytes);
        if let Some(root) = http::parse(&raw) {
            let _ = marked(&root);
            let _ = hinted(&root);
            for ask in sites().iter().flat_map(|site| &site.asks) {
                let _ = ask.settles(&root);
            }
        }
    }
}
