//! `split`: rare events, from the command line.

use super::*;

#[test]
fn a_run_is_forked_where_it_reaches_a_level_and_the_estimate_is_written() {
    let folder = folder_with("one.ron", scene(""));
    let arguments = [
        "split",
        "one.ron",
        "--by",
        "cells",
        "--levels",
        "1",
        "--copies",
        "4",
        "--roots",
        "3",
        "--until",
        "5min",
        "--quiet",
        "--out",
        "found",
        "--metric",
        "living_cancer",
    ];
    let output = tumorscape(folder.path(), &arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("3 roots, 12 branches"), "{said}");
    assert!(said.contains("cells in dish: 1.000000"), "{said}");
    assert!(said.contains("living_cancer in dish"), "{said}");
    let read = |name: &str| {
        let path = folder.path().join("found").join(name);
        std::fs::read_to_string(path).expect("it is written")
    };
    let branches = read("branches.csv");
    let rows: Vec<Vec<&str>> = branches
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 12);
    for root in ["0", "1", "2"] {
        let own = rows.iter().filter(|row| row[0] == root);
        let sum: f64 = own
            .map(|row| row[6].parse::<f64>().expect("a weight"))
            .sum();
        assert!((sum - 1.0).abs() < 1e-12, "{branches}");
    }
    assert!(
        read("estimates.csv").contains("dish,cells,1,0"),
        "{}",
        read("estimates.csv")
    );
    // What is there is not written over.
    refused(folder.path(), &arguments, "is there already");
}

#[test]
fn what_cannot_be_split_by_is_refused() {
    let folder = folder_with("one.ron", scene(""));
    let refused = |by: &str, levels: &str, says: &str| {
        refused(
            folder.path(),
            &[
                "split", "one.ron", "--by", by, "--levels", levels, "--quiet",
            ],
            says,
        );
    };
    refused("cels", "1", "did you mean `cells`?");
    refused("cells@nowhere", "1", "there is no site `nowhere`");
    refused("cells", "3,2", "each above the one before");
}
