//! Where vesicles in the blood go: numbers of `assets/exosome/organs.ron`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::parameters::INTEGRINS;
use crate::core::dialect::read_ron;
use crate::tissue::Organ;

/// An organ that takes up vesicles from the blood.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganUptake {
    /// Its name: that of an [`Organ`], or another.
    pub organ: String,
    /// Share of the vesicles without integrins that it clears.
    pub share: f64,
    /// Its volume, mm3.
    pub mm3: f64,
    /// How strongly each integrin binds there, by its name.
    pub affinity: BTreeMap<String, f64>,
    /// Affinity of the vesicles to which education is relative; 0 where none is known to educate it.
    pub reference: f64,
    /// Where these are from.
    pub source: String,
    /// Its affinities, in the order of [`INTEGRINS`].
    #[serde(skip)]
    strengths: [f64; INTEGRINS.len()],
    /// The organ, if it is one that sites can be part of.
    #[serde(skip)]
    tissue: Option<Organ>,
}

impl OrganUptake {
    /// How strongly vesicles bind there that carry so much of each of [`INTEGRINS`], `A`.
    pub fn binding(&self, integrins: &[f32; INTEGRINS.len()]) -> f64 {
        let each = self.strengths.iter().zip(integrins);
        each.map(|(strength, carried)| strength * f64::from(*carried))
            .sum()
    }
}

/// Of the vesicles that end in an organ to which they bind so strongly, the share that educates it: `(eps + A) / (1 + A)`.
pub fn educating_share(binding: f64, clearance_educates: f64) -> f64 {
    (clearance_educates + binding) / (1.0 + binding)
}

/// The share of vesicles with these integrins that ends in each organ, in the order of the file.
pub fn shares(integrins: &[f32; INTEGRINS.len()]) -> impl Iterator<Item = f64> {
    let weight = |of: &OrganUptake| of.share * (1.0 + of.binding(integrins));
    let sum: f64 = organs().iter().map(weight).sum();
    organs().iter().map(move |of| weight(of) / sum)
}

/// Vesicles a day that educate an organ by half: those that `half_per_day` in the blood leave there, which bind there as its reference
/// does and nowhere else. None where nothing is known to educate it.
pub fn half_education_per_day(of: &OrganUptake, half_per_day: f64, clearance: f64) -> Option<f64> {
    if of.reference <= 0.0 {
        return None;
    }
    let others = organs().iter().filter(|other| other.organ != of.organ);
    let others: f64 = others.map(|other| other.share).sum();
    let own = of.share * (1.0 + of.reference);
    Some(half_per_day * own / (own + others) * educating_share(of.reference, clearance))
}

/// The shipped file.
const FILE: &str = include_str!("../../../assets/exosome/organs.ron");

/// All that there are.
pub fn organs() -> &'static [OrganUptake] {
    static LIST: OnceLock<Vec<OrganUptake>> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list: Vec<OrganUptake> = read_ron(FILE).expect("a test reads the shipped file");
        for of in &mut list {
            let strength = |name: &str| of.affinity.get(name).copied().unwrap_or(0.0);
            of.strengths = INTEGRINS.map(strength);
            let known = [Organ::Lung, Organ::Liver, Organ::Bone, Organ::Brain];
            of.tissue = known.into_iter().find(|organ| organ.name() == of.organ);
        }
        list
    })
}

/// The number of the organ of that name in the list.
pub fn number_of(name: &str) -> Option<usize> {
    organs().iter().position(|of| of.organ == name)
}

/// The number of an organ in the list; none for one that takes up next to nothing.
pub fn number_of_organ(organ: Organ) -> Option<usize> {
    organs().iter().position(|of| of.tissue == Some(organ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_organs_make_one_and_each_has_a_source() {
        let sum: f64 = organs().iter().map(|of| of.share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        for of in organs() {
            assert!(!of.source.is_empty() && of.mm3 > 0.0, "{}", of.organ);
            let known = |name: &String| INTEGRINS.contains(&name.as_str());
            assert!(of.affinity.keys().all(known), "{}", of.organ);
        }
        for organ in [Organ::Lung, Organ::Liver, Organ::Bone, Organ::Brain] {
            let number = number_of_organ(organ).expect("it takes vesicles up");
            assert_eq!(organs()[number].organ, organ.name());
        }
    }

    #[test]
    fn integrins_turn_vesicles_to_their_organ_as_the_published_split_has_it() {
        // Computed by hand: lung-tropic .12 x 11 over 2.2, liver-tropic .65 x 5 over 3.6, brain-tropic .005 x 61 over 1.3.
        for (integrins, organ, expected) in [
            ([0.0, 0.0, 0.0], "Liver", 0.65),
            ([1.0, 0.0, 0.0], "Lung", 1.32 / 2.2),
            ([0.0, 1.0, 0.0], "Liver", 3.25 / 3.6),
            ([0.0, 0.0, 1.0], "Brain", 0.305 / 1.3),
        ] {
            let found: Vec<f64> = shares(&integrins).collect();
            let number = number_of(organ).expect("it is listed");
            assert!((found[number] - expected).abs() < 1e-9, "{organ}");
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        // Of what ends in the liver unbound hardly anything educates.
        assert!((educating_share(0.0, 0.05) - 0.05).abs() < 1e-12);
        assert!((educating_share(10.0, 0.05) - 10.05 / 11.0).abs() < 1e-12);
        let lung = &organs()[number_of("Lung").expect("it is listed")];
        let half = half_education_per_day(lung, 2.232e9, 0.05).expect("it can be educated");
        assert!((half / (2.232e9 * 0.6 * 10.05 / 11.0) - 1.0).abs() < 1e-9);
    }
}
