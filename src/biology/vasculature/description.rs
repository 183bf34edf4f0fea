//! How a scene says what vessels a tissue has.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::network::VesselKind;
use super::organs::VesselsLike;
use crate::core::parameters::{Contradiction, Limits, Parameters};

/// Vessels of a tissue at the start; a site lists them as its part `vessels`. What is left out is as in the tissue that they are `like`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct VesselDescription {
    /// What they are and where.
    pub place: VesselPlace,
    /// Whose vessels they are where nothing else is said: `Breast`, `Lung`, `Liver`, `Bone`, `Brain`, `LymphNode` or `Tumour`.
    #[serde(default)]
    pub like: VesselsLike,
    /// Pressure held where arteries enter, mmHg.
    #[serde(default)]
    pub artery_mmhg: Option<f32>,
    /// Pressure held where veins leave, mmHg.
    #[serde(default)]
    pub vein_mmhg: Option<f32>,
    /// Flow that every artery brings in place of a pressure that is held, um3/min.
    #[serde(default)]
    pub artery_um3_per_min: Option<f32>,
    /// Haematocrit of the blood that enters, 0-1.
    #[serde(default)]
    pub haematocrit: Option<f32>,
    /// How far pericytes cover the walls, 0-1.
    #[serde(default)]
    pub maturity: Option<f32>,
}

/// What vessels there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum VesselPlace {
    /// One vessel, from an artery to a vein.
    Parent {
        /// Where blood enters, um.
        from_um: (f32, f32, f32),
        /// Where it leaves, um.
        to_um: (f32, f32, f32),
        /// Radius, um.
        radius_um: f32,
        /// What it is: `Artery`, `Capillary` or `Vein`.
        #[serde(default)]
        kind: VesselKind,
        /// Length of the segments that it is made of, um.
        #[serde(default = "piece_um")]
        piece_um: f32,
    },
    /// Capillaries along the edges of a lattice, between a face of the site where arteries enter and the opposite one, where veins
    /// leave.
    Grid {
        /// From capillary to capillary, um.
        spacing_um: f32,
        /// The way of the blood.
        #[serde(default)]
        along: Along,
        /// Radius of the capillaries, um; that of the tissue if left out.
        #[serde(default)]
        radius_um: Option<f32>,
        /// How far the nodes lie off those of the lattice at random, as a share of the spacing, 0-0.45.
        #[serde(default = "jitter")]
        jitter: f32,
    },
    /// An artery that branches, a vein that does, and capillaries between the tips of both, grown into the tissue until there are as many
    /// as asked for.
    Tree {
        /// Length of vessels in the tissue, mm/mm3; that of the tissue if left out.
        #[serde(default)]
        density_mm_per_mm3: Option<f32>,
        /// The way of the blood: the artery enters through one face, the vein leaves through the opposite one.
        #[serde(default)]
        along: Along,
        /// Radius of the capillaries, um; that of the tissue if left out.
        #[serde(default)]
        radius_um: Option<f32>,
        /// No vessels in this ball around the middle of the site, um.
        #[serde(default)]
        outside_um: f32,
    },
    /// Nodes `id,x,y,z,port,mmhg,um3_per_min,haematocrit` and segments `from,to,radius_um,length_um,kind,maturity` of two CSV files beside the
    /// scene.
    Csv {
        /// The file of the nodes.
        nodes: String,
        /// The file of the segments.
        segments: String,
    },
    /// These nodes and segments, one by one: what a file is read into.
    Drawn {
        /// The nodes.
        nodes: Vec<DrawnNode>,
        /// The segments.
        segments: Vec<DrawnSegment>,
    },
}

/// An axis of a site, and which way along it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Along {
    /// From the lower face along x to the upper one.
    #[default]
    X,
    /// Along y.
    Y,
    /// Along z.
    Z,
}

impl Along {
    /// Number of the axis.
    pub const fn axis(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
            Self::Z => 2,
        }
    }
}

/// A node of a network that is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct DrawnNode {
    /// By which segments name it.
    pub id: u32,
    /// Where it is, um.
    pub at_um: (f32, f32, f32),
    /// `Artery` where blood enters, `Vein` where it leaves; an inner node if left out.
    #[serde(default)]
    pub port: Option<VesselKind>,
    /// Pressure held there, mmHg; that of the tissue's arteries or veins if left out.
    #[serde(default)]
    pub mmhg: Option<f32>,
    /// Flow that enters there in place of a pressure, um3/min.
    #[serde(default)]
    pub um3_per_min: Option<f32>,
    /// Haematocrit of what enters, 0-1.
    #[serde(default)]
    pub haematocrit: Option<f32>,
}

/// A segment of a network that is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct DrawnSegment {
    /// The node where it begins.
    pub from: u32,
    /// The node where it ends.
    pub to: u32,
    /// Radius, um.
    pub radius_um: f32,
    /// Length along its windings, um; the distance of its nodes if left out.
    #[serde(default)]
    pub length_um: Option<f32>,
    /// What it is.
    #[serde(default)]
    pub kind: VesselKind,
    /// How far pericytes cover its wall, 0-1; that of the tissue if left out.
    #[serde(default)]
    pub maturity: Option<f32>,
}

const fn piece_um() -> f32 {
    40.0
}

const fn jitter() -> f32 {
    0.25
}

/// At most so many segments are drawn into a site.
const MOST_SEGMENTS: f32 = 200_000.0;

impl Parameters for Vec<VesselDescription> {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        // A number of an item of a list is known by its last name.
        match field.rsplit('.').next().unwrap_or(field) {
            "haematocrit" => between(0.0, 0.9),
            "maturity" => Limits::FRACTION,
            "jitter" => between(0.0, 0.45),
            "radius_um" => between(0.5, 500.0),
            "spacing_um" | "piece_um" => between(5.0, 1.0e5),
            "density_mm_per_mm3" => between(1.0, 2000.0),
            "length_um" => between(0.0, 1.0e6),
            "outside_um" => between(0.0, 1.0e5),
            "artery_mmhg" | "vein_mmhg" | "mmhg" => between(-100.0, 300.0),
            "artery_um3_per_min" | "um3_per_min" => between(-1.0e12, 1.0e12),
            _ => between(-1.0e6, 1.0e6),
        }
    }

    fn contradictions_in(&self, size_um: Vec3) -> Vec<Contradiction> {
        outside(self, size_um)
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for (number, of) in self.iter().enumerate() {
            let mut wrong = |message: String| {
                found.push(Contradiction {
                    field: "",
                    other: "",
                    message: format!("vessels {number}: {message}"),
                });
            };
            if let (Some(artery), Some(vein)) = (of.artery_mmhg, of.vein_mmhg)
                && artery <= vein
            {
                wrong(format!(
                    "blood flows from {artery} mmHg to less, not to {vein} mmHg"
                ));
            }
            match &of.place {
                VesselPlace::Parent { from_um, to_um, .. } if from_um == to_um => {
                    wrong("the vessel has no length: its ends are the same".into());
                }
                VesselPlace::Csv { nodes, segments } if nodes == segments => {
                    wrong(format!(
                        "`{nodes}` cannot be the file of the nodes and that of the segments"
                    ));
                }
                VesselPlace::Drawn { nodes, segments } => {
                    if segments.len() as f32 > MOST_SEGMENTS {
                        wrong(format!(
                            "{} segments are more than {MOST_SEGMENTS}",
                            segments.len()
                        ));
                    }
                    super::drawn::faults(nodes, segments)
                        .into_iter()
                        .for_each(|fault| wrong(fault.message));
                }
                _ => {}
            }
        }
        found
    }
}

/// What of vessels lies outside of a site of that size, um, whose middle is the origin.
fn outside(list: &[VesselDescription], size_um: Vec3) -> Vec<Contradiction> {
    let (low, high) = (-0.5 * size_um, 0.5 * size_um);
    let mut found = Vec::new();
    // Places on a face are within, however they were rounded.
    let slack = Vec3::splat(1.0e-3);
    let is_inside = |at: (f32, f32, f32)| {
        let at = Vec3::from(at);
        at.cmpge(low - slack).all() && at.cmple(high + slack).all()
    };
    for (number, of) in list.iter().enumerate() {
        let mut wrong = |what: String| {
            found.push(Contradiction {
                field: "",
                other: "",
                message: format!("vessels {number}: {what}"),
            });
        };
        match &of.place {
            VesselPlace::Parent { from_um, to_um, .. } => {
                for at in [from_um, to_um] {
                    if !is_inside(*at) {
                        wrong(format!("{at:?} um is outside of the site"));
                    }
                }
            }
            VesselPlace::Drawn { nodes, .. } => {
                let mut out = nodes.iter().filter(|node| !is_inside(node.at_um));
                if let Some(node) = out.next() {
                    let more = match out.count() {
                        0 => String::new(),
                        more => format!(", and so are {more} more"),
                    };
                    wrong(format!(
                        "node `{}` at {:?} um is outside of the site{more}",
                        node.id, node.at_um
                    ));
                }
            }
            VesselPlace::Grid { spacing_um, .. } => {
                let nodes = ((high - low) / *spacing_um + 1.0).element_product();
                if 3.0 * nodes > MOST_SEGMENTS {
                    wrong(format!(
                        "a grid with {spacing_um} um between capillaries has more than {MOST_SEGMENTS} segments here"
                    ));
                }
            }
            VesselPlace::Tree { .. } | VesselPlace::Csv { .. } => {}
        }
    }
    found
}
