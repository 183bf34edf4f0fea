//! Metabolism: what a cell breathes, ferments, gives off, and how much it can grow on that.
//!
//! Oxygen: `q_max M(G, pH) p / (p + K)` per volume of *tissue*, which is what is measured, with the Crabtree factor
//! `M = 1 + m / (1 + (G/G_m)^2) clamp((pH - 6.6)/0.65, 0, 1)` of Casciari et al. 1992 (EMT6/Ro: uptake doubles when
//! glucose falls from 5.5 to 0.4 mM at pH 7.25, and does not at pH 6.6). A cell breathes for the tissue it makes up:
//! its own volume over the share of relaxed confluent tissue that is cells ([`CONFLUENT_SHARE`]). Confluent tissue
//! thus takes up `q_max` times the share of its cells that live; where growth presses cells closer together than
//! they lie at rest, there are more of them and it takes up more. PhysiCell's first-order law, which is per volume of
//! cells, can be chosen instead.
//!
//! Glucose: `J_G = q_G h(G; K_G, 1) [g + a (1 - h(p; p_P, 2))] clamp(1 - 2 (7.25 - pH), 0.1, 1)`, with the Pasteur
//! effect (`a`), the brake by acid, and the input `metabolism.glycolysis`, `g`, which is 1 unless rules change it: HIF-1a
//! does in the shipped cancer cell. Lactate: `2 J_G (1 - f_ox)`, where the share `f_ox = min(f, J_O / (6 J_G))` of the
//! pyruvate is oxidised, `f` being the input `metabolism.oxidised_share`: not more than the oxygen that the cell
//! takes up suffices for, six molecules for a glucose. Glucose, lactate and VEGF-A are exchanged at rates per cell,
//! whatever its size: that is how they are published, as means over the cells of a culture, which are of all ages
//! and sizes.
//!
//! Acidity: `pH = 7.4 - lactate / 30 mM` (carbonate buffer).
//! Growth: `g = clamp((p - 5)/(38 - 5)) h(G; 0.2 mM, 2) clamp((pH - 6.4)/0.6)`, the quantity `metabolism.growth`. What it
//! makes a cell do is said by the rules of its type.
//!
//! [`update_metabolism`] runs in `Signal` and writes only [`Metabolism`]; [`exchange_metabolites`] books in `Act`. What a cell takes up of a molecule is booked as a capacity, so that
//! the field solver applies `c / (K + c)` to the concentration it is solving for.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::contact::CONFLUENT_SHARE;
use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::molecules::read_at_cells;
use crate::cell::{ActSystems, Body, CellType, Position, Resident, Surroundings, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::core::saturation::hill;
use crate::core::state::RegisterState;
use crate::core::units::{AMOL_PER_UM3_PER_MM, SECONDS_PER_MINUTE};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::spread::Spread;
use crate::tissue::{Bookings, FieldReader, Fields, RegisterMoleculeUse};

/// Seconds in a minute, as the systems use it.
const PER_MINUTE: f32 = SECONDS_PER_MINUTE as f32;
/// The molecules it is about, by name.
const OXYGEN: &str = "oxygen";
const GLUCOSE: &str = "glucose";
const LACTATE: &str = "lactate";
/// Oxygen molecules that oxidise a glucose completely.
const OXYGEN_PER_GLUCOSE: f32 = 6.0;

/// What a cell exchanges with its surroundings just now. Dead cells exchange nothing.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Metabolism {
    /// Oxygen uptake at saturation, mmHg per minute of the tissue that the cell makes up; with the first-order law
    /// the rate of uptake, 1/min.
    pub oxygen_per_min: f32,
    /// Glucose uptake at saturation, amol/s.
    pub glucose_capacity_amol_per_s: f32,
    /// Lactate given off, amol/s.
    pub lactate_amol_per_s: f32,
}

/// All that [`MetabolismParameters::rates`] says about a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetabolicRates {
    /// What it exchanges.
    pub exchange: Metabolism,
    /// Oxygen taken up, amol/s.
    pub oxygen_amol_per_s: f32,
    /// Glucose taken up, amol/s.
    pub glucose_amol_per_s: f32,
    /// ATP made, amol/s.
    pub atp_amol_per_s: f32,
    /// Acidity around the cell, pH.
    pub ph: f32,
}

/// How oxygen uptake depends on oxygen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum OxygenLaw {
    /// Saturating: `q_max p / (p + K)`.
    #[default]
    MichaelisMenten,
    /// Proportional to oxygen, as in PhysiCell, for comparison.
    FirstOrder,
}

impl OxygenLaw {
    /// The volume that a cell of that volume breathes for, um3: the law is per volume of tissue, or of cells.
    pub const fn breathing_um3(self, cell_um3: f32) -> f32 {
        match self {
            Self::MichaelisMenten => cell_um3 / CONFLUENT_SHARE,
            Self::FirstOrder => cell_um3,
        }
    }
}

/// The physical chemistry of metabolites, the same in all cells (group `chemistry`).
///
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MetabolismChemistry {
    /// pH of blood, without excess lactate; 7.4 [M].
    pub blood_ph: f32,
    /// Lactate that lowers pH by one unit, mM; 30, of 25-35 [M].
    pub buffer_mm_per_ph: f32,
}

impl Default for MetabolismChemistry {
    fn default() -> Self {
        Self {
            blood_ph: 7.4,
            buffer_mm_per_ph: 30.0,
        }
    }
}

impl Parameters for MetabolismChemistry {
    fn limits(field: &str) -> Limits {
        match field {
            "blood_ph" => Limits { min: 6.0, max: 8.0 },
            _ => Limits {
                min: 1.0e-6,
                max: 1.0e6,
            },
        }
    }
}

impl MetabolismChemistry {
    /// pH where lactate is that concentrated.
    pub const fn ph(&self, lactate_mm: f32) -> f32 {
        self.blood_ph - lactate_mm / self.buffer_mm_per_ph
    }
}

/// How cells of a type burn (capability `metabolism`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MetabolismParameters {
    /// How oxygen uptake depends on oxygen.
    pub oxygen_law: OxygenLaw,
    /// Oxygen uptake at saturation, mmHg per second of tissue volume. 8.7: tumour in vivo, the setting of tissue
    /// scenes [T]; cultured spheroids breathe 22.1 (Grimes 2014) [M], normal breast 2.2 [T].
    pub oxygen_uptake_mmhg_per_s: f32,
    /// Rate of uptake with the first-order law, 1/min of the cell's own volume; 10 [P].
    pub oxygen_first_order_per_min: f32,
    /// Greatest rise of oxygen uptake when glucose is short, `m`; 1.1 (Casciari 1992) [A].
    pub glucose_shortage_gain: f32,
    /// Glucose at which half of that rise is left, `G_m`, mM; 1 (Casciari 1992) [A].
    pub glucose_shortage_mm: f32,
    /// pH below which there is no such rise; 6.6 (Casciari 1992) [A].
    pub respiration_ph_min: f32,
    /// pH above which the rise is complete; 7.25 (Casciari 1992) [A].
    pub respiration_ph_max: f32,
    /// Glucose uptake at saturation with plentiful oxygen, amol/s. 50: low end of the range of 50-200 [M].
    pub glucose_uptake_amol_per_s: f32,
    /// Pasteur effect: relative rise of glucose uptake without oxygen, at once and without HIF-1a, `a`; 0.4, as
    /// measured by Casciari 1992 [A].
    pub pasteur_gain: f32,
    /// Oxygen at which half of it is left, `p_P`, mmHg; 10. Starting value.
    pub pasteur_half_mmhg: f32,
    /// Relative loss of glucose uptake per unit of pH below [`Self::glycolysis_ph`]; 2: -60 % from pH 7.25 to 6.95
    /// (Casciari 1992) [A].
    pub acid_brake_per_ph: f32,
    /// pH below which acid slows glycolysis; 7.25 (Casciari 1992) [A].
    pub glycolysis_ph: f32,
    /// Share of glucose uptake that acid leaves at least; 0.1. Starting value.
    pub acid_brake_floor: f32,
    /// Share of pyruvate that is oxidised, `f`, where the oxygen taken up suffices for it (six molecules a glucose) and
    /// no rule changes it; 0.2: 1.6 lactate per glucose [M].
    pub oxidised_share: f32,
    /// ATP made per oxygen molecule. 4.7: 30 ATP per glucose completely oxidised with six oxygen molecules (Rich
    /// 2003, Biochem Soc Trans 31:1095, doi:10.1042/bst0311095), less the two of glycolysis.
    pub atp_per_oxygen: f32,
    /// ATP made per glucose on its way to pyruvate; 2 (textbook stoichiometry).
    pub atp_per_glucose: f32,
    /// Oxygen below which cells do not enter S, mmHg; 5 [P].
    pub growth_min_mmhg: f32,
    /// Oxygen above which it does not hold them back, mmHg; 38 [P].
    pub growth_full_mmhg: f32,
    /// Glucose at which growth is half, mM; 0.2. Starting value.
    pub growth_glucose_mm: f32,
    /// pH below which there is no growth; 6.4. Starting value.
    pub growth_ph_min: f32,
    /// pH above which acid does not slow growth; 7.0. Starting value.
    pub growth_ph_full: f32,
}

impl Default for MetabolismParameters {
    fn default() -> Self {
        Self {
            oxygen_law: OxygenLaw::MichaelisMenten,
            oxygen_uptake_mmhg_per_s: 8.7,
            oxygen_first_order_per_min: 10.0,
            glucose_shortage_gain: 1.1,
            glucose_shortage_mm: 1.0,
            respiration_ph_min: 6.6,
            respiration_ph_max: 7.25,
            glucose_uptake_amol_per_s: 50.0,
            pasteur_gain: 0.4,
            pasteur_half_mmhg: 10.0,
            acid_brake_per_ph: 2.0,
            glycolysis_ph: 7.25,
            acid_brake_floor: 0.1,
            oxidised_share: 0.2,
            atp_per_oxygen: 4.7,
            atp_per_glucose: 2.0,
            growth_min_mmhg: 5.0,
            growth_full_mmhg: 38.0,
            growth_glucose_mm: 0.2,
            growth_ph_min: 6.4,
            growth_ph_full: 7.0,
        }
    }
}

impl Parameters for MetabolismParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "acid_brake_floor" | "oxidised_share" => Limits::FRACTION,
            field if field.contains("_ph") && !field.contains("per_ph") => {
                Limits { min: 5.0, max: 9.0 }
            }
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

/// How a cell's metabolism is set, by rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetabolicSetting {
    /// Oxygen uptake, relative to what glucose and acidity make it.
    pub respiration: f32,
    /// Glucose uptake with plentiful oxygen, relative to [`MetabolismParameters::glucose_uptake_amol_per_s`].
    pub glycolysis: f32,
    /// Share of the pyruvate that is oxidised where oxygen suffices for it.
    pub oxidised_share: f32,
}

/// What a cell finds of the molecules that it lives on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metabolites {
    /// Oxygen, mmHg.
    pub oxygen_mmhg: f32,
    /// Glucose, mM.
    pub glucose_mm: f32,
    /// Lactate, mM.
    pub lactate_mm: f32,
}

/// What the molecules themselves say about uptake. It is not the cell types' to say: all uptake from a voxel is summed
/// before the law of saturation is applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UptakeConstants {
    /// Oxygen at which uptake is half, mmHg.
    pub oxygen_half_mmhg: f32,
    /// Glucose at which uptake is half, mM.
    pub glucose_half_mm: f32,
    /// Oxygen dissolved in tissue, nM per mmHg.
    pub oxygen_nm_per_mmhg: f32,
}

impl UptakeConstants {
    /// Those of the molecules of a simulation; infinite, so that nothing is taken up, where there is no such molecule.
    fn of(fields: &Fields) -> Self {
        let half = |name| {
            let molecule = fields.molecule(name);
            molecule.map_or(f32::INFINITY, |molecule| molecule.half_saturation)
        };
        Self {
            oxygen_half_mmhg: half(OXYGEN),
            glucose_half_mm: half(GLUCOSE),
            oxygen_nm_per_mmhg: fields
                .molecule(OXYGEN)
                .map_or(0.0, |oxygen| oxygen.nm_per_unit),
        }
    }
}

/// How far `x` has come from `none` to `full`, 0-1; a step where both are equal.
fn ramp(x: f32, none: f32, full: f32) -> f32 {
    if x >= full {
        1.0
    } else if x <= none {
        0.0
    } else {
        (x - none) / (full - none)
    }
}

impl MetabolismParameters {
    /// The factor `M` by which a shortage of glucose raises oxygen uptake.
    pub fn respiration_factor(&self, glucose_mm: f32, ph: f32) -> f32 {
        let ratio = glucose_mm / self.glucose_shortage_mm.max(f32::MIN_POSITIVE);
        1.0 + self.glucose_shortage_gain / (1.0 + ratio * ratio)
            * ramp(ph, self.respiration_ph_min, self.respiration_ph_max)
    }

    /// Glucose uptake at saturation, amol/s, with that oxygen, relative glycolysis and pH.
    pub fn glucose_capacity_amol_per_s(&self, oxygen_mmhg: f32, glycolysis: f32, ph: f32) -> f32 {
        let pasteur = self.pasteur_gain * (1.0 - hill(oxygen_mmhg, self.pasteur_half_mmhg, 2.0));
        let brake = 1.0 - self.acid_brake_per_ph * (self.glycolysis_ph - ph);
        self.glucose_uptake_amol_per_s
            * (glycolysis + pasteur)
            * brake.max(self.acid_brake_floor).min(1.0)
    }

    /// The growth factor `g` that oxygen, glucose and acidity allow, 0-1.
    pub fn growth_factor(&self, oxygen_mmhg: f32, glucose_mm: f32, ph: f32) -> f32 {
        ramp(oxygen_mmhg, self.growth_min_mmhg, self.growth_full_mmhg)
            * hill(glucose_mm, self.growth_glucose_mm, 2.0)
            * ramp(ph, self.growth_ph_min, self.growth_ph_full)
    }

    /// What a cell of that volume burns in those surroundings.
    pub fn rates(
        &self,
        chemistry: &MetabolismChemistry,
        uptake: &UptakeConstants,
        around: Metabolites,
        set: MetabolicSetting,
        volume_um3: f32,
    ) -> MetabolicRates {
        let (oxygen, glucose) = (around.oxygen_mmhg, around.glucose_mm);
        let ph = chemistry.ph(around.lactate_mm);
        let respiration = set.respiration * self.respiration_factor(glucose, ph);
        let (booked_per_min, oxygen_per_min) = match self.oxygen_law {
            OxygenLaw::MichaelisMenten => {
                let capacity = self.oxygen_uptake_mmhg_per_s * PER_MINUTE * respiration;
                let share = hill(oxygen, uptake.oxygen_half_mmhg, 1.0);
                (capacity, capacity * share)
            }
            OxygenLaw::FirstOrder => {
                let rate = set.respiration * self.oxygen_first_order_per_min;
                (rate, rate * oxygen)
            }
        };
        // 1000 nM are 1 uM, 1e-3 mM, and 1 mM is 1 amol/um3.
        let amol_per_mmhg = uptake.oxygen_nm_per_mmhg / 1000.0
            * 1.0e-3
            * self.oxygen_law.breathing_um3(volume_um3)
            * AMOL_PER_UM3_PER_MM as f32;
        let oxygen_amol_per_s = oxygen_per_min / PER_MINUTE * amol_per_mmhg;
        let glucose_capacity = self.glucose_capacity_amol_per_s(oxygen, set.glycolysis, ph);
        let glucose_amol_per_s = glucose_capacity * hill(glucose, uptake.glucose_half_mm, 1.0);
        let oxidised_amol_per_s =
            (set.oxidised_share * glucose_amol_per_s).min(oxygen_amol_per_s / OXYGEN_PER_GLUCOSE);
        MetabolicRates {
            exchange: Metabolism {
                oxygen_per_min: booked_per_min,
                glucose_capacity_amol_per_s: glucose_capacity,
                lactate_amol_per_s: 2.0 * (glucose_amol_per_s - oxidised_amol_per_s),
            },
            oxygen_amol_per_s,
            glucose_amol_per_s,
            atp_amol_per_s: self.atp_per_oxygen * oxygen_amol_per_s
                + self.atp_per_glucose * glucose_amol_per_s,
            ph,
        }
    }
}

/// The inputs.
const RESPIRATION: &str = "metabolism.respiration";
const GLYCOLYSIS: &str = "metabolism.glycolysis";
const OXIDISED_SHARE: &str = "metabolism.oxidised_share";

/// What inputs relative to the usual may be: a hundredfold is more than any cell does.
const RELATIVE: Limits = Limits {
    min: 0.0,
    max: 100.0,
};

/// Living cells adapt what they burn to what they find.
pub fn update_metabolism(
    parameters: Res<PerType<MetabolismParameters>>,
    chemistry: Res<MetabolismChemistry>,
    fields: Fields,
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellType,
        &Resident,
        &Surroundings,
        &Body,
        Option<&Vital>,
        &mut Metabolism,
    )>,
) {
    let (parameters, chemistry) = (&*parameters, &*chemistry);
    let uptake = UptakeConstants::of(&fields);
    let [oxygen, glucose, lactate] = [OXYGEN, GLUCOSE, LACTATE].map(|name| fields.of(name));
    let [respiration, glycolysis, oxidised_share] =
        [RESPIRATION, GLYCOLYSIS, OXIDISED_SHARE].map(|name| inputs.input(name));
    for (entities, types, residents, around, bodies, vitals, mut metabolism) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let respiration = respiration.in_table(entities);
        let glycolysis = glycolysis.in_table(entities);
        let oxidised_share = oxidised_share.in_table(entities);
        for_each_row_mut(metabolism.bypass_change_detection(), |row, metabolism| {
            let Some(parameters) = parameters.get(types[row].0) else {
                return;
            };
            if !is_alive(vitals.map(|vitals| &vitals[row])) {
                *metabolism = Metabolism::default();
                return;
            }
            let (site, voxel, body) = (residents[row].0, around[row].voxel, &bodies[row]);
            let around = Metabolites {
                oxygen_mmhg: oxygen.at(site, voxel),
                glucose_mm: glucose.at(site, voxel),
                lactate_mm: lactate.at(site, voxel),
            };
            let cell_type = types[row].0;
            let set = MetabolicSetting {
                respiration: respiration.at(row, cell_type),
                glycolysis: glycolysis.at(row, cell_type),
                oxidised_share: oxidised_share.at(row, cell_type),
            };
            let rates = parameters.rates(chemistry, &uptake, around, set, body.volume_um3());
            *metabolism = rates.exchange;
        });
    }
}

/// Reads how much growth the surroundings of each cell allow.
fn read_growth(world: &World) -> Reader<'_, f32> {
    let chemistry = world.resource::<MetabolismChemistry>().clone();
    let parameters = world.resource::<PerType<MetabolismParameters>>();
    let fields = [OXYGEN, GLUCOSE, LACTATE].map(|name| FieldReader::in_world(world, name));
    Box::new(move |table, rows, values| {
        let (
            [Some(oxygen), Some(glucose), Some(lactate)],
            Some(types),
            Some(residents),
            Some(positions),
            Some(_),
        ) = (
            &fields,
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Metabolism>(),
        )
        else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let Some(parameters) = parameters.get(types[row].0) else {
                *value = NONE;
                continue;
            };
            let (site, at) = (residents[row].0, positions[row].0);
            *value = parameters.growth_factor(
                oxygen.at_point(site, at),
                glucose.at_point(site, at),
                chemistry.ph(lactate.at_point(site, at)),
            );
        }
    })
}

/// Living cells take up oxygen and glucose and give off lactate.
pub fn exchange_metabolites(
    parameters: Res<PerType<MetabolismParameters>>,
    bookings: Bookings,
    cells: Query<(
        &CellType,
        &Resident,
        &Surroundings,
        &Body,
        Option<&Vital>,
        &Metabolism,
    )>,
) {
    let parameters = &*parameters;
    let [oxygen, glucose, lactate] = [OXYGEN, GLUCOSE, LACTATE].map(|name| bookings.of(name));
    for (types, residents, around, bodies, vitals, metabolism) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        for_each_row(types.len(), |row| {
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let (true, Some(parameters)) = (alive, parameters.get(types[row].0)) else {
                return;
            };
            let (site, voxel, rates) = (residents[row].0, around[row].voxel, &metabolism[row]);
            let law = parameters.oxygen_law;
            let volume_um3 = law.breathing_um3(bodies[row].volume_um3());
            match law {
                OxygenLaw::MichaelisMenten => {
                    let per_min = rates.oxygen_per_min;
                    oxygen.take_up_in(site, voxel, per_min, volume_um3);
                }
                OxygenLaw::FirstOrder => {
                    let per_min = rates.oxygen_per_min;
                    oxygen.absorb(site, voxel, per_min * volume_um3);
                }
            }
            glucose.take_up_amol(site, voxel, rates.glucose_capacity_amol_per_s);
            lactate.secrete_amol(site, voxel, rates.lactate_amol_per_s);
        });
    }
}

/// Metabolism.
pub struct MetabolismPlugin;

impl Plugin for MetabolismPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        for molecule in [OXYGEN, GLUCOSE, LACTATE] {
            app.register_molecule_use("metabolism", molecule);
        }
        app.register_group::<MetabolismChemistry>("chemistry")
            .register_capability::<MetabolismParameters>("metabolism")
            .register_cell_state::<Metabolism>("metabolism")
            .register_relative_input::<MetabolismParameters>(
                InputInfo::new(
                    RESPIRATION,
                    "",
                    "Oxygen uptake, relative to what glucose and acidity make it.",
                )
                .limits(RELATIVE),
            )
            .register_relative_input::<MetabolismParameters>(
                InputInfo::new(
                    GLYCOLYSIS,
                    "",
                    "Glucose uptake with plentiful oxygen, relative to `glucose_uptake_amol_per_s`.",
                )
                .limits(RELATIVE),
            )
            .register_input::<MetabolismParameters>(
                InputInfo::new(
                    OXIDISED_SHARE,
                    "",
                    "Share of the pyruvate that is oxidised where oxygen suffices for it.",
                ),
                "oxidised_share",
            )
            .register_cell_reader(
                Quantity::new("metabolism.ph", "", "Acidity at the cell, by its lactate.")
                    .label("pH")
                    .column("ph")
                    .range(6.4, 7.4)
                    .source("carbonate buffer: pH = 7.4 - lactate / buffer"),
                |world| {
                    let chemistry = world.resource::<MetabolismChemistry>().clone();
                    let lactate = read_at_cells(world, LACTATE);
                    Box::new(move |table, rows, values| {
                        lactate(table, rows, values);
                        for value in values {
                            *value = chemistry.ph(*value);
                        }
                    })
                },
            )
            .register_cell_reader(
                Quantity::new(
                    "metabolism.growth",
                    "",
                    "Share of full growth that oxygen, glucose and acidity at the cell allow.",
                )
                .label("growth")
                .column("growth")
                .source("the product of a ramp in oxygen, a Hill function of glucose and a ramp in pH")
                .of_the_living(),
                read_growth,
            )
            .register_metrics(
                vec![Metric::new(
                    "ph_min",
                    "",
                    "Lowest pH of the site, that of its highest lactate.",
                )],
                |world, site| {
                    let lactate = Spread::in_site(world, site, LACTATE);
                    let chemistry = world.resource::<MetabolismChemistry>();
                    let ph = |lactate: Spread| f64::from(chemistry.ph(lactate.max as f32));
                    vec![lactate.map_or(f64::NAN, ph)]
                },
            )
            .register_quantity::<Metabolism>(
                Quantity::new(
                    "metabolism.glucose_uptake",
                    "amol/s",
                    "Glucose uptake at saturation.",
                )
                .label("glucose uptake at saturation")
                .column("glucose_uptake_amol_per_s")
                .range(0.0, 200.0)
                .of_the_living(),
                |metabolism| metabolism.glucose_capacity_amol_per_s,
            )
            .register_quantity::<Metabolism>(
                Quantity::new("metabolism.lactate_release", "amol/s", "Lactate given off.")
                    .label("lactate release")
                    .column("lactate_release_amol_per_s")
                    .range(0.0, 400.0)
                    .of_the_living(),
                |metabolism| metabolism.lactate_amol_per_s,
            )
            .begin_cells(|place| {
                place.parameters::<MetabolismParameters>()?;
                Some(Beginning::settled(Metabolism::default()))
            })
            .register_cell_invariant::<Metabolism>(
                SimSystems::Signal,
                "update_metabolism",
                |rates| {
                    let is = |what, value| outside(what, value, 0.0, f32::MAX);
                    is(
                        "its oxygen uptake at saturation, mmHg/min,",
                        rates.oxygen_per_min,
                    )
                    .or_else(|| {
                        is(
                            "its glucose uptake at saturation, amol/s,",
                            rates.glucose_capacity_amol_per_s,
                        )
                    })
                    .or_else(|| is("its lactate release, amol/s,", rates.lactate_amol_per_s))
                },
            )
            .while_in_transit(update_metabolism, InTransit::Runs, "it follows molecules, which are at their background")
            .while_in_transit(exchange_metabolites, InTransit::Pauses, "there is no voxel to book in")
            .add_systems(
                SimSchedule,
                (
                    update_metabolism.in_set(SimSystems::Signal),
                    exchange_metabolites.in_set(ActSystems::Exchange),
                ),
            );
    }
}

#[cfg(test)]
mod tests;
