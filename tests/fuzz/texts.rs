//! Scenes, cell types, molecules, drugs, tables of cells and tables of vessels.

use std::fs;
use std::path::Path;

use tumorscape::biology::vasculature::table::read_network;
use tumorscape::scene::table::read_table;
use tumorscape::scene::{parse_drug, parse_molecule, parse_prefab};
use tumorscape::simulation::Program;

use super::mutation::{Dice, mutated};
use super::{rounds, try_all};

/// The shipped texts of a folder, in the order of their names.
fn shipped(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("it is part of the repository");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "ron"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read_to_string(path).expect("a text"))
        .collect()
}

/// Seeds that once failed.
const SEEDS: [u64; 0] = [];

fn scenes(rounds: u64) {
    let texts = shipped("scenes");
    let program = Program::default();
    try_all("a scene", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let text = dice.pick::<String>(&texts);
        let text = mutated(text, &mut dice);
        // Nothing is found in that folder.
        match program.parse_scene(&text, "fuzz/s.ron", Some(Path::new("/nowhere"))) {
            // What is right can be written and read again.
            Ok(scene) => drop(scene.to_ron(1)),
            Err(report) => assert!(!report.to_string().is_empty()),
        }
    });
}

fn cells(rounds: u64) {
    let texts = shipped("assets/cells");
    try_all("a cell type", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let text = dice.pick::<String>(&texts);
        let text = mutated(text, &mut dice);
        if let Err(report) = parse_prefab(&text, "assets/cells/x.ron") {
            assert!(!report.to_string().is_empty());
        }
    });
}

fn molecules(rounds: u64) {
    let texts = shipped("assets/molecules");
    try_all("a molecule", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let text = dice.pick::<String>(&texts);
        let text = mutated(text, &mut dice);
        if let Err(report) = parse_molecule(&text, "assets/molecules/x.ron") {
            assert!(!report.to_string().is_empty());
        }
    });
}

fn drugs(rounds: u64) {
    let texts = shipped("assets/drugs");
    try_all("a drug", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let text = dice.pick::<String>(&texts);
        let text = mutated(text, &mut dice);
        if let Err(report) = parse_drug(&text, "assets/drugs/x.ron") {
            assert!(!report.to_string().is_empty());
        }
    });
}

/// A capillary ladder between an artery and a vein, as two tables.
fn vessels(rounds: u64) {
    let mut nodes = "id,x,y,z,port,mmhg,um3_per_min,haematocrit\n".to_owned();
    let mut segments = "from,to,radius_um,length_um,kind,maturity\n".to_owned();
    for n in 0..20 {
        let port = match n {
            0 => "artery,35,,0.45",
            19 => "vein,15,,",
            _ => ",,,",
        };
        nodes.push_str(&format!("{n},{}.5,{},0,{port}\n", n * 10, n % 2 * 20));
        if n > 0 {
            segments.push_str(&format!("{},{n},4.2,,capillary,0.8\n", n - 1));
        }
        if n > 1 {
            segments.push_str(&format!("{},{n},3.1,25.5,capillary,\n", n - 2));
        }
    }
    let is_read = read_network(("n.csv", &nodes), ("s.csv", &segments));
    assert!(is_read.is_ok(), "unchanged they are right");
    try_all("tables of vessels", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let (of_nodes, of_segments) = match seed % 3 {
            0 => (mutated(&nodes, &mut dice), segments.clone()),
            1 => (nodes.clone(), mutated(&segments, &mut dice)),
            _ => (mutated(&nodes, &mut dice), mutated(&segments, &mut dice)),
        };
        match read_network(("n.csv", &of_nodes), ("s.csv", &of_segments)) {
            Ok((nodes, segments)) => {
                let places = nodes.iter().map(|node| node.at_um);
                assert!(places.into_iter().all(|(x, y, z)| (x + y + z).is_finite()));
                assert!(segments.iter().all(|of| of.radius_um > 0.0));
            }
            Err(faults) => assert!(!faults.is_empty()),
        }
    });
}

fn tables(rounds: u64) {
    let row = |n: u32| format!("{},{:.3},-{},cancer\n", n, f64::from(n) * 0.1, n);
    let plain: String = ["x,y,z,type\n".to_owned()]
        .into_iter()
        .chain((0..40).map(row))
        .collect();
    let of_run = "cell,site,type,phase,x_um,y_um,z_um,radius_um\n1,dish,cancer,s,1,2,3,8.4\n2,dish,cancer,,4,5,6,\n";
    let texts = [plain, of_run.to_owned()];
    let types = ["cancer".to_owned()];
    try_all("a table", &SEEDS, rounds, |seed| {
        let mut dice = Dice(seed);
        let text = dice.pick::<String>(&texts);
        let text = mutated(text, &mut dice);
        match read_table(&text, "t.csv", &types) {
            Ok(rows) => assert!(rows.iter().all(|row| row.at_um.is_finite())),
            Err(report) => assert!(!report.to_string().is_empty()),
        }
    });
}

#[test]
fn no_text_makes_the_program_panic_or_stall() {
    scenes(60);
    cells(200);
    molecules(200);
    drugs(200);
    tables(5_000);
    vessels(2_000);
}

#[test]
#[ignore = "as long as FUZZ_ROUNDS says"]
fn no_text_of_many_makes_the_program_panic_or_stall() {
    tables(rounds(0.70));
    vessels(rounds(0.19));
    molecules(rounds(0.06));
    drugs(rounds(0.03));
    cells(rounds(0.01));
    scenes(rounds(0.005));
}
