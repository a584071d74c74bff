//! Finding and walking: filters, orders, labels, limits and places, in pages of three.

use anyhow::Context;
use mkio::media::types::{Asset, AssetPut, AssetPutProperties};
use mkio::media::{ProjectClient, fields::assets::*};
use mkio::{Client, ResumeToken, query::Filter};
use mkio_emulator::Emulator;
use uuid::Uuid;

const ODD: &str = "Bob's “intro” & 100% +#=~ Ü'";

/// Thirteen assets; every third is news, one has an odd identifier.
async fn place() -> anyhow::Result<(Emulator, ProjectClient)> {
    let emulator = Emulator::builder()
        .project("demo")
        .page_size(3, 1_000)
        .start()
        .await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .build()?;
    let media = client.project("demo").media();
    let storage = media.list_storages().items().try_next().await?;
    let storage = storage.context("a storage account")?;
    let storage = storage.metadata().name().context("its name")?;
    for number in 0..13 {
        let mut properties = AssetPutProperties::new(storage);
        if number == 7 {
            properties = properties.with_alternate_id(ODD);
        }
        let genre = ["news", "sport", "talk show"][number % 3];
        let labels = [("genre", genre), (["a", "b"][number % 2], "yes")];
        media
            .create_or_update_asset(name(number), AssetPut::new(properties).with_labels(labels))
            .send()
            .await?;
    }
    Ok((emulator, media))
}

fn name(number: usize) -> String {
    format!("asset-{number:02}")
}

fn names(assets: Vec<Asset>) -> Vec<String> {
    assets.into_iter().filter_map(|asset| asset.name).collect()
}

#[tokio::test]
async fn typed_conditions_find_what_they_say() -> anyhow::Result<()> {
    let (_emulator, media) = place().await?;
    let ninth = media.get_asset(name(9)).send().await?;
    let id = ninth.properties().asset_id();
    let id: Uuid = id.context("an id")?.parse()?;
    let created = ninth.properties().created();
    let created = created.context("a time")?.clone();

    let all: Vec<_> = (0..13).collect();
    let conditions: [(Filter<List>, &[usize]); 9] = [
        (NAME.eq(name(4)), &[4]),
        (NAME.one_of([name(2), name(11)]), &[2, 11]),
        (NAME.contains("-1"), &[10, 11, 12]),
        (NAME.ge(name(10)).and(NAME.ne(name(11))), &[10, 12]),
        (PROPERTIES_ALTERNATE_ID.eq(ODD), &[7]),
        (PROPERTIES_ALTERNATE_ID.is_not_null(), &[7]),
        (PROPERTIES_ASSET_ID.eq(id), &[9]),
        (PROPERTIES_CREATED.lt("2000-01-01"), &[]),
        (
            PROPERTIES_CREATED
                .le(created)
                .and(PROPERTIES_CREATED.ge("2000-01-01")),
            &all[..=9],
        ),
    ];
    for (filter, expected) in conditions {
        let found = media
            .list_assets()
            .filter(filter.clone())
            .orderby(NAME.asc());
        let found: Vec<_> = found.items().try_collect().await?;
        let expected: Vec<_> = expected.iter().map(|number| name(*number)).collect();
        assert_eq!(names(found), expected, "{filter}");
    }
    Ok(())
}

#[tokio::test]
async fn labels_are_all_looked_at() -> anyhow::Result<()> {
    let (_emulator, media) = place().await?;
    let list = || media.list_assets().orderby([NAME.desc()]);
    let news = |number: &usize| number.is_multiple_of(3);
    for (found, expected) in [
        (
            list().label_eq("genre", "news"),
            (0..13).filter(news).collect::<Vec<_>>(),
        ),
        // Several values of one key are alternatives, several keys are all asked for.
        (
            list().label_eq("genre", "news").label_eq("genre", "sport"),
            (0..13).filter(|number| number % 3 < 2).collect(),
        ),
        (
            list().label_contains("genre", "lk sh").label_key("a"),
            vec![2, 8],
        ),
        (
            list().label_key("a").label_key("genre"),
            vec![0, 2, 4, 6, 8, 10, 12],
        ),
        (list().label_key("a").label_key("b"), vec![]),
        (
            list().label_eq("genre", "news").filter(NAME.gt(name(5))),
            vec![6, 9, 12],
        ),
    ] {
        let found: Vec<_> = found.items().try_collect().await?;
        let expected: Vec<_> = expected.into_iter().rev().map(name).collect();
        assert_eq!(names(found), expected);
    }
    Ok(())
}

/// In pieces of every size, each in a new client: all assets, each once, in order.
#[tokio::test]
async fn a_list_is_walked_in_pieces() -> anyhow::Result<()> {
    let (_emulator, media) = place().await?;
    let expected: Vec<_> = (0..13).map(name).collect();
    for piece in 1..=13 {
        for top in [None, Some(2), Some(5)] {
            let mut all = Vec::new();
            let mut token: Option<ResumeToken> = None;
            loop {
                let mut list = media.list_assets().orderby(NAME.asc());
                if let Some(top) = top {
                    list = list.top(top);
                }
                let mut list = list.items().limit(piece);
                if let Some(token) = &token {
                    list = list.resume(token);
                }
                let mut found = Vec::new();
                while let Some(asset) = list.try_next().await? {
                    found.push(asset);
                }
                token = Some(serde_json::from_str(&serde_json::to_string(
                    &list.resume_token(),
                )?)?);
                if found.is_empty() {
                    break;
                }
                assert_eq!(list.total(), Some(13));
                all.extend(names(found));
            }
            assert_eq!(all, expected, "{piece} at a time, pages of {top:?}");
        }
    }
    Ok(())
}
