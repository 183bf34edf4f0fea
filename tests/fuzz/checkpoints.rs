//! Checkpoints that somebody has changed and given a right checksum.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tumorscape::journal::Journal;
use tumorscape::journal::checkpoint::{self, Checkpoint, NEWEST};
use tumorscape::journal::run_folder::RunFolder;
use tumorscape::simulation::{Program, Simulation};
use xxhash_rust::xxh3::xxh3_64;

use super::mutation::{Dice, mutated_bytes};
use super::{rounds, try_all};

/// Magic, version, length and checksum.
const HEADER_BYTES: usize = 28;
const SUMMED_BYTES: usize = HEADER_BYTES - 8;

/// A small run with cells, a field and bonds to be, a few steps on: its checkpoint.
fn genuine(folder: &Path) -> Vec<u8> {
    let text = r#"(title: "t", about: "", pace: Illustrative, duration: Minutes(30),
        sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)])],
        populations: [(cell: "cancer", place: Ball(center_um: (0, 0, 0), radius_um: 30))])"#;
    let scene = Program::default().parse_scene(text, "s.ron", None);
    let scene = Arc::new(scene.expect("a good scene"));
    let mut simulation = Simulation::new(scene, 1).expect("a good scene");
    let written = RunFolder::create(&folder.join("run"), &simulation).expect("writable");
    let mut journal = Journal::new(&simulation, Some(written));
    for _ in 0..5 {
        simulation.step();
        journal.note(&simulation).expect("writable");
    }
    let state = journal.state().expect("writable").expect("it has a folder");
    let run = checkpoint::run_state(&simulation, 10, state).expect("it can be written");
    checkpoint::write(&folder.join("run"), &run, simulation.world()).expect("writable");
    fs::read(folder.join("run").join(NEWEST)).expect("it was written")
}

/// The file of a checkpoint with these contents and a right header.
fn forged(version: &[u8], unpacked: &[u8]) -> Vec<u8> {
    let packed = zstd::encode_all(unpacked, 1).expect("it can be packed");
    let mut file = b"TUMORSCP".to_vec();
    file.extend_from_slice(version);
    file.extend_from_slice(&(packed.len() as u64).to_le_bytes());
    let checksum = xxh3_64(&packed) ^ xxh3_64(&file[..SUMMED_BYTES]);
    file.extend_from_slice(&checksum.to_le_bytes());
    file.extend_from_slice(&packed);
    file
}

/// Opens and resumes a file, and if it is believed takes a step.
fn resume(path: &Path, file: &[u8]) -> Result<(), String> {
    fs::write(path, file).expect("writable");
    let checkpoint = Checkpoint::open(path).map_err(|error| error.to_string())?;
    let resumed = Program::default().resume(checkpoint);
    let (mut simulation, _) = resumed.map_err(|error| error.to_string())?;
    simulation.verify();
    simulation.step();
    Ok(())
}

/// Seeds that once failed.
const SEEDS: [u64; 0] = [];

fn checkpoints(rounds: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let genuine = genuine(folder.path());
    let version = genuine[8..12].to_owned();
    let unpacked = zstd::decode_all(&genuine[HEADER_BYTES..]).expect("it is whole");
    let path = folder.path().join("forged.tumorscape");
    assert_eq!(resume(&path, &forged(&version, &unpacked)), Ok(()));
    try_all("a checkpoint", &SEEDS, rounds, |seed| {
        let bytes = mutated_bytes(&unpacked, &mut Dice(seed));
        if let Err(said) = resume(&path, &forged(&version, &bytes)) {
            assert!(said.contains("forged.tumorscape"), "{said}");
        }
    });
}

#[test]
fn no_forged_checkpoint_is_believed_beyond_what_it_holds() {
    checkpoints(60);
}

#[test]
#[ignore = "as long as FUZZ_ROUNDS says"]
fn no_forged_checkpoint_of_many_is_believed_beyond_what_it_holds() {
    checkpoints(rounds(0.005));
}

#[test]
fn no_more_is_unpacked_than_a_checkpoint_can_hold() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let genuine = genuine(folder.path());
    let unpacked = zstd::decode_all(&genuine[HEADER_BYTES..]).expect("it is whole");
    let layout = u64::from_le_bytes(unpacked[..8].try_into().expect("eight bytes")) as usize + 8;
    let path = folder.path().join("forged.tumorscape");
    // After the layout a section that states, and has, half a gigabyte of zeros; and one that only states it.
    for (stated, there) in [(1_u64 << 29, 1_usize << 29), (1 << 40, 16), (u64::MAX, 16)] {
        let mut bytes = unpacked[..layout].to_vec();
        bytes.extend_from_slice(&stated.to_le_bytes());
        bytes.resize(bytes.len() + there, 0);
        let file = forged(&genuine[8..12], &bytes);
        assert!(file.len() < 200_000, "{} bytes", file.len());
        let said = resume(&path, &file).expect_err("it is impossible");
        assert!(said.contains("states an impossible length"), "{said}");
    }
}
