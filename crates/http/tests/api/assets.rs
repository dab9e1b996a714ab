use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, TestApp};
use hyper::Method;
use serde_json::{Value, json};

use crate::redacted;

api_tests!(
    an_asset_is_created_read_changed_and_removed,
    a_target_is_one_asset_however_it_is_written,
    bad_assets_name_the_field_and_the_value,
    the_list_filters_sorts_and_pages,
    many_assets_change_at_once,
    a_csv_file_is_imported_with_an_error_for_each_bad_row,
    another_organisations_asset_does_not_exist,
);

async fn create(actor: &Actor, target: &str) -> Value {
    actor.post("/api/assets", &json!({"target_value": target})).await.expect(201).json()
}

fn names(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|asset| asset["target_value"].as_str().unwrap().to_owned()).collect()
}

async fn an_asset_is_created_read_changed_and_removed() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let body = json!({"name": "Shop", "target_type": "domain", "target_value": "Shop.Example.COM.",
        "tags": ["pci", "shop", "pci"], "risk_zone": "production"});
    let created = analyst.post("/api/assets", &body).await.expect(201);
    let asset = created.json();
    let path = format!("/api/assets/{}", asset["id"].as_str().unwrap());
    assert_eq!(created.header("location"), path);
    insta::assert_json_snapshot!("asset", redacted(asset.clone()));
    assert_eq!(analyst.get(&path).await.expect(200).json(), asset);

    app.clock.advance(chrono::Duration::minutes(1));
    let changed = analyst.patch(&path, &json!({"tags": ["legacy"], "criticality": 5})).await.expect(200).json();
    assert_eq!(
        (&changed["tags"], &changed["criticality"], &changed["name"]),
        (&json!(["legacy"]), &json!(5), &json!("Shop"))
    );
    assert_eq!(changed["updated_at"], "2026-11-22T09:01:00Z");

    let _ = analyst.delete(&path).await.expect(204);
    let missing = analyst.get(&path).await.expect(404).json();
    assert_eq!(missing["title"], "Not found");
    let _ = analyst.delete(&path).await.expect(404);
}

async fn a_target_is_one_asset_however_it_is_written() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    create(&analyst, "example.com").await;
    let again = analyst.post("/api/assets", &json!({"target_value": "EXAMPLE.com."})).await.expect(409);
    assert!(again.json()["detail"].as_str().unwrap().contains("example.com"));
    assert_eq!(create(&app.outsider().await, "example.com").await["target_value"], "example.com");
}

async fn bad_assets_name_the_field_and_the_value() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let cases = [
        (json!({"target_value": "300.1.1.1"}), "body -> target_value"),
        (json!({"target_value": "10.0.0.0/8"}), "body -> target_value"),
        (json!({"target_value": "exa mple"}), "body -> target_value"),
        (json!({"target_type": "ip", "target_value": "example.com"}), "body -> target_value"),
        (json!({"target_type": "planet", "target_value": "example.com"}), "body -> target_type"),
        (json!({"target_value": "example.com", "criticality": 6}), "body -> criticality"),
        (json!({"target_value": "example.com", "criticality": 600}), "body -> criticality"),
        (json!({"target_value": "example.com", "risk_zone": "moon"}), "body -> risk_zone"),
        (json!({"target_value": "example.com", "tags": [""]}), "body -> tags"),
        (json!({"target_value": "example.com", "tags": [1]}), "body -> tags -> 0"),
        (json!({"target_value": "example.com", "colour": "red"}), "body -> colour"),
        (json!({}), "body -> target_value"),
    ];
    for (body, field) in cases {
        let answer = analyst.post("/api/assets", &body).await.expect(422);
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 0);
}

async fn the_list_filters_sorts_and_pages() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    for (target, zone, tag) in [
        ("b.example.com", "production", "web"),
        ("a.example.com", "dmz", "web"),
        ("192.0.2.7", "internal", "db"),
        ("198.51.100.0/28", "internal", "net"),
    ] {
        let body = json!({"target_value": target, "risk_zone": zone, "tags": [tag]});
        let _ = analyst.post("/api/assets", &body).await.expect(201);
    }
    let list = |query: &str| {
        let (analyst, path) = (analyst.clone(), format!("/api/assets?{query}"));
        async move { analyst.get(&path).await.expect(200).json() }
    };
    assert_eq!(names(&list("").await), ["192.0.2.7", "198.51.100.0/28", "a.example.com", "b.example.com"]);
    assert_eq!(names(&list("sort=target_value&sort_dir=desc&page_size=2").await), ["b.example.com", "a.example.com"]);
    let second = list("page_size=3&page=2").await;
    assert_eq!(names(&second), ["b.example.com"]);
    assert_eq!((&second["total"], &second["total_pages"], &second["page"]), (&json!(4), &json!(2), &json!(2)));
    assert_eq!(names(&list("page=9").await), Vec::<String>::new());
    assert_eq!(names(&list("target_type=ip,cidr").await), ["192.0.2.7", "198.51.100.0/28"]);
    assert_eq!(names(&list("target_type=ip&target_type=cidr").await).len(), 2);
    assert_eq!(names(&list("tag=web&risk_zone=dmz").await), ["a.example.com"]);
    assert_eq!(names(&list("tag=web,db").await).len(), 3);
    assert_eq!(names(&list("search=EXAMPLE").await).len(), 2);
    assert_eq!(names(&list("search=%25").await).len(), 0);
    assert_eq!(names(&list("stale=true").await).len(), 0, "what was just added had no chance to answer");
    assert_eq!(names(&list("stale=false").await).len(), 4);
    let tags = analyst.get("/api/assets/tags?search=W").await.expect(200).json();
    let shown = json!([{"tag": "web", "count": 2}]);
    assert_eq!(tags, json!({"data": shown, "total": 1, "page": 1, "page_size": 50, "total_pages": 1}));
    for (query, field) in
        [("sort=password", "query -> sort"), ("page_size=501", "query -> page_size"), ("zone=dmz", "query -> zone")]
    {
        assert_eq!(analyst.get(&format!("/api/assets?{query}")).await.expect(422).fields(), [field]);
    }
}

async fn many_assets_change_at_once() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let one = create(&analyst, "a.example.com").await["id"].clone();
    let two = create(&analyst, "b.example.com").await["id"].clone();
    let foreign = create(&app.outsider().await, "c.example.com").await["id"].clone();
    let body = json!({"asset_ids": [one, two, foreign], "risk_zone": "production", "add_tags": ["pci-scope"],
        "remove_tags": ["legacy"]});
    let done = analyst.patch("/api/assets/bulk", &body).await.expect(200).json();
    assert_eq!(done, json!({"updated": 2, "not_found": [foreign]}));
    let path = format!("/api/assets/{}", one.as_str().unwrap());
    let asset = analyst.get(&path).await.json();
    assert_eq!((&asset["risk_zone"], &asset["tags"]), (&json!("production"), &json!(["pci-scope"])));
    let path = format!("/api/assets/{}", foreign.as_str().unwrap());
    assert_eq!(app.outsider().await.get(&path).await.json()["risk_zone"], "dev");
    for body in [
        json!({"asset_ids": [], "risk_zone": "dmz"}),
        json!({"risk_zone": "dmz"}),
        json!({"asset_ids": [one], "risk_zone": "moon"}),
        json!({"asset_ids": [one]}),
    ] {
        let _ = analyst.patch("/api/assets/bulk", &body).await.expect(400);
    }
}

async fn a_csv_file_is_imported_with_an_error_for_each_bad_row() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    create(&analyst, "known.example.com").await;
    let csv = "\u{feff}name,target_type,target_value,tags\n\"Shop, main\",domain,shop.example.com,pci;web\n\
        Known,domain,KNOWN.example.com,\n=cmd()|x,ip,192.0.2.9,\nBad,ip,300.1.1.1,\nTwice,domain,shop.example.com,\n";
    let call = || analyst.request(Method::POST, "/api/assets/import");
    let result = call().file(csv).send().await.expect(200).json();
    insta::assert_json_snapshot!("import", result);
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 2);

    let unusable = call().file("name,colour\nx,red\n").send().await.expect(422);
    assert_eq!(unusable.fields(), ["body -> file"]);
    let _ = call().json(&json!({})).send().await.expect(415);
    let other_part = "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\nx\r\n--b--\r\n";
    let answer = call().body("multipart/form-data; boundary=b", other_part).send().await.expect(422);
    assert_eq!(answer.fields(), ["body -> data"]);
    let _ = call().file("x".repeat(6 * 1024 * 1024)).send().await.expect(413);
    let cut_short = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx";
    let _ = call().body("multipart/form-data; boundary=b", cut_short).send().await.expect(400);
}

async fn another_organisations_asset_does_not_exist() {
    let app = TestApp::start().await;
    let id = create(&app.analyst().await, "a.example.com").await["id"].as_str().unwrap().to_owned();
    let outsider = app.outsider().await;
    let path = format!("/api/assets/{id}");
    let foreign = outsider.get(&path).await.expect(404).json();
    let unknown = outsider.get("/api/assets/01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55").await.expect(404).json();
    assert_eq!(foreign["title"], unknown["title"]);
    let _ = outsider.patch(&path, &json!({"name": "mine"})).await.expect(404);
    let _ = outsider.delete(&path).await.expect(404);
    assert_eq!(outsider.get("/api/assets").await.json()["total"], 0);
    let _ = app.analyst().await.get(&path).await.expect(200);
    let _ = outsider.get("/api/assets/not-an-id").await.expect(404);
}
