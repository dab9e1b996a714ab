//! Documentation pages and the web interface, as served.

use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;

api_tests!(the_documentation_loads_nothing_from_elsewhere, the_root_leads_to_the_interface,);

async fn the_documentation_loads_nothing_from_elsewhere() {
    let app = TestApp::blank().await;
    let anyone = app.anonymous();
    for path in ["/api/docs", "/api/docs/", "/api/redoc"] {
        let page = anyone.get(path).await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let html = page.text();
        assert!(
            !html.contains("http://") && !html.contains("https://") && !html.contains("src=\"//"),
            "{path}: {html}"
        );
        let links = html.split(['"', '\'']).filter(|part| part.starts_with('/') || part.starts_with("./"));
        let mut checked = 0;
        for link in links.filter(|link| !link.contains("favicon")) {
            assert!(link.starts_with("/api/"), "{path} links {link}, which is wrong without a slash at the end");
            let _ = anyone.get(link).await.expect(200);
            checked += 1;
        }
        assert!(checked >= 2, "{path} loads its scripts: {html}");
    }
    let script = anyone.get("/api/docs/swagger-initializer.js").await.expect(200).text();
    assert!(script.contains("/api/openapi.json"), "{script}");
    let _ = anyone.get("/api/docs/nothing.js").await.expect(404);
}

async fn the_root_leads_to_the_interface() {
    let app = TestApp::blank().await;
    let answer = app.anonymous().get("/").await.expect(307);
    assert_eq!(answer.header("location"), "/ui/");
    // Built or not, both spellings answer alike and never with an API error.
    let plain = app.anonymous().get("/ui").await;
    assert_eq!(plain.status, app.anonymous().get("/ui/").await.status);
    assert!(plain.header("content-type").starts_with("text/html"));
}
