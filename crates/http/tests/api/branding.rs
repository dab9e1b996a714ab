//! How the product looks: public to read, changed by administrators, pictures that are pictures.

use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use hyper::Method;
use serde_json::json;

use crate::scans::{scanned, shop, with_shop};

api_tests!(
    looks_are_public_and_changed_by_administrators,
    two_administrators_do_not_overwrite_each_other,
    pictures_are_stored_anew_and_kept_by_browsers_for_an_hour,
    what_is_no_picture_is_refused,
    organisations_look_as_they_like,
    reports_look_like_the_organisation,
);

/// A picture of one pixel, with a comment in it.
pub const DOT: &[u8] = include_bytes!("data/dot.png");

async fn looks_are_public_and_changed_by_administrators() {
    let blank = TestApp::blank().await;
    let nothing = blank.anonymous().get("/api/branding").await.expect(200).json();
    assert!(nothing.as_object().unwrap().values().all(serde_json::Value::is_null), "{nothing}");
    let _ = blank.anonymous().get("/api/branding/assets/favicon").await.expect(404);

    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"product_name": " Perimeter ", "company_name": "Example Ltd", "accent_color": "#0B62C4"});
    let changed = admin.patch("/api/branding", &body).await.expect(200).json();
    let expected = json!({"product_name": "Perimeter", "company_name": "Example Ltd", "footer_text": null,
        "accent_color": "#0b62c4", "accent_color_dark": null, "logo_light": null, "logo_dark": null, "favicon": null});
    assert_eq!(changed, expected);
    assert_eq!(app.anonymous().get("/api/branding").await.expect(200).json(), expected);
    let taken_back = admin.patch("/api/branding", &json!({"product_name": null})).await.expect(200).json();
    assert_eq!((&taken_back["product_name"], &taken_back["company_name"]), (&json!(null), &json!("Example Ltd")));

    for (body, field) in [
        (json!({"product_name": ""}), "body -> product_name"),
        (json!({"product_name": "x".repeat(61)}), "body -> product_name"),
        (json!({"company_name": "a\u{0}b"}), "body -> company_name"),
        (json!({"footer_text": 7}), "body -> footer_text"),
        (json!({"accent_color": "#ffff00"}), "body -> accent_color"),
        (json!({"accent_color": "red;}body{display:none"}), "body -> accent_color"),
        (json!({"accent_color_dark": "#000000"}), "body -> accent_color_dark"),
        (json!({"logo_light": "/x"}), "body -> logo_light"),
    ] {
        assert_eq!(admin.patch("/api/branding", &body).await.expect(422).fields(), [field], "{body}");
    }
    let analyst = app.analyst().await;
    let _ = analyst.patch("/api/branding", &json!({"product_name": "Mine"})).await.expect(403);
    let _ = analyst.request(Method::POST, "/api/branding/assets/favicon").file(DOT).send().await.expect(403);
    let _ = analyst.delete("/api/branding/assets/favicon").await.expect(403);
    assert_eq!(app.anonymous().get("/api/branding").await.json(), taken_back);

    let log = admin.get("/api/audit?action=branding.update&sort_dir=asc").await.expect(200).json();
    assert_eq!(log["total"], 2, "{log}");
}

async fn two_administrators_do_not_overwrite_each_other() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let seen = app.anonymous().get("/api/branding").await.expect(200);
    let tag = seen.header("etag").to_owned();
    let change = |name: &str, tag: &str| {
        admin.request(Method::PATCH, "/api/branding").header("if-match", tag).json(&json!({"product_name": name}))
    };
    let first = change("One", &tag).send().await.expect(200);
    let _ = change("Two", &tag).send().await.expect(412);
    assert_eq!(app.anonymous().get("/api/branding").await.json()["product_name"], "One");
    let _ = change("Two", first.header("etag")).send().await.expect(200);
}

async fn pictures_are_stored_anew_and_kept_by_browsers_for_an_hour() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for kind in ["logo_light", "logo_dark", "favicon"] {
        let path = format!("/api/branding/assets/{kind}");
        let _ = app.anonymous().get(&path).await.expect(404);
        let _ = admin.request(Method::POST, &path).file(DOT).send().await.expect(204);
        let shown = app.anonymous().get("/api/branding").await.json();
        let public = shown[kind].as_str().unwrap().to_owned();
        let picture = app.anonymous().get(&public).await.expect(200);
        assert_eq!(picture.header("content-type"), "image/png");
        assert_eq!(picture.header("cache-control"), "public, max-age=3600");
        assert_eq!(picture.header("x-content-type-options"), "nosniff");
        assert_eq!(
            picture.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        );
        assert!(picture.body.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(!picture.text().contains("Comment"), "what was hidden in it is gone");
        assert_eq!(app.anonymous().get(&path).await.expect(200).body, picture.body);
        let again = app.anonymous().request(Method::GET, &public).header("if-none-match", picture.header("etag"));
        let again = again.send().await.expect(304);
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), picture.header("etag"));
    }
    let _ = admin.delete("/api/branding/assets/favicon").await.expect(204);
    let _ = admin.delete("/api/branding/assets/favicon").await.expect(404);
    let _ = app.anonymous().get("/api/branding/assets/favicon").await.expect(404);
    let shown = app.anonymous().get("/api/branding").await.json();
    assert_eq!((&shown["favicon"], shown["logo_dark"].is_string()), (&json!(null), true));
    for (action, times) in [("branding.upload", 3), ("branding.remove", 1)] {
        let log = admin.get(&format!("/api/audit?action={action}")).await.expect(200).json();
        assert_eq!(log["total"], times, "{log}");
    }
}

async fn what_is_no_picture_is_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let upload = |path: &str| admin.request(Method::POST, path);
    let path = "/api/branding/assets/logo_light";
    let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let mut bomb = DOT.to_vec();
    // 50,000 pixels a side; the checksum of the header is that of the new one.
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let header = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&header.to_be_bytes());
    for bad in [svg, b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", &DOT[..40], &bomb] {
        assert_eq!(upload(path).file(bad).send().await.expect(422).fields(), ["body -> file"]);
    }
    let large = vec![0; 2 * 1024 * 1024 + 1];
    let _ = upload(path).file(&large).send().await.expect(413);
    let larger = vec![0; 3 * 1024 * 1024];
    let _ = upload(path).file(&larger).send().await.expect(413);
    let _ = upload(path).body("image/png", DOT).send().await.expect(415);
    let _ = upload(path).json(&json!({})).send().await.expect(415);
    let _ = upload(path).body("multipart/form-data; boundary=b", "--b\r\n").send().await.expect(400);
    for foreign in ["banner", "..%2f..%2fetc%2fpasswd", "favicon%00", "logo_light/../favicon", "%2e%2e"] {
        let path = format!("/api/branding/assets/{foreign}");
        let _ = upload(&path).file(DOT).send().await.expect(404);
        let _ = app.anonymous().get(&path).await.expect(404);
    }
    let _ = app.anonymous().get("/api/branding/assets/favicon?organization_id=x").await.expect(422);
    let shown = app.anonymous().get("/api/branding").await.json();
    assert!(shown.as_object().unwrap().values().all(serde_json::Value::is_null), "{shown}");
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

async fn organisations_look_as_they_like() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let outsider = app.outsider().await;
    let _ = outsider.patch("/api/branding", &json!({"product_name": "Theirs"})).await.expect(200);
    let _ = outsider.request(Method::POST, "/api/branding/assets/favicon").file(DOT).send().await.expect(204);
    // The sign-in page is that of the first organisation, which another one's administrators do not change.
    let sign_in = app.anonymous().get("/api/branding").await.expect(200).json();
    assert_eq!((&sign_in["product_name"], &sign_in["favicon"]), (&json!(null), &json!(null)));
    let theirs = outsider.get("/api/auth/me").await.expect(200).json()["organization"]["id"].clone();
    let theirs = format!("/api/branding?organization_id={}", theirs.as_str().unwrap());
    let shown = app.anonymous().get(&theirs).await.expect(200).json();
    assert_eq!(shown["product_name"], "Theirs");
    let _ = app.anonymous().get(shown["favicon"].as_str().unwrap()).await.expect(200);
    let _ = app.anonymous().get("/api/branding/assets/favicon").await.expect(404);
    let _ = admin.delete("/api/branding/assets/favicon").await.expect(404);
    let nobody = "/api/branding?organization_id=01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55";
    let _ = app.anonymous().get(nobody).await.expect(404);
}

async fn reports_look_like_the_organisation() {
    let app = with_shop().await;
    let admin = app.admin().await;
    let scan = scanned(&admin, &shop()).await;
    let path = format!("/api/scans/{}/download?format=html", scan["id"]);
    let plain = admin.get(&path).await.expect(200).text();
    assert!(plain.contains("Bartizan scan report") && !plain.contains("<img"));
    let body = json!({"product_name": "Perimeter", "company_name": "Example <b>Ltd</b>",
        "footer_text": "Confidential", "accent_color": "#7a1fa2"});
    let _ = admin.patch("/api/branding", &body).await.expect(200);
    let _ = admin.request(Method::POST, "/api/branding/assets/logo_light").file(DOT).send().await.expect(204);
    let branded = admin.get(&path).await.expect(200).text();
    for part in [
        "Perimeter scan report",
        "Example &lt;b&gt;Ltd&lt;",
        "Confidential",
        "--accent:#7a1fa2",
        "data:image/png;base64,",
    ] {
        assert!(branded.contains(part), "{part}");
    }
    assert!(!branded.contains("<b>Ltd"));
}
