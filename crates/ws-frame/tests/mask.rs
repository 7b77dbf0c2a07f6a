//! The masker against a loop over bytes, for every alignment and cutting.

use proptest::prelude::*;
use ws_frame::Masker;

/// RFC 6455 section 5.3, word for word: `transformed-octet-i = original-octet-i XOR masking-key-octet-(i MOD 4)`.
fn oracle(key: [u8; 4], data: &[u8]) -> Vec<u8> {
    data.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect()
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

const KEYS: [[u8; 4]; 4] = [[0; 4], [0x37, 0xfa, 0x21, 0x3d], [0xff; 4], [1, 0, 0, 0]];

#[test]
fn every_length_at_every_alignment() {
    for key in KEYS {
        for start in 0..33 {
            // All short ones, and some around and above the length from which alignment matters.
            for len in (0..70).chain(250..262).chain([287, 288, 289, 1000]) {
                let mut data = sample(start + len + 16);
                let before = data.clone();
                let part = start..start + len;
                Masker::new(key).apply(&mut data[part.clone()]);
                assert_eq!(data[part.clone()], oracle(key, &before[part.clone()]), "{start} {len}");
                assert_eq!(data[..start], before[..start]);
                assert_eq!(data[part.end..], before[part.end..]);

                let mut copied = vec![0xAA; before.len()];
                Masker::new(key).copy(&before[part.clone()], &mut copied[part.clone()]);
                assert_eq!(copied[part.clone()], data[part.clone()], "{start} {len}");
                assert!(copied[..start].iter().chain(&copied[part.end..]).all(|&byte| byte == 0xAA));
            }
        }
    }
}

#[test]
fn every_cut_in_two() {
    let [_, key, ..] = KEYS;
    let data = sample(600);
    let expected = oracle(key, &data);
    for cut in 0..=data.len() {
        let mut masker = Masker::new(key);
        let mut whole = data.clone();
        let (first, second) = whole.split_at_mut(cut);
        masker.apply(first);
        masker.apply(second);
        assert_eq!(whole, expected, "cut at {cut}");
    }
}

#[test]
fn a_key_of_zeros_changes_nothing() {
    let mut data = sample(1000);
    Masker::new([0; 4]).apply(&mut data);
    assert_eq!(data, sample(1000));
}

#[test]
fn copy_takes_what_both_slices_have() {
    let [_, key, ..] = KEYS;
    let src = sample(20);
    for len in [0, 3, 8, 13, 20] {
        let mut masker = Masker::new(key);
        let mut dst = vec![0; len];
        masker.copy(&src, &mut dst);
        assert_eq!(dst, oracle(key, &src)[..len]);
        let mut wide = vec![0xAA; 30];
        masker.copy(&src[len..], &mut wide);
        assert_eq!(wide[..20 - len], oracle(key, &src)[len..]);
        assert!(wide[20 - len..].iter().all(|&byte| byte == 0xAA));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_cutting_is_the_whole(
        key in any::<[u8; 4]>(),
        data in prop::collection::vec(any::<u8>(), 0..3000),
        start in 0..33usize,
        cuts in prop::collection::vec((1..700usize, any::<bool>()), 1..40),
    ) {
        let data = &data[start.min(data.len())..];
        let mut applied = data.to_vec();
        let mut masker = Masker::new(key);
        let mut at = 0;
        for &(len, copy) in cuts.iter().cycle() {
            let end = data.len().min(at + len);
            if copy {
                masker.copy(&data[at..end], &mut applied[at..end]);
            } else {
                masker.apply(&mut applied[at..end]);
            }
            at = end;
            if at == data.len() {
                break;
            }
        }
        prop_assert_eq!(&applied, &oracle(key, data));
        Masker::new(key).apply(&mut applied);
        prop_assert_eq!(&applied, data, "masking twice gives the original");
    }
}
