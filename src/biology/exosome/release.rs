//! Cells set vesicles free.
//!
//! A cell sets `vesicles_per_min` free, as rules on `exosome.release` have it, times the share of its Rab27a that works, in packets of a
//! stated number. What a packet is (cargo, integrins) is what the cell is then. [`release`] runs in `Act`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::packets::{Load, Packets, Release, Released};
use super::parameters::{CARGO, ExosomeParameters, ExosomesParameters};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{ActSystems, CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::Sites;

/// What a cell sets free.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Secretor {
    /// Vesicles that it sets free just now, 1/min; 0 where nothing follows them.
    pub vesicles_per_min: f32,
}

/// How many packets a cell sets free in a step.
const RELEASES: Purpose = Purpose::of("exosome.releases");

/// The inputs.
const RELEASE: &str = "exosome.release";
const RAB27A: &str = "exosome.rab27a";
const INTEGRIN_SHARE: &str = "exosome.integrins";

/// The inputs of the loads, in the order of [`CARGO`].
const LOADS: [&str; CARGO.len()] = [
    "exosome.tgf_beta_load",
    "exosome.mif_load",
    "exosome.met_load",
    "exosome.pd_l1_load",
    "exosome.rna_load",
];

/// Living cells set vesicles free in sites that follow them.
pub fn release(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<ExosomeParameters>>,
    exosomes: Res<ExosomesParameters>,
    sites: Res<Sites>,
    followed: Query<(), With<Packets>>,
    inputs: Regulated,
    released: Res<Released>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &mut Secretor,
    )>,
    mut is_followed: Local<Vec<bool>>,
) {
    if followed.is_empty() {
        return;
    }
    let (key, step, minutes) = (*key, clock.step, clock.dt_minutes());
    let (parameters, released) = (&*parameters, &*released);
    is_followed.clear();
    is_followed.extend(sites.list.iter().map(|site| followed.contains(site.entity)));
    let is_followed = &*is_followed;
    let per_packet = exosomes.per_packet.max(1);
    let [rate, rab27a, share] = [RELEASE, RAB27A, INTEGRIN_SHARE].map(|name| inputs.input(name));
    let loads = LOADS.map(|name| inputs.input(name));
    for (entities, ids, types, residents, positions, vitals, mut secretors) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let [rate, rab27a, share] = [&rate, &rab27a, &share].map(|input| input.in_table(entities));
        let loads = loads.each_ref().map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(secretors.bypass_change_detection(), |row, secretor| {
            let site = residents[row].0;
            let here = is_followed.get(usize::from(site.0)).copied();
            let (Some((cell_type, of)), Some(true)) = (living.at(row), here) else {
                secretor.vesicles_per_min = 0.0;
                return;
            };
            secretor.vesicles_per_min = rate.at(row, cell_type) * rab27a.at(row, cell_type);
            let expected = secretor.vesicles_per_min * minutes / per_packet as f32;
            let whole = expected.floor();
            let mut random = key.stream(ids[row], step, RELEASES);
            let packets = whole as u32 + u32::from(random.chance(expected - whole));
            if packets == 0 {
                return;
            }
            let bound = share.at(row, cell_type);
            let load = Load {
                origin: ids[row],
                cargo: loads.each_ref().map(|load| load.at(row, cell_type)),
                integrins: of.integrins.levels().map(|level| level * bound),
            };
            released.add(Release {
                site,
                at_um: positions[row].0,
                vesicles: per_packet,
                packets,
                load,
            });
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.init_resource::<Released>()
        .declare_remade::<Released>("carried out in the step in which it is handed in")
        .register_capability::<ExosomeParameters>("exosome")
        .register_cell_state::<Secretor>("secretor")
        .register_purpose(RELEASES)
        .register_input::<ExosomeParameters>(
            InputInfo::new(RELEASE, "1/min", "Vesicles that a cell sets free."),
            "vesicles_per_min",
        )
        .register_input::<ExosomeParameters>(
            InputInfo::new(
                RAB27A,
                "",
                "How much of its Rab27a works, without which vesicles are not set free.",
            ),
            "rab27a",
        )
        .register_input::<ExosomeParameters>(
            InputInfo::new(
                INTEGRIN_SHARE,
                "",
                "Share of the integrins on its vesicles that bind.",
            ),
            "integrin_share",
        );
    for (name, field, about) in [
        (LOADS[0], "cargo.tgf_beta", "TGF-beta on its vesicles."),
        (LOADS[1], "cargo.mif", "MIF in its vesicles."),
        (LOADS[2], "cargo.met", "MET in its vesicles."),
        (LOADS[3], "cargo.pd_l1", "PD-L1 on its vesicles."),
        (
            LOADS[4],
            "cargo.rna",
            "RNA in its vesicles that makes others move as it does.",
        ),
    ] {
        app.register_input::<ExosomeParameters>(InputInfo::new(name, "", about), field);
    }
    app.begin_cells(|place| {
        place.parameters::<ExosomeParameters>()?;
        Some(Beginning::settled(Secretor::default()))
    })
    .while_in_transit(
        release,
        InTransit::Pauses,
        "what a cell sets free in the blood is little beside what its tumour does",
    )
    .add_systems(SimSchedule, release.in_set(ActSystems::Exchange));
}
