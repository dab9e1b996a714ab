//! Assets and their import.

use bartizan_domain::id::AssetId;
use bartizan_domain::{AssetKind, Error, RiskZone};
use bartizan_services::assets::{self, AssetFilter, AssetPatch, AssetSort, BulkChange, NewAsset};
use bartizan_services::{OpContext, Page, Services, SortDir, asset_import};
use bartizan_test_support::{TestDatabase, on_both_databases};
use uuid::Uuid;

use crate::support::App;

on_both_databases!(
    targets_are_normalised_and_unique,
    an_asset_is_changed_and_removed,
    bulk_changes_zone_and_tags,
    import_reports_every_row,
    nobody_manages_assets_without_permission,
);

fn new(kind: AssetKind, value: &str) -> NewAsset {
    NewAsset { target_type: Some(kind), target_value: value.to_owned(), ..NewAsset::default() }
}

async fn values(cx: &OpContext, services: &Services, filter: &AssetFilter) -> Vec<String> {
    let sort = (AssetSort::TargetValue, SortDir::Asc);
    let listed = assets::list(cx, services, filter, sort, Page::first(100)).await.unwrap();
    listed.rows.into_iter().map(|view| view.asset.target_value).collect()
}

async fn targets_are_normalised_and_unique(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let create = |new| assets::create(&cx, &app.services, new);
    let view = create(new(AssetKind::Domain, " https://Shop.Example/login ")).await.unwrap();
    assert_eq!((view.asset.name.as_str(), view.asset.target_value.as_str()), ("shop.example", "shop.example"));
    assert!(!view.stale, "it had no chance to answer yet");
    assert!(matches!(create(new(AssetKind::Domain, "SHOP.example.")).await, Err(Error::Conflict(_))));
    assert_eq!(create(new(AssetKind::Cidr, "192.0.2.77/24")).await.unwrap().asset.target_value, "192.0.2.0/24");
    for (kind, value) in [
        (AssetKind::Ip, "shop.example"),
        (AssetKind::Domain, "shop.example:8443"),
        (AssetKind::Cidr, "192.0.2.1-9"),
        (AssetKind::Host, "shop.example"),
        (AssetKind::Cidr, "2001:db8::/64"),
        (AssetKind::Domain, ""),
    ] {
        let refused = create(new(kind, value)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{value}: {refused:?}");
    }
    assert_eq!(values(&cx, &app.services, &AssetFilter::default()).await, ["192.0.2.0/24", "shop.example"]);
}

async fn an_asset_is_changed_and_removed(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let id = assets::create(&cx, &app.services, new(AssetKind::Ip, "192.0.2.1")).await.unwrap().asset.id;
    let patch = AssetPatch {
        name: Some("Router".to_owned()),
        tags: Some(vec!["b".to_owned(), "a".to_owned(), "b".to_owned()]),
        risk_zone: Some(RiskZone::Dmz),
        criticality: Some(5),
    };
    assets::update(&cx, &app.services, id, patch).await.unwrap();
    let asset = assets::get(&cx, &app.services, id).await.unwrap().asset;
    assert_eq!((asset.name.as_str(), asset.risk_zone, asset.criticality), ("Router", RiskZone::Dmz, 5));
    assert_eq!(asset.tags, ["a", "b"]);
    let bad = AssetPatch { criticality: Some(6), name: Some(String::new()), ..AssetPatch::default() };
    let Err(Error::Invalid(fields)) = assets::update(&cx, &app.services, id, bad).await else { panic!("accepted") };
    assert_eq!(fields.len(), 2);
    assets::delete(&cx, &app.services, id).await.unwrap();
    assert!(matches!(assets::get(&cx, &app.services, id).await, Err(Error::NotFound { .. })));
    assert!(matches!(assets::delete(&cx, &app.services, id).await, Err(Error::NotFound { .. })));
}

async fn bulk_changes_zone_and_tags(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        let new = NewAsset { tags: vec!["legacy".to_owned()], ..new(AssetKind::Ip, &format!("192.0.2.{n}")) };
        ids.push(assets::create(&cx, &app.services, new).await.unwrap().asset.id);
    }
    let stranger = AssetId(Uuid::from_u128(7));
    let bulk = BulkChange {
        asset_ids: vec![ids[0], ids[1], stranger, ids[0]],
        risk_zone: Some(RiskZone::Production),
        add_tags: vec!["pci".to_owned()],
        remove_tags: vec!["legacy".to_owned()],
    };
    let outcome = assets::bulk(&cx, &app.services, bulk.clone()).await.unwrap();
    assert_eq!((outcome.updated.len(), outcome.not_found), (2, vec![stranger]));
    let pci =
        AssetFilter { tags: vec!["pci".to_owned()], risk_zones: vec![RiskZone::Production], ..AssetFilter::default() };
    assert_eq!(values(&cx, &app.services, &pci).await, ["192.0.2.1", "192.0.2.2"]);
    let legacy = AssetFilter { tags: vec!["legacy".to_owned()], ..AssetFilter::default() };
    assert_eq!(values(&cx, &app.services, &legacy).await, ["192.0.2.3"]);
    for bad in [
        BulkChange { asset_ids: Vec::new(), ..bulk.clone() },
        BulkChange { asset_ids: ids.clone(), ..BulkChange::default() },
    ] {
        assert!(matches!(assets::bulk(&cx, &app.services, bad).await, Err(Error::BadRequest(_))));
    }
}

async fn import_reports_every_row(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    assets::create(&cx, &app.services, new(AssetKind::Domain, "known.example")).await.unwrap();
    let file = "\u{feff}name,target_type,target_value,tags\r\n\
        \"Shop, main\",domain,SHOP.example.,web;pci\r\n\
        ,ip,192.0.2.1,\r\n\
        dup,domain,shop.example,\r\n\
        old,domain,Known.Example,\r\n\
        bad,domain,not a name,\r\n\
        bad,printer,p.example,\r\n\
        =cmd|' /C calc'!A0,ip,192.0.2.9,\r\n\
        '=cmd|' /C calc'!A0,ip,192.0.2.2,'=tag\r\n";
    let report = asset_import::import_csv(&cx, &app.services, file.as_bytes()).await.unwrap();
    assert_eq!((report.total, report.created, report.duplicates, report.invalid), (8, 3, 2, 3));
    let lines: Vec<(u64, &str)> = report.problems.iter().map(|row| (row.line, row.kind.as_str())).collect();
    assert_eq!(lines, [(4, "duplicate"), (5, "duplicate"), (6, "invalid"), (7, "invalid"), (8, "invalid")]);
    let csv = asset_import::export_csv(&cx, &app.services, &AssetFilter::default()).await.unwrap();
    let text = String::from_utf8(csv).unwrap();
    assert!(text.contains("'=cmd|' /C calc'!A0,ip,192.0.2.2,'=tag"), "{text}");
    let again = asset_import::import_csv(&cx, &app.services, file.as_bytes()).await.unwrap();
    assert_eq!((again.created, again.duplicates), (0, 5));
}

async fn nobody_manages_assets_without_permission(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.anonymous();
    let refused = assets::create(&cx, &app.services, new(AssetKind::Ip, "192.0.2.1")).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))));
    assert!(matches!(asset_import::import_csv(&cx, &app.services, b"").await, Err(Error::Unauthenticated(_))));
}
