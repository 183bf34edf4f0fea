//! What somebody else adds to the program: plugins beside the shipped ones.
//!
//! They are kept as functions, because every simulation, and every scene that is checked, makes a world of its own.

use std::fmt;
use std::sync::Arc;

use bevy::prelude::*;

type AddPlugin = Arc<dyn Fn(&mut App) + Send + Sync>;

/// Plugins beside the shipped ones, in the order in which they are added. Cheap to clone.
#[derive(Clone, Default)]
pub struct Extensions {
    plugins: Arc<Vec<AddPlugin>>,
}

impl Extensions {
    /// The same with one more, which adds plugins to an app.
    #[must_use]
    pub fn with(mut self, plugin: impl Fn(&mut App) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.plugins).push(Arc::new(plugin));
        self
    }

    /// Adds all of them to an app.
    pub fn build(&self, app: &mut App) {
        for plugin in &*self.plugins {
            plugin(app);
        }
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} extensions", self.plugins.len())
    }
}
