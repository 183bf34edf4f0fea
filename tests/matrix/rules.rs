//! Each rule of the cancer cell and of the site about proteases, matrix and membrane switched off alone: in that step only its input
//! differs, to the bit.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bevy::prelude::*;

use super::*;
use tumorscape::core::input::{Inputs, Regulated};
use tumorscape::core::{Clock, SimSchedule, SimSystems};

/// The bits of all inputs of all cells, and of the elements of the site, in a step, by name.
type Bits = BTreeMap<String, Vec<u32>>;

/// Step, min, in which a rule is switched off: by then cells have begun to turn mesenchymal.
const SWITCHED_OFF_AT: u64 = 120;

/// The inputs in the step in which a rule is switched off, or none is.
fn inputs(rule: Option<&str>) -> Bits {
    let switch = rule.map_or_else(String::new, |rule| {
        format!("At(Minutes({SWITCHED_OFF_AT}), Rule(Delete(\"{rule}\"))),")
    });
    let scene = format!(
        r#"(
        title: "rules", about: "short of oxygen in matrix, within a membrane", pace: Illustrative, duration: Hours(3),
        sites: [(
            name: "breast", organ: Breast, size_um: (200, 200, 200),
            tissue: (matrix: (density: 0.05), membranes: [(around: Acinus(radius_um: 42))]),
            fields: [
                (molecule: "oxygen", level: 8), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
                (molecule: "mmp", level: 0.5), (molecule: "lox", level: 0.5), (molecule: "tgf_beta", level: 0.2), (molecule: "vegf_a", level: 0),
            ],
        )],
        populations: [(cell: "cancer", place: Ball(radius_um: 40))],
        parameters: {{"cancer.protease.mt1_mmp": 0.3, "emt_circuit.pace": 8}},
        timeline: [{switch}],
    )"#
    );
    let found = Arc::new(Mutex::new(Bits::new()));
    let into = found.clone();
    let record = move |clock: Res<Clock>,
                       known: Res<Inputs>,
                       regulated: Regulated,
                       sites: Res<Sites>,
                       cells: Query<(Entity, &CellType)>| {
        if clock.step != SWITCHED_OFF_AT {
            return;
        }
        let mut bits = Bits::new();
        for name in known.cell_names() {
            let input = regulated.input(name);
            let of_name: &mut Vec<u32> = bits.entry(name.to_owned()).or_default();
            for (entities, types) in cells.contiguous_iter().expect("cells are stored in tables") {
                let column = input.in_table(entities);
                let values = types.iter().enumerate();
                of_name.extend(values.map(|(row, of)| column.at(row, of.0).to_bits()));
            }
        }
        for input in &known.elements {
            let name = &input.info.name;
            let values = regulated.of_elements(&known, name, sites.list[0].entity);
            let values = values.unwrap_or_default().iter();
            bits.insert(name.clone(), values.map(|value| value.to_bits()).collect());
        }
        *into.lock().expect("nobody panicked") = bits;
    };
    let program = Program::default().with(move |app: &mut App| {
        app.add_systems(SimSchedule, record.clone().in_set(SimSystems::Signal));
    });
    let scene = program.parse_scene(&scene, "rules.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), 1).expect("its parameters are valid");
    for _ in 0..=SWITCHED_OFF_AT {
        simulation.step();
    }
    let bits = found.lock().expect("nobody panicked").clone();
    assert!(bits.values().filter(|of| !of.is_empty()).count() > 10);
    bits
}

#[test]
fn a_rule_switched_off_changes_its_input_and_nothing_else_in_that_step() {
    let with_all = inputs(None);
    for (rule, input) in [
        ("cancer.hypoxia_raises_mmp", "protease.mmp"),
        ("cancer.hypoxia_raises_lox", "protease.lox"),
        (
            "cancer.mt1_mmp_opens_the_matrix",
            "matrix.contact_digestion",
        ),
        (
            "cancer.mt1_mmp_opens_membranes",
            "membrane.contact_digestion",
        ),
        ("cancer.mesenchymal_cells_secrete_mmp", "protease.mmp"),
        ("cancer.mesenchymal_cells_carry_mt1_mmp", "protease.mt1_mmp"),
        (
            "cancer.mesenchymal_cells_follow_fibres",
            "motility.contact_guidance",
        ),
        ("cancer.matrix_attaches", "anoikis.attachment"),
        ("cancer.membrane_attaches", "anoikis.attachment"),
        ("cancer.base_lies_at_the_membrane_x", "polarity.basal_x"),
        (
            "cancer.emt_ends_apical_basal_polarity",
            "polarity.epithelial",
        ),
        ("cancer.emt_gives_a_front", "polarity.front_rear"),
        ("breast.mmp_digests_matrix", "matrix.digestion"),
        ("breast.lox_crosslinks_matrix", "matrix.crosslinking"),
        ("breast.mmp_digests_membranes", "membrane.digestion"),
    ] {
        let without = inputs(Some(rule));
        let differ: Vec<&str> = with_all
            .iter()
            .filter(|(name, bits)| without[*name] != **bits)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(differ, [input], "without {rule}");
    }
}
