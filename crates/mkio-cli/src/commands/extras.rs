//! Captions and thumbnails of `mkio encode`.

use clap::{Arg, ArgAction, ArgMatches};
use mkio::{
    Project,
    media::types::{
        AiPipelinePreset, JobInputAsset, JobOutputAsset, JobPut, JobPutProperties,
        PipelineArgument, PipelineArguments, TextTrack, ThumbnailFormat,
        ThumbnailGeneratorConfiguration, ThumbnailGeneratorPreset, TrackInserterPreset,
        TransformOutput,
    },
};

use super::{assets, encoding};
use crate::{
    failure::{Exit, Failure, Result},
    options::text,
    session::Session,
};

pub(super) fn arguments() -> [Arg; 2] {
    [
        Arg::new("captions")
            .long("captions")
            .value_name("LANGUAGE")
            .value_parser(language)
            .help("Transcribes the speech, in a language such as en-US, and adds it as a track"),
        Arg::new("thumbnails")
            .long("thumbnails")
            .action(ArgAction::SetTrue)
            .help("Makes thumbnails, in an asset of their own"),
    ]
}

/// A language such as `en-US`: it is a part of names.
fn language(text: &str) -> Result<String, String> {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    let is_tag = text.split('-').all(is_part);
    let tag = is_tag.then(|| text.to_owned());
    tag.ok_or_else(|| "it takes a language such as en-US".to_owned())
}

/// The encode that captions and thumbnails belong to.
pub(super) struct Encoded<'a> {
    pub(super) session: &'a Session,
    pub(super) project: &'a Project,
    pub(super) matches: &'a ArgMatches,
    pub(super) input: &'a encoding::Input,
    /// The asset with the encoded video.
    pub(super) output: &'a str,
}

impl Encoded<'_> {
    /// Captions and thumbnails, where they are asked for; `made` takes the names of new assets.
    pub(super) async fn add(&self, made: &mut Vec<String>) -> Result<()> {
        if let Some(language) = text(self.matches, "captions") {
            self.captions(&language, made).await?;
        }
        if self.matches.get_flag("thumbnails") {
            self.thumbnails(made).await?;
        }
        Ok(())
    }

    async fn captions(&self, language: &str, made: &mut Vec<String>) -> Result<()> {
        let argument = PipelineArgument::new("language", language.into());
        let pipeline = PipelineArguments::new("Predefined_ACSVodTranscription")
            .with_arguments([("VodTranscription", vec![argument])]);
        let transcribes = TransformOutput::new(AiPipelinePreset::new(pipeline));
        let asset = format!("{}-captions-{language}", self.output);
        self.asset(&asset, made).await?;
        let transform = format!("transcribe-{language}");
        let job = self.input.job(&asset);
        self.run((&transform, transcribes), &asset, job).await?;

        // The captions go into the asset that they belong to.
        let files = self.project.files().list(&asset).await?.files;
        let captions = files.into_iter().find(|file| file.name.ends_with(".vtt"));
        let captions = captions.ok_or_else(|| {
            let message = format!("the transcription left no captions in {asset}");
            Failure::new(Exit::Unusable, message)
        })?;
        let track = TextTrack::new(format!("captions-{language}"))
            .with_language_code(language)
            .with_display_name(language);
        let inserts = TransformOutput::new(TrackInserterPreset::new([track]));
        let transform = format!("captions-{language}");
        let input = JobInputAsset::new(&asset).with_files([captions.name]);
        let target = [JobOutputAsset::new(self.output)];
        let job = JobPutProperties::new(input, target).into();
        self.run((&transform, inserts), self.output, job).await
    }

    async fn thumbnails(&self, made: &mut Vec<String>) -> Result<()> {
        let sprite = ThumbnailGeneratorConfiguration::new(ThumbnailFormat::Jpeg)
            .with_start("0%")
            .with_step("10%")
            .with_range("100%")
            .with_width("20%");
        let makes = TransformOutput::new(ThumbnailGeneratorPreset::new([sprite]));
        let asset = format!("{}-thumbnails", self.output);
        self.asset(&asset, made).await?;
        let job = self.input.job(&asset);
        self.run(("thumbnails", makes), &asset, job).await
    }

    /// An asset beside the one with the video.
    async fn asset(&self, name: &str, made: &mut Vec<String>) -> Result<()> {
        let beside = Some(self.output);
        if assets::make(self.session, self.project, name, beside, self.matches).await? {
            made.push(name.to_owned());
        }
        Ok(())
    }

    async fn run(
        &self,
        (transform, output): (&str, TransformOutput),
        into: &str,
        job: JobPut,
    ) -> Result<()> {
        encoding::ensure(self.session, self.project, transform, output).await?;
        let name = encoding::job_name(into);
        encoding::run_job(self.session, self.project, transform, &name, job)
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_parts_of_names() {
        assert_eq!(language("en-US").as_deref(), Ok("en-US"));
        for odd in ["", "en-", "en/US", "en US"] {
            assert!(language(odd).is_err(), "{odd}");
        }
    }
}
