//! `mkio open`: plays a locator in the browser.

use std::io::{self, IsTerminal, Write};

use clap::{Arg, ArgMatches, Command};
use mkio::{media::types::StreamingProtocol, playback::playback_urls, reqwest::Url};

use crate::{
    failure::{Exit, Failure, Result},
    options::text,
    session::Session,
};

/// Stands for the playback address in the address of a player.
const PLACE: &str = "{url}";

pub fn command() -> Command {
    Command::new("open")
        .about("Opens what a locator plays in the browser, and prints its address")
        .after_help(
            "Without a terminal the address is printed alone.\n\nExample: mkio open intro --player \
             'https://player.example.com/?source={url}'",
        )
        .arg(
            Arg::new("locator")
                .value_name("LOCATOR")
                .required(true)
                .help("The locator"),
        )
        .arg(
            Arg::new("player")
                .long("player")
                .value_name("URL")
                .value_parser(player)
                .help("Address of a player, with {url} in the place of what it is to play"),
        )
}

fn player(template: &str) -> Result<String, String> {
    let is_web = template.starts_with("https://") || template.starts_with("http://");
    let is_whole = is_web && template.contains(PLACE);
    let template = is_whole.then(|| template.to_owned());
    template.ok_or_else(|| "it takes an address of the web with {url} in it".to_owned())
}

/// The address of a player for this playback address.
fn played(template: &str, url: &str) -> String {
    let encoded: String = Url::parse_with_params("http://x/", [("u", url)])
        .ok()
        .and_then(|with| with.query()?.strip_prefix("u=").map(str::to_owned))
        .unwrap_or_default();
    template.replace(PLACE, &encoded)
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let project = client.project(session.project(&client)?);
    let locator = text(matches, "locator").unwrap_or_default();
    let playback = playback_urls(&project.media(), &locator).await?;
    for warning in &playback.warnings {
        session.tell(format!("{locator}: {warning}"));
    }
    // Those at endpoints that run come first.
    let streams = &playback.streams;
    let hls = streams
        .iter()
        .find(|stream| stream.protocol == StreamingProtocol::Hls);
    let stream = hls.or_else(|| streams.first()).ok_or_else(|| {
        Failure::new(Exit::No, format!("{locator} plays nothing")).hint("mkio urls shows more")
    })?;
    let url = match text(matches, "player") {
        Some(template) => played(&template, &stream.url),
        None => stream.url.clone(),
    };
    writeln!(io::stdout(), "{url}")?;
    let is_web = Url::parse(&url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
    if is_web
        && io::stdout().is_terminal()
        && let Err(error) = ::open::that_detached(&url)
    {
        session.tell(format!("no browser opens it: {error}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_take_addresses_as_parameters() {
        let template = player("https://p.example/?a=1&u={url}").unwrap();
        assert_eq!(
            played(&template, "https://h/x.m3u8?a=1&b=2"),
            "https://p.example/?a=1&u=https%3A%2F%2Fh%2Fx.m3u8%3Fa%3D1%26b%3D2"
        );
        for odd in ["https://p.example/", "file:///{url}", "{url}"] {
            assert!(player(odd).is_err(), "{odd}");
        }
    }
}
