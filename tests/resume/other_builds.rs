//! Checkpoints of builds that keep other things are refused in words; those of builds that keep the same are taken.

use std::path::Path;

use tumorscape::journal::checkpoint::NEWEST;

use super::{refused, run_to, succeeds, warned, workplace};

/// Magic, version, length and checksum.
const HEADER_BYTES: usize = 28;

/// The pieces of a checkpoint: each has its length before it in a zstd stream behind the header.
pub fn pieces(file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).expect("it is there");
    let stream = zstd::decode_all(&bytes[HEADER_BYTES..]).expect("it is whole");
    let (mut rest, mut pieces) = (stream.as_slice(), Vec::new());
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (piece, behind) = behind.split_at(u64::from_le_bytes(*length) as usize);
        pieces.push(piece.to_vec());
        rest = behind;
    }
    pieces
}

/// A whole checkpoint of these pieces, with the version of another one.
fn pack(pieces: &[Vec<u8>], like: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for piece in pieces {
        stream.extend_from_slice(&(piece.len() as u64).to_le_bytes());
        stream.extend_from_slice(piece);
    }
    let packed = zstd::encode_all(stream.as_slice(), 1).expect("it can be packed");
    let mut file = like[..12].to_vec();
    file.extend_from_slice(&(packed.len() as u64).to_le_bytes());
    let sum = [file.as_slice(), &packed].map(xxhash_rust::xxh3::xxh3_64);
    file.extend_from_slice(&(sum[0] ^ sum[1]).to_le_bytes());
    file.extend_from_slice(&packed);
    file
}

#[test]
fn a_checkpoint_of_another_build_is_refused_by_the_name_of_what_differs() {
    let folder = workplace();
    let folder = folder.path();
    succeeds(folder, &run_to("run", &["--until", "20min"]));
    let newest = folder.join("run").join(NEWEST);
    let good = std::fs::read(&newest).expect("it is there");
    let whole = pieces(&newest);
    assert!(pack(&whole, &good) == good, "they are put together again");
    let contains = |piece: &[u8], words: &str| {
        let words = words.as_bytes();
        piece.windows(words.len()).any(|window| window == words)
    };
    let rename = |pieces: &mut Vec<Vec<u8>>, from: &str, to: &str| {
        assert_eq!(from.len(), to.len(), "lengths stand before names");
        let piece = pieces
            .iter_mut()
            .find(|piece| contains(piece, from))
            .expect("the name is there");
        let at = (0..).find(|at| piece[*at..].starts_with(from.as_bytes()));
        let at = at.expect("the name is there");
        piece[at..at + from.len()].copy_from_slice(to.as_bytes());
    };
    // The head of the column is the last piece with its name, the values follow.
    let column = |pieces: &[Vec<u8>], name: &str| {
        let head = pieces.iter().rposition(|piece| contains(piece, name));
        head.expect("the column is there")
    };
    type Edit<'e> = &'e dyn Fn(&mut Vec<Vec<u8>>);
    let edits: [(&str, Edit, &[&str]); 8] = [
        (
            "a state has another name",
            &|pieces| rename(pieces, "hif_axis", "hif_exis"),
            &[
                "it does not know the state `hif_exis`",
                "the file lacks its state `hif_axis`",
            ],
        ),
        (
            "a field of a state has another name",
            &|pieces| rename(pieces, "step_minutes:f64", "step_seconds:f64"),
            &[
                "its `clock` is Clock{step:u64,step_minutes:f64}, not Clock{step:u64,step_seconds:f64}",
            ],
        ),
        (
            "the description of the run has another field",
            &|pieces| rename(pieces, "end_minutes:f64", "end_seconds:f64"),
            &["it describes a run as", "end_minutes"],
        ),
        (
            "a parameter has another name",
            &|pieces| rename(pieces, "cancer.cycle.g2_hours", "cancer.cycle.t2_hours"),
            &["the file lacks its parameter `cancer.cycle.g2_hours`"],
        ),
        (
            "a column is missing",
            &|pieces| {
                let at = column(pieces, "vital");
                pieces.drain(at..at + 2);
            },
            &["the file lacks the state `vital` of its cells"],
        ),
        (
            "a column is too long",
            &|pieces| {
                let at = column(pieces, "vital");
                pieces[at + 1].push(0);
            },
            &["the file has more of `vital` than its cells"],
        ),
        (
            "a column is too short",
            &|pieces| {
                let at = column(pieces, "position");
                pieces[at + 1].pop();
            },
            &["the file has too little of `position` for its cells"],
        ),
        (
            "a resource is too long",
            &|pieces| {
                let at = column(pieces, "next_cell");
                pieces[at + 1].push(0);
            },
            &["`next_cell` of the file does not fit: 1 bytes of it are left over"],
        ),
    ];
    for (name, edit, says) in edits {
        let mut edited = whole.clone();
        edit(&mut edited);
        let bytes = pack(&edited, &good);
        std::fs::write(&newest, &bytes).expect("writable");
        let text = refused(folder, &["resume", "run", "--until", "1h"]);
        assert!(
            text.contains("resume with the program that wrote it"),
            "{name}: {text}"
        );
        for says in says {
            assert!(text.contains(says), "{name}: {text}");
        }
        let left = std::fs::read(&newest).expect("it is there");
        assert!(
            left == bytes,
            "{name}: it is left to the program that wrote it"
        );
    }
    // The same layout, another program: it goes on, with a warning.
    let mut edited = whole.clone();
    let (version, other) = (env!("CARGO_PKG_VERSION"), "9.9.9");
    rename(&mut edited, version, other);
    std::fs::write(&newest, pack(&edited, &good)).expect("writable");
    let text = warned(folder, &["resume", "run", "--until", "1h"]);
    assert!(
        text.contains("another build of this program (version 9.9.9"),
        "{text}"
    );
}
