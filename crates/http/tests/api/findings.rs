use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, TestApp};
use serde_json::{Value, json};

use crate::redacted;
use crate::scans::{scanned, shop, with_shop};

api_tests!(
    a_finding_is_listed_and_explained,
    filters_and_counts_agree,
    triage_needs_reasons_and_leaves_a_history,
    a_bulk_change_answers_for_each_finding,
    another_organisations_finding_does_not_exist,
    the_summary_and_the_trend_count_what_is_open,
);

async fn after_a_scan() -> (TestApp, Actor) {
    let app = with_shop().await;
    let analyst = app.analyst().await;
    let asset = json!({"target_value": "shop.example.com", "name": "Shop", "tags": ["pci"]});
    let _ = analyst.post("/api/assets", &asset).await.expect(201);
    let _ = scanned(&analyst, &shop()).await;
    (app, analyst)
}

async fn caa(actor: &Actor) -> Value {
    let page = actor.get("/api/findings?check_id=dns.caa_missing").await.expect(200).json();
    assert_eq!(page["total"], 1, "{page}");
    page["data"][0].clone()
}

async fn a_finding_is_listed_and_explained() {
    let (_app, analyst) = after_a_scan().await;
    let finding = caa(&analyst).await;
    insta::assert_json_snapshot!("finding", redacted(finding.clone()));
    let detail = analyst.get(&format!("/api/findings/{}", finding["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!(detail["title"], finding["title"]);
    assert!(detail["evidence"].is_object());
    for text in ["description", "risk"] {
        assert!(detail[text].as_str().unwrap().len() > 20, "{text}");
    }
    assert!(!detail["remediation"].as_array().unwrap().is_empty());
    assert_eq!(detail["sightings"][0]["scan_id"], 1);
}

async fn filters_and_counts_agree() {
    let (_app, analyst) = after_a_scan().await;
    let total = |query: &'static str| {
        let analyst = analyst.clone();
        async move {
            let list = analyst.get(&format!("/api/findings?page_size=1&{query}")).await.expect(200).json();
            let stats = analyst.get(&format!("/api/findings/stats?{query}")).await.expect(200).json();
            assert_eq!(list["total"], stats["total"], "{query}");
            list["total"].as_u64().unwrap()
        }
    };
    let all = total("").await;
    assert!(all >= 1);
    assert_eq!(total("tag=pci").await, all);
    assert_eq!(total("tag=other").await, 0);
    assert_eq!(total("asset=shop.example.com").await, all);
    assert_eq!(total("scan_id=1").await, all);
    assert_eq!(total("scan_id=2").await, 0);
    assert_eq!(total("reopened=true").await, 0);
    assert_eq!(total("status=open,resolved").await, all);
    assert_eq!(total("status=resolved").await, 0);
    assert_eq!(total("search=CAA&category=dns").await, 1);
    assert_eq!(total("first_seen_from=2026-11-22T09:00:01Z").await, 0);
    assert_eq!(analyst.get("/api/findings?severity=awful").await.expect(422).fields(), ["query -> severity"]);
    for path in ["/api/findings", "/api/findings/stats"] {
        let answer = analyst.get(&format!("{path}?check_id=dns.caa_mising")).await.expect(422);
        assert_eq!(answer.fields(), ["query -> check_id"]);
    }
    assert_eq!(analyst.get("/api/findings?sort=evidence").await.expect(422).fields(), ["query -> sort"]);
}

async fn triage_needs_reasons_and_leaves_a_history() {
    let (app, analyst) = after_a_scan().await;
    let path = format!("/api/findings/{}", caa(&analyst).await["id"].as_str().unwrap());
    let bare = analyst.patch(&path, &json!({"status": "accepted_risk"})).await.expect(422);
    assert_eq!(bare.fields(), ["body -> status_note"]);
    let past = json!({"status": "accepted_risk", "status_note": "old", "accepted_until": "2026-11-21"});
    assert_eq!(analyst.patch(&path, &past).await.expect(422).fields(), ["body -> accepted_until"]);
    let wrong = json!({"status": "open", "resolution_reason": "fixed"});
    assert_eq!(analyst.patch(&path, &wrong).await.expect(422).fields(), ["body -> resolution_reason"]);
    assert_eq!(analyst.patch(&path, &json!({"status": "gone"})).await.expect(422).fields(), ["body -> status"]);

    app.clock.advance(chrono::Duration::minutes(1));
    let accepted = json!({"status": "accepted_risk", "status_note": "internal zone", "accepted_until": "2026-11-22"});
    let changed = analyst.patch(&path, &accepted).await.expect(200).json();
    assert_eq!(
        (&changed["status"], &changed["accepted_until"]),
        (&json!("accepted_risk"), &json!("2026-11-23T00:00:00Z"))
    );
    let history = analyst.get(&format!("{path}/history")).await.expect(200).json();
    insta::assert_json_snapshot!("history", redacted(history));
    let _ = app.auditor().await.patch(&path, &json!({"status": "open"})).await.expect(403);
}

async fn a_bulk_change_answers_for_each_finding() {
    let (app, analyst) = after_a_scan().await;
    let id = caa(&analyst).await["id"].clone();
    let nobody = json!("01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55");
    let body = json!({"finding_ids": [nobody, id], "status": "acknowledged", "status_note": "Ticket OPS-17"});
    let done = analyst.post("/api/findings/bulk", &body).await.expect(200).json();
    assert_eq!(
        done,
        json!({"updated": 1, "results": [{"id": nobody, "outcome": "not_found"}, {"id": id, "outcome": "updated"}]})
    );
    let again = analyst.post("/api/findings/bulk", &body).await.expect(200).json();
    assert_eq!((&again["updated"], &again["results"][1]["outcome"]), (&json!(0), &json!("unchanged")));
    let foreign = app.outsider().await.post("/api/findings/bulk", &body).await.expect(200).json();
    assert_eq!(foreign["updated"], 0);
    let empty = json!({"finding_ids": [], "status": "open"});
    assert_eq!(analyst.post("/api/findings/bulk", &empty).await.expect(422).fields(), ["body -> finding_ids"]);
}

async fn another_organisations_finding_does_not_exist() {
    let (app, analyst) = after_a_scan().await;
    let path = format!("/api/findings/{}", caa(&analyst).await["id"].as_str().unwrap());
    let outsider = app.outsider().await;
    let _ = outsider.get(&path).await.expect(404);
    let _ = outsider.get(&format!("{path}/history")).await.expect(404);
    let _ = outsider.patch(&path, &json!({"status": "open"})).await.expect(404);
    assert_eq!(outsider.get("/api/findings").await.json()["total"], 0);
    assert_eq!(outsider.get("/api/summary").await.json()["total_vulns"], 0);
}

async fn the_summary_and_the_trend_count_what_is_open() {
    let (app, analyst) = after_a_scan().await;
    let all = analyst.get("/api/findings?status=open").await.json()["total"].clone();
    let summary = analyst.get("/api/summary/").await.expect(200).json();
    assert_eq!((&summary["total_vulns"], &summary["new_24h"], &summary["total_assets"]), (&all, &all, &json!(1)));
    assert_eq!(summary["last_scan"]["id"], 1);
    assert_eq!(summary["riskiest_assets"][0]["name"], "Shop");
    assert_eq!(summary["score"], summary["riskiest_assets"][0]["score"].as_f64().unwrap());

    app.clock.advance(chrono::Duration::days(2));
    // The token has ended meanwhile.
    let analyst = app.analyst().await;
    let path = format!("/api/findings/{}", caa(&analyst).await["id"].as_str().unwrap());
    let _ = analyst.patch(&path, &json!({"status": "resolved"})).await.expect(200);
    let trend = analyst.get("/api/summary/trend?days=4").await.expect(200).json();
    let days = trend["trend"].as_array().unwrap();
    let totals: Vec<u64> = days.iter().map(|day| day["total"].as_u64().unwrap()).collect();
    let all = all.as_u64().unwrap();
    assert_eq!(totals, [0, all, all, all - 1], "{trend}");
    assert_eq!(days[3]["date"], "2026-11-24");
    for days in ["0", "366", "x"] {
        let answer = analyst.get(&format!("/api/summary/trend?days={days}")).await.expect(422);
        assert_eq!(answer.fields(), ["query -> days"]);
    }
}
