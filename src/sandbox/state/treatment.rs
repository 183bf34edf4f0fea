//! Treating the tissue by hand: what is to be given, and where it is injected.

use bevy::math::Vec3;

use crate::scene::schema::Action;
use crate::scene::treatment::Injection;
use crate::tissue::placed::Region;
use crate::view::Shown;

use super::super::worker::Order;
use super::Sandbox;

/// How a drug is to be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Plan {
    /// A dose, mg for a kg of body.
    pub mg_per_kg: f64,
    /// How many doses.
    pub times: u32,
    /// Time between two, d.
    pub every_days: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            mg_per_kg: 10.0,
            times: 1,
            every_days: 3.0,
        }
    }
}

/// What the next click injects.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Syringe {
    /// Name of the drug; nothing is injected where there is none.
    pub drug: Option<String>,
    /// How much, fmol.
    pub fmol: f64,
    /// Radius of the ball that it goes into, um.
    pub radius_um: f32,
}

impl Default for Syringe {
    fn default() -> Self {
        Self {
            drug: None,
            fmol: 1.0,
            radius_um: 30.0,
        }
    }
}

impl Sandbox {
    /// Treats the tissue at the next step boundary.
    pub fn treat(&self, action: Action) {
        self.order(Order::Change(action));
    }

    /// The name in the scene of the site at a place of a picture.
    pub fn scene_site(&self, shown: &Shown, place: usize) -> Option<String> {
        if shown.0.arms.is_empty() {
            return Some(shown.0.sites.get(place)?.name.clone());
        }
        let site = shown.0.arms.site_at(place)?;
        Some(self.visit.scene().sites.get(site)?.name.clone())
    }

    /// Injects what is in the syringe at a place of the picture, um, and puts the syringe away. Beside the blocks nothing is
    /// injected.
    pub fn inject(&mut self, shown: &Shown, drawn: usize, at_um: Vec3) {
        let Some(drug) = self.syringe.drug.take() else {
            return;
        };
        let mut sites = shown.0.sites_in(drawn);
        let hit = sites.find_map(|index| {
            let site = shown.0.sites.get(index)?;
            let own = at_um - shown.0.place_um(index, drawn);
            let is_inside = own.cmpge(site.min_um).all() && own.cmple(site.max_um).all();
            is_inside.then_some((index, own))
        });
        let Some((index, own)) = hit else {
            self.notice = Some("nothing was injected: there is no tissue there".into());
            return;
        };
        let site = self.scene_site(shown, index);
        self.treat(Action::Inject(Injection {
            drug,
            site,
            place: Region::Ball {
                center_um: own.into(),
                radius_um: self.syringe.radius_um,
            },
            fmol: self.syringe.fmol,
        }));
    }
}
