//! The media that plays: a few seconds of a test picture and of a tone, over and over. `data/media/make.sh` made them.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::base::store::Resource;

/// Milliseconds of a segment: a whole number of pictures at 25 and of AAC frames at 48,000 a second.
pub const SEGMENT_MS: u64 = 1_920;

/// A picture of it, as a JPEG.
pub const PICTURE: &[u8] = include_bytes!("../../../../data/media/picture.jpg");

/// The media of a file, if its name and size are those of some media.
fn content(name: &str, size: u64) -> Option<&'static [u8]> {
    let all = [Media::Video, Media::SmallVideo, Media::Audio].map(Media::file);
    let fits = |bytes: &&[u8]| bytes.len() as u64 == size;
    match name.rsplit_once('.')?.1 {
        "mp4" => all.into_iter().find(fits),
        "jpg" => Some(PICTURE).filter(fits),
        _ => None,
    }
}

/// The bytes of a file that nobody stored: media if the size fits, and a pattern otherwise.
pub fn made_up(asset: &Resource, name: &str, size: u64) -> Bytes {
    match content(name, size) {
        Some(media) => Bytes::from_static(media),
        None => pattern(asset, name, size).into(),
    }
}

/// Bytes: the asset's id and name over and over, so that every file differs and every download agrees.
fn pattern(asset: &Resource, name: &str, size: u64) -> Vec<u8> {
    let pattern = format!("{}/{name}\n", asset.id);
    // Files are made by the emulator or named by a seed; the cap keeps a seed's mistake small.
    pattern
        .bytes()
        .cycle()
        .take(usize::try_from(size).unwrap_or(0).min(16 * 1024 * 1024))
        .collect()
}

/// A track of the media.
#[derive(Debug)]
pub struct Sample {
    /// The initialization segment.
    init: Bytes,
    segments: Vec<Bytes>,
    /// Ticks of a second.
    pub timescale: u64,
    /// The value of `codecs` in a manifest.
    pub codec: &'static str,
}

/// Which media a track plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// 320 by 180 pixels.
    Video,
    /// 160 by 90 pixels.
    SmallVideo,
    /// AAC, one channel.
    Audio,
}

impl Media {
    /// The media of a rendition, by its height.
    pub fn of_height(height: u32) -> Self {
        if height < 500 {
            Self::SmallVideo
        } else {
            Self::Video
        }
    }

    /// All of it, as one file.
    pub fn file(self) -> &'static [u8] {
        match self {
            Self::Video => include_bytes!("../../../../data/media/video.mp4"),
            Self::SmallVideo => include_bytes!("../../../../data/media/small.mp4"),
            Self::Audio => include_bytes!("../../../../data/media/audio.mp4"),
        }
    }

    /// Its segments.
    pub fn sample(self) -> &'static Sample {
        static SAMPLES: [OnceLock<Sample>; 3] = [const { OnceLock::new() }; 3];
        let (timescale, codec) = match self {
            Self::Audio => (48_000, "mp4a.40.2"),
            _ => (12_800, "avc1.42c00d"),
        };
        let [video, small, audio] = &SAMPLES;
        let kept = match self {
            Self::Video => video,
            Self::SmallVideo => small,
            Self::Audio => audio,
        };
        kept.get_or_init(|| Sample::new(self.file(), timescale, codec))
    }
}

impl Sample {
    fn new(file: &'static [u8], timescale: u64, codec: &'static str) -> Self {
        let starts: Vec<usize> = boxes(file)
            .filter(|(_, kind)| *kind == b"moof")
            .map(|(at, _)| at)
            .collect();
        let first = starts.first().copied().unwrap_or(file.len());
        let ends = starts.iter().skip(1).copied().chain([file.len()]);
        let part = |(start, end): (usize, usize)| {
            Bytes::from_static(file.get(start..end).unwrap_or_default())
        };
        Self {
            init: part((0, first)),
            segments: starts.iter().copied().zip(ends).map(part).collect(),
            timescale,
            codec,
        }
    }

    /// The initialization segment.
    pub fn init(&self) -> Bytes {
        self.init.clone()
    }

    /// Number of segments before they repeat.
    pub fn count(&self) -> u64 {
        self.segments.len() as u64
    }

    /// Ticks of a segment.
    pub fn duration(&self) -> u64 {
        self.timescale * SEGMENT_MS / 1_000
    }

    /// A segment, counted from 0 without end, with the time that it has then.
    pub fn segment(&self, number: u64) -> Bytes {
        let index = number.checked_rem(self.count()).unwrap_or(0);
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| self.segments.get(index));
        let mut bytes = found.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let name = bytes.windows(4).position(|name| name == b"tfdt");
        // Name, version and flags; the time is one of 64 bits.
        if let Some(time) = name.and_then(|at| bytes.get_mut(at + 8..at + 16)) {
            time.copy_from_slice(&(number.saturating_mul(self.duration())).to_be_bytes());
        }
        bytes.into()
    }
}

/// The boxes of an MP4 file that are in no other: where they start, and their names.
fn boxes(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let size = file
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_be_bytes)?;
        let found = (at, file.get(at + 4..at + 8)?);
        at = at.checked_add(usize::try_from(size).ok().filter(|size| *size >= 8)?)?;
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(segment: &[u8]) -> (u8, u64) {
        let at = segment
            .windows(4)
            .position(|name| name == b"tfdt")
            .expect("a time");
        let ticks = segment[at + 8..at + 16].try_into().expect("eight bytes");
        (segment[at + 4], u64::from_be_bytes(ticks))
    }

    #[test]
    fn segments_follow_each_other_without_a_gap_and_begin_again() {
        for media in [Media::Video, Media::SmallVideo, Media::Audio] {
            let sample = media.sample();
            assert_eq!(sample.count(), 4, "{media:?}");
            assert!(sample.init().windows(4).any(|name| name == b"moov"));
            for (number, segment) in sample.segments.iter().enumerate() {
                let due = number as u64 * sample.duration();
                assert_eq!(time(segment), (1, due), "{media:?} {number}");
                assert_eq!(sample.segment(number as u64), segment);
            }
            let later = sample.segment(4_001);
            assert_eq!(time(&later), (1, 4_001 * sample.duration()));
            assert_eq!(later.len(), sample.segments[1].len());
        }
    }

    #[test]
    fn all_of_it_is_small() {
        let size: usize = [Media::Video, Media::SmallVideo, Media::Audio]
            .iter()
            .map(|media| media.file().len())
            .sum();
        assert!(size < 300_000, "{size} bytes");
    }
}
