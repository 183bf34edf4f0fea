//! Its columns, expectations and events in the folder of a run.

use super::*;

/// Runs the scene to its end in a folder of its own, with the books kept.
fn run_to_the_end(folder: &Path) -> (Simulation, std::path::PathBuf) {
    let mut simulation = simulation(folder);
    let out = folder.join("out");
    let run_folder = RunFolder::create(&out, &simulation).expect("writable");
    let mut journal = Journal::new(&simulation, Some(run_folder));
    journal.note(&simulation).expect("writable");
    while simulation.steps() < simulation.total_steps() {
        simulation.step();
        journal.note(&simulation).expect("writable");
    }
    journal.finish(&simulation).expect("writable");
    let verdicts = journal.judge(&simulation);
    assert_eq!(verdicts.len(), 3);
    let sentences: Vec<&str> = verdicts
        .iter()
        .map(|verdict| verdict.sentence.as_str())
        .collect();
    assert!(
        verdicts.iter().all(|verdict| verdict.holds),
        "{sentences:?}"
    );
    assert!(
        journal
            .event_counts
            .iter()
            .any(|(kind, count)| kind == "sparkle.flash" && *count > 0),
        "{:?}",
        journal.event_counts
    );
    (simulation, out)
}

/// The values of a column of a table.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut lines = table.lines();
    let header = lines.next().expect("a header");
    let mut names = header.split(',');
    let at = names
        .position(|known| known == name)
        .unwrap_or_else(|| panic!("`{name}` in {header}"));
    let value = |line: &str| line.split(',').nth(at).unwrap_or_default().to_owned();
    lines.map(value).collect()
}

#[test]
fn it_is_in_the_tables_the_expectations_and_the_events_of_a_run() {
    let folder = workplace();
    let (simulation, out) = run_to_the_end(folder.path());
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("it is written");
    let metrics = read("metrics.csv");
    for name in [
        "glow_mean",
        "light",
        "luciferin_mean_nm",
        "luciferin_at_cells_mean_nm",
    ] {
        let values = column(&metrics, name);
        assert_eq!(values.len(), 9, "every hour of eight, and the start");
        assert!(values.iter().all(|value| value.parse::<f64>().is_ok()));
    }
    // The light is the sum of what cells glow, worked out here in another way.
    let light: f64 = glowing(&simulation)
        .iter()
        .map(|(.., of)| f64::from(of.glow))
        .sum();
    let last = column(&metrics, "light").pop().expect("a last row");
    let last: f64 = last.parse().expect("a number");
    assert!((last / light - 1.0).abs() < 1e-5, "{last}, {light}");
    let cells = read("cells_2h.csv");
    let types = column(&cells, "type");
    for name in ["glow", "fatigue", "luciferin_nm"] {
        for (value, of) in column(&cells, name).iter().zip(&types) {
            assert_eq!(
                value.is_empty(),
                name != "luciferin_nm" && of != "firefly",
                "{name}"
            );
        }
    }
    let kinds = column(&read("events.csv"), "kind");
    assert!(kinds.iter().any(|kind| kind == "sparkle.flash"));
}
