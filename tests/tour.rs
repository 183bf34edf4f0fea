//! The tour of what is modelled names scenes, rules, drugs and measurements that there are.

use std::collections::BTreeSet;
use std::path::Path;

use tumorscape::simulation::Program;
use tumorscape::simulation::describe::Description;

/// What stands between back quotes on a page.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

/// The texts of all files below a folder.
fn texts(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            texts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "ron") {
            found.push_str(&std::fs::read_to_string(&path).expect("readable"));
        }
    }
}

#[test]
fn everything_that_the_tour_names_is_there() {
    let page = std::fs::read_to_string("docs/tour.md").expect("readable");
    let page = page.replace("```sh", "").replace("```", "");
    let description = Description::of(&Program::default());
    let description = description.unwrap_or_else(|report| panic!("{report}"));
    let mut files = String::new();
    texts(Path::new("assets"), &mut files);
    let is_name = |text: &&str| {
        text.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: BTreeSet<&str> = quoted(&page).filter(is_name).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        let is_scene = Path::new("scenes").join(format!("{name}.ron")).is_file();
        let is_in_a_file = files.contains(&format!("\"{name}\""));
        assert!(
            is_scene || is_in_a_file || description.find(name).is_ok(),
            "the tour names `{name}`, which is nowhere"
        );
    }
}

#[test]
fn each_shipped_scene_is_in_the_list() {
    let page = std::fs::read_to_string("README.md").expect("readable");
    for entry in std::fs::read_dir("scenes").expect("the shipped scenes") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|ending| ending == "ron") {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            assert!(
                page.contains(&format!("[`{name}`](scenes/{name})")),
                "{name}"
            );
        }
    }
}
