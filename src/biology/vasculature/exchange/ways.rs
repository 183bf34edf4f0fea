//! Vessels as ways in and out: which wall is nearest, where cells come in, and where one comes to that follows a vessel.

use bevy::prelude::*;

use super::super::network::Network;
use super::super::organs::OrganVessels;
use super::carriage::{FlowOrder, up_and_down};
use crate::cell::doors::{Door, Doors, Extravasation, Followed, SiteDoors};

/// Width of the cells of the grid by which segments are found, um.
const CELL_UM: f32 = 40.0;

/// A perfused segment.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Where its blood comes from and goes to, um.
    from_um: Vec3,
    to_um: Vec3,
    radius_um: f32,
    permeability: f32,
    adhesion: f32,
    /// Velocity of its blood, um/s.
    um_per_s: f32,
    flow_um3_per_min: f32,
    /// The node where it ends.
    down: u32,
    /// The node where it begins.
    up: u32,
}

impl Way {
    fn length_um(&self) -> f32 {
        self.from_um.distance(self.to_um)
    }

    /// Surface that lets pass what comes so, um2 of normal wall.
    fn open_um2(&self, by: Extravasation) -> f32 {
        let of_wall = match by {
            Extravasation::Leak => self.permeability,
            Extravasation::Adhesion => self.adhesion,
        };
        std::f32::consts::TAU * self.radius_um * self.length_um() * of_wall
    }

    fn direction(&self) -> Vec3 {
        (self.to_um - self.from_um).normalize_or(Vec3::X)
    }

    /// How far along it lies what of its axis is nearest to a point, um.
    fn along(&self, point: Vec3) -> f32 {
        let length = self.length_um();
        (point - self.from_um)
            .dot(self.direction())
            .clamp(0.0, length)
    }

    /// Distance of a point from its axis, um.
    fn off_axis(&self, point: Vec3) -> f32 {
        self.at(self.along(point)).distance(point)
    }

    fn at(&self, along_um: f32) -> Vec3 {
        self.from_um + self.direction() * along_um
    }

    /// The door in its wall on the side of a direction.
    fn door(&self, along_um: f32, towards: Vec3) -> Door {
        let direction = self.direction();
        let across = towards - direction * towards.dot(direction);
        let into_tissue = across
            .try_normalize()
            .unwrap_or_else(|| direction.any_orthonormal_vector());
        Door {
            at_um: self.at(along_um) + into_tissue * self.radius_um,
            into_tissue,
            permeability: self.permeability,
            flow_um_per_s: direction * self.um_per_s,
            vessel_radius_um: self.radius_um,
        }
    }
}

/// The perfused vessels of a site, as ways in and out of it.
#[derive(Debug, Default)]
pub struct VesselWays {
    ways: Vec<Way>,
    /// What all up to each let leak, um2 of normal wall.
    leaky_um2: Vec<f32>,
    /// What all up to each bear for leukocytes to hold on to, um2 of normal wall.
    adhesive_um2: Vec<f32>,
    /// Wall in as much native tissue of the organ, um2.
    native_um2: f32,
    /// Ways that begin, and that end, in each node.
    leaving: Vec<Vec<u32>>,
    coming: Vec<Vec<u32>>,
    min_um: Vec3,
    cells: UVec3,
    /// Ways that come near each cell of the grid.
    near: Vec<Vec<u32>>,
}

impl VesselWays {
    /// Those of a network in an organ with such vessels; none until its blood flows.
    pub fn of(network: &Network, native: &OrganVessels) -> Self {
        let block = network.block();
        let cells = ((block.max_um() - block.min_um) / CELL_UM)
            .ceil()
            .max(Vec3::ONE);
        let volume_um3 = block.voxel_volume_um3() * block.voxels() as f32;
        Self {
            native_um2: native.surface_per_um() * volume_um3,
            min_um: block.min_um,
            cells: cells.as_uvec3(),
            ..Self::default()
        }
    }

    /// What all ways up to each let pass.
    fn open_up_to_each(&self, by: Extravasation) -> &[f32] {
        match by {
            Extravasation::Leak => &self.leaky_um2,
            Extravasation::Adhesion => &self.adhesive_um2,
        }
    }

    /// Follows what flows.
    pub fn follow_flow(&mut self, network: &Network, order: &FlowOrder) {
        let nodes = network.nodes().len();
        self.ways.clear();
        self.leaky_um2.clear();
        self.adhesive_um2.clear();
        for list in [&mut self.leaving, &mut self.coming] {
            list.clear();
            list.resize(nodes, Vec::new());
        }
        self.near.clear();
        self.near
            .resize(self.cells.element_product() as usize, Vec::new());
        let mut perfused = order.segments.clone();
        perfused.sort_unstable();
        let (mut leaky, mut adhesive) = (0.0, 0.0);
        for at in perfused {
            let at = at as usize;
            let segment = &network.segments()[at];
            let [up, down] = up_and_down(network, at);
            let [from_um, to_um] = [up, down].map(|node| network.nodes()[node].at_um);
            let number = self.ways.len() as u32;
            let way = Way {
                from_um,
                to_um,
                radius_um: segment.radius_um,
                permeability: segment.permeability,
                adhesion: segment.adhesion,
                um_per_s: segment.velocity_um_per_s().abs() as f32,
                flow_um3_per_min: segment.flow_um3_per_min.abs() as f32,
                down: down as u32,
                up: up as u32,
            };
            leaky += way.open_um2(Extravasation::Leak);
            adhesive += way.open_um2(Extravasation::Adhesion);
            self.ways.push(way);
            self.leaky_um2.push(leaky);
            self.adhesive_um2.push(adhesive);
            self.leaving[up].push(number);
            self.coming[down].push(number);
            self.note(number, &way);
        }
    }

    fn cell_of(&self, point: Vec3) -> UVec3 {
        let cell = ((point - self.min_um) / CELL_UM)
            .clamp(Vec3::ZERO, (self.cells - UVec3::ONE).as_vec3());
        cell.as_uvec3()
    }

    fn index(&self, cell: UVec3) -> usize {
        (cell.x + self.cells.x * (cell.y + self.cells.y * cell.z)) as usize
    }

    /// Notes a way in the cells that the box around it covers.
    fn note(&mut self, number: u32, way: &Way) {
        let [low, high] = [
            way.from_um.min(way.to_um) - way.radius_um,
            way.from_um.max(way.to_um) + way.radius_um,
        ]
        .map(|point| self.cell_of(point));
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                for x in low.x..=high.x {
                    let index = self.index(UVec3::new(x, y, z));
                    self.near[index].push(number);
                }
            }
        }
    }

    /// The way that is nearest to a point by what `away` says of it, um, if that is not more than `within_um`; of equals the first.
    fn nearest_way(&self, point: Vec3, within_um: f32, away: impl Fn(&Way) -> f32) -> Option<u32> {
        if self.ways.is_empty() {
            return None;
        }
        let mut best: Option<(u32, f32)> = None;
        let mut look = |number: u32| {
            let distance = away(&self.ways[number as usize]);
            if distance <= within_um
                && best.is_none_or(|(known, least)| {
                    distance < least || (distance == least && number < known)
                })
            {
                best = Some((number, distance));
            }
        };
        let reach = (within_um / CELL_UM).ceil();
        if reach >= self.cells.max_element() as f32 {
            (0..self.ways.len() as u32).for_each(look);
            return best.map(|(number, _)| number);
        }
        let middle = self.cell_of(point).as_ivec3();
        let reach = IVec3::splat(reach as i32);
        let low = (middle - reach).max(IVec3::ZERO).as_uvec3();
        let high = (middle + reach)
            .min(self.cells.as_ivec3() - IVec3::ONE)
            .as_uvec3();
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                for x in low.x..=high.x {
                    let index = self.index(UVec3::new(x, y, z));
                    self.near[index].iter().copied().for_each(&mut look);
                }
            }
        }
        best.map(|(number, _)| number)
    }

    /// One of these ways, the more often the more flows in it.
    fn at_fork(&self, ways: &[u32], dice: f32) -> Option<u32> {
        let flow = |number: &u32| self.ways[*number as usize].flow_um3_per_min;
        let mut left = dice * ways.iter().map(flow).sum::<f32>();
        let found = ways.iter().find(|number| {
            left -= flow(number);
            left < 0.0
        });
        found.or(ways.last()).copied()
    }
}

/// Most segments that one follows at a time.
const MOST_FOLLOWED: usize = 10_000;

impl Doors for VesselWays {
    fn nearest(&self, from_um: Vec3, within_um: f32) -> Option<Door> {
        let to_wall = |way: &Way| way.off_axis(from_um) - way.radius_um;
        let number = self.nearest_way(from_um, within_um, to_wall)?;
        let way = &self.ways[number as usize];
        let along = way.along(from_um);
        Some(way.door(along, from_um - way.at(along)))
    }

    fn open_um2(&self, by: Extravasation) -> f32 {
        self.open_up_to_each(by).last().copied().unwrap_or(0.0)
    }

    fn native_um2(&self) -> f32 {
        self.native_um2
    }

    fn pick(&self, by: Extravasation, [which, along, around]: [f32; 3]) -> Option<Door> {
        let open = self.open_up_to_each(by);
        let at = which * self.open_um2(by);
        let place = open.partition_point(|open| *open <= at);
        let way = self.ways.get(place.min(self.ways.len().checked_sub(1)?))?;
        let (side, up) = way.direction().any_orthonormal_pair();
        let (sin, cos) = bevy::math::ops::sin_cos(std::f32::consts::TAU * around);
        Some(way.door(along * way.length_um(), side * cos + up * sin))
    }

    fn follow(&self, from_um: Vec3, by_um: f32, dice: f32) -> Followed {
        // By the centre line: near a fork a narrow vessel lies within the lumen of a wide one.
        let to_axis = |way: &Way| {
            let away = way.off_axis(from_um);
            if away <= way.radius_um {
                away
            } else {
                f32::INFINITY
            }
        };
        let Some(mut number) = self.nearest_way(from_um, CELL_UM, to_axis) else {
            return Followed::Nowhere;
        };
        let mut along = self.ways[number as usize].along(from_um);
        let mut left = by_um;
        for _ in 0..MOST_FOLLOWED {
            let way = &self.ways[number as usize];
            let goal = along + left;
            if goal >= 0.0 && goal <= way.length_um() {
                return Followed::To(way.at(goal));
            }
            let is_down = goal > 0.0;
            let (next, end_um) = if is_down {
                left = goal - way.length_um();
                (&self.leaving[way.down as usize], way.to_um)
            } else {
                left = goal;
                (&self.coming[way.up as usize], way.from_um)
            };
            let Some(next) = self.at_fork(next, dice) else {
                return Followed::Out(end_um);
            };
            number = next;
            along = if is_down {
                0.0
            } else {
                self.ways[number as usize].length_um()
            };
        }
        Followed::To(self.ways[number as usize].at(along))
    }
}

/// Whether the ways of a site are not known yet, as at the start and after a resume.
pub fn are_unknown(sites: Query<&SiteDoors>) -> bool {
    let mut ways = sites.iter().filter_map(|doors| doors.get::<VesselWays>());
    ways.any(|ways| ways.near.is_empty())
}

/// Keeps the ways in and out up to date where the flow has changed.
pub fn show_ways(mut networks: Query<(Ref<Network>, &FlowOrder, &mut SiteDoors)>) {
    for (network, order, mut doors) in &mut networks {
        if network.is_changed()
            && let Some(ways) = doors.get_mut::<VesselWays>()
        {
            ways.follow_flow(&network, order);
        }
    }
}
