//! Runs an example by its name.

use std::process::ExitCode;

use clap::Parser;
use mkio_examples::{Example, examples, place::Place, run};

/// Examples of the MK.IO SDK. Without MKIO_TOKEN they run on an emulator in this process.
#[derive(Parser)]
struct Arguments {
    /// The example; without one, all are listed.
    name: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(name) = Arguments::parse().name else {
        for example in examples::ALL {
            println!("{:<28}{}", example.name, example.about);
        }
        return ExitCode::SUCCESS;
    };
    let Some(example) = examples::ALL.iter().find(|example| example.name == name) else {
        eprintln!("there is no example `{name}`; without a name, all are listed");
        return ExitCode::FAILURE;
    };
    match tried(example).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name} failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn tried(example: &Example) -> anyhow::Result<()> {
    let place = Place::start().await?;
    let stop = async {
        // Without a way to hear of Ctrl-C, it ends the program as always.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    run(example, &place, stop).await
}
