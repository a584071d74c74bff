//! Makes the calls of a file through the SDK and reports how each ended.
//!
//! The other half of `cargo xtask conformance`, which writes the calls, starts a server that
//! checks requests against the documents, and reads the report.

use std::{fs::File, io::BufReader, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use mkio::{Client, Response, RetryPolicy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Parser)]
struct Args {
    /// API whose operations are called.
    #[arg(long)]
    api: String,
    /// Where the server is.
    #[arg(long)]
    base_url: String,
    /// File with the calls.
    #[arg(long)]
    calls: PathBuf,
    /// File for the report.
    #[arg(long)]
    report: PathBuf,
}

#[derive(Deserialize)]
struct Call {
    operation: String,
    arguments: Map<String, Value>,
}

#[derive(Serialize)]
struct CallResult {
    operation: String,
    status: Option<u16>,
    error: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let calls = File::open(&args.calls).with_context(|| args.calls.display().to_string())?;
    let calls: Vec<Call> = serde_json::from_reader(BufReader::new(calls))?;
    let client = Client::builder()
        .token("conformance")
        .base_url(&args.base_url)
        .retry(RetryPolicy::none())
        .build()?;
    let mut results = Vec::new();
    for call in calls {
        let outcome = make(&client, &args.api, &call).await?;
        results.push(match outcome {
            Ok(response) => CallResult {
                operation: call.operation,
                status: Some(response.http_status().as_u16()),
                error: None,
            },
            Err(error) => CallResult {
                operation: call.operation,
                status: error.status().map(|status| status.as_u16()),
                error: Some(format!(
                    "{error}: {}",
                    String::from_utf8_lossy(error.body())
                )),
            },
        });
    }
    let report = File::create(&args.report).with_context(|| args.report.display().to_string())?;
    serde_json::to_writer_pretty(report, &results)?;
    Ok(())
}

async fn make(
    client: &Client,
    api: &str,
    call: &Call,
) -> Result<mkio::Result<Response<mkio::dynamic::DynamicResponse>>> {
    let (operation, arguments) = (call.operation.as_str(), &call.arguments);
    let transport = client.transport().clone();
    macro_rules! call {
        ($api:ident) => {
            mkio::$api::dynamic::call(&mkio::$api::Client::new(transport), operation, arguments)
                .await
        };
    }
    Ok(match api {
        "media" => call!(media),
        "management" => call!(management),
        "fleets" => call!(fleets),
        "infrastructure" => call!(infrastructure),
        "live" => call!(live),
        "templates" => call!(templates),
        "channels" => call!(channels),
        unknown => bail!("unknown API {unknown:?}"),
    })
}
