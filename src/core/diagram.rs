//! Diagrams of the whole simulation: what a module shows in a panel of its own beside the picture, as a tree over time or as a map.
//!
//! A module registers one from its plugin with [`RegisterDiagram::register_diagram`]. The function reads a world and changes nothing; where there is
//! nothing to show it returns `None`, and the panel is not there. Whoever draws knows these two forms and no module.

use std::sync::Arc;

use bevy::prelude::*;

use super::state::RegisterState;

/// What a person has to know about a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagramInfo {
    /// Its name: `dissemination.body`.
    pub name: String,
    /// The title of its panel.
    pub title: String,
    /// What it shows, in a sentence.
    pub about: String,
}

impl DiagramInfo {
    /// A diagram of that name and title.
    pub fn new(name: &str, title: &str, about: &str) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            about: about.into(),
        }
    }
}

/// A line of a tree: something that lasts from one time to another, and comes from another line.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeLine {
    /// The line that it comes from, by its place in the list: one before it. A root comes from none.
    pub from: Option<u32>,
    /// When it begins, hours.
    pub from_hours: f64,
    /// When it ends, hours; none where it goes on.
    pub to_hours: Option<f64>,
    /// What stands at its end, in a word or two.
    pub label: String,
    /// What more there is to say.
    pub about: String,
    /// Its colour, sRGB.
    pub colour: [f32; 3],
    /// The cell for which it stands, by identity, if it stands for one.
    pub cell: Option<u64>,
}

/// A place of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPlace {
    /// What is there, in a word or two.
    pub label: String,
    /// What is counted there, in few letters.
    pub says: String,
    /// Where it lies, 0-1 from left to right and from above to below.
    pub at: [f32; 2],
    /// Its colour, sRGB.
    pub colour: [f32; 3],
}

/// A way between two places of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapWay {
    /// The place that it leads from, by its place in the list.
    pub from: usize,
    /// The place that it leads to.
    pub to: usize,
    /// How much has gone this way: what has more is drawn thicker, on a scale of logarithms.
    pub amount: f64,
    /// That, as it is written.
    pub says: String,
}

/// What a diagram shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawing {
    /// A tree over time.
    Tree {
        /// Its lines, mothers before daughters.
        lines: Vec<TreeLine>,
        /// How many more there are that are left out.
        left_out: usize,
    },
    /// Places and ways between them.
    Map {
        /// The places.
        places: Vec<MapPlace>,
        /// The ways.
        ways: Vec<MapWay>,
    },
}

/// Draws it; nothing where there is nothing to show.
type Draw = Arc<dyn Fn(&World) -> Option<Drawing> + Send + Sync>;

/// All registered diagrams, in the order of registration.
#[derive(Resource, Clone, Default)]
pub struct Diagrams(Vec<(Arc<DiagramInfo>, Draw)>);

impl Diagrams {
    /// Those of a world that show something now.
    pub fn of(world: &World) -> Vec<(Arc<DiagramInfo>, Drawing)> {
        let known = world.get_resource::<Self>();
        let known = known.into_iter().flat_map(|known| &known.0);
        known
            .filter_map(|(info, draw)| Some((Arc::clone(info), draw(world)?)))
            .collect()
    }
}

/// Registration, from a module's plugin.
pub trait RegisterDiagram {
    /// Registers a diagram.
    ///
    /// # Panics
    /// When there is one of that name.
    fn register_diagram(
        &mut self,
        info: DiagramInfo,
        draw: impl Fn(&World) -> Option<Drawing> + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterDiagram for App {
    fn register_diagram(
        &mut self,
        info: DiagramInfo,
        draw: impl Fn(&World) -> Option<Drawing> + Send + Sync + 'static,
    ) -> &mut Self {
        self.init_resource::<Diagrams>()
            .declare_remade::<Diagrams>("a list of what the program knows");
        let mut diagrams = self.world_mut().resource_mut::<Diagrams>();
        assert!(
            diagrams.0.iter().all(|(known, _)| known.name != info.name),
            "the diagram `{}` is registered twice",
            info.name
        );
        diagrams.0.push((Arc::new(info), Arc::new(draw)));
        self
    }
}

/// The order in which the lines of a tree stand below each other, so that none crosses another: for each its row. Daughters stand below their mother,
/// the latest next to her.
pub fn rows_of(lines: &[TreeLine]) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    let mut waiting: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match line
            .from
            .map(|from| from as usize)
            .filter(|from| *from < at)
        {
            Some(from) => below[from].push(at),
            None => waiting.push(at),
        }
    }
    waiting.reverse();
    let mut rows = vec![0; lines.len()];
    let mut row = 0;
    while let Some(at) = waiting.pop() {
        rows[at] = row;
        row += 1;
        // The last pushed comes next: that which begins last.
        below[at].sort_by(|a, b| lines[*a].from_hours.total_cmp(&lines[*b].from_hours));
        waiting.append(&mut below[at]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: Option<u32>, from_hours: f64) -> TreeLine {
        TreeLine {
            from,
            from_hours,
            to_hours: None,
            label: String::new(),
            about: String::new(),
            colour: [0.0; 3],
            cell: None,
        }
    }

    #[test]
    fn daughters_stand_below_their_mother_and_each_line_has_a_row_of_its_own() {
        let lines = [
            line(None, 0.0),
            line(None, 0.0),
            line(Some(0), 3.0),
            line(Some(0), 5.0),
            line(Some(3), 6.0),
            line(Some(1), 2.0),
        ];
        let rows = rows_of(&lines);
        let mut all = rows.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        // First root, her later daughter with her own, her earlier daughter, second root.
        assert_eq!(rows, [0, 4, 3, 1, 2, 5]);
    }
}
