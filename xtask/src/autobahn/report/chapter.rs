//! The suite's chapters, and how many cases of each fared how.

use std::collections::BTreeMap;

use super::super::judge::Judgement;

/// What a chapter is about.
pub(crate) fn title(chapter: u32) -> &'static str {
    match chapter {
        1 => "Framing",
        2 => "Pings and pongs",
        3 => "Reserved bits",
        4 => "Opcodes",
        5 => "Fragmentation",
        6 => "UTF-8",
        7 => "Closing",
        9 => "Limits and performance",
        10 => "Miscellaneous",
        12 => "Compression: payloads",
        13 => "Compression: parameters",
        _ => "",
    }
}

/// The counts of a chapter in one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) cases: usize,
    pub(crate) ok: usize,
    pub(crate) informational: usize,
    /// Neither OK nor informational, whatever was expected.
    pub(crate) other: usize,
    pub(crate) deviations: usize,
    /// In milliseconds.
    pub(crate) duration: i64,
}

impl Counts {
    /// The counts of all chapters together.
    pub(crate) fn sum(counts: impl IntoIterator<Item = Self>) -> Self {
        counts.into_iter().fold(Self::default(), |sum, chapter| Self {
            cases: sum.cases + chapter.cases,
            ok: sum.ok + chapter.ok,
            informational: sum.informational + chapter.informational,
            other: sum.other + chapter.other,
            deviations: sum.deviations + chapter.deviations,
            duration: sum.duration + chapter.duration,
        })
    }
}

/// Counts one role's run by chapter.
pub(crate) fn count(judgement: &Judgement) -> BTreeMap<u32, Counts> {
    let mut chapters: BTreeMap<u32, Counts> = BTreeMap::new();
    for verdict in &judgement.verdicts {
        let counts = chapters.entry(verdict.case.chapter()).or_default();
        counts.cases += 1;
        counts.duration += verdict.entry.as_ref().map_or(0, |entry| entry.duration);
        match verdict.behavior() {
            "OK" => counts.ok += 1,
            "INFORMATIONAL" => counts.informational += 1,
            _ => counts.other += 1,
        }
        if verdict.deviation().is_some() {
            counts.deviations += 1;
        }
    }
    chapters
}

#[cfg(test)]
mod tests {
    use super::super::super::judge::tests::{judgement, verdict};
    use super::*;

    #[test]
    fn cases_are_counted_by_chapter() {
        let chapters = count(&judgement(vec![
            verdict("1.1.1", Some(("OK", "OK"))),
            verdict("1.1.2", Some(("OK", "UNCLEAN"))),
            verdict("7.1.6", Some(("INFORMATIONAL", "INFORMATIONAL"))),
            verdict("7.1.7", None),
        ]));
        let (first, seventh) = (chapters[&1], chapters[&7]);
        assert_eq!(first, Counts { cases: 2, ok: 2, informational: 0, other: 0, deviations: 1, duration: 6 });
        assert_eq!((seventh.informational, seventh.other, seventh.deviations), (1, 1, 2));
        assert_eq!(Counts::sum([first, seventh]).cases, 4);
    }
}
