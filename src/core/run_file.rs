//! What modules write into the folder of a run when it ends: files of their own, beside the tables that every run has.
//!
//! A module registers one from its plugin with [`RegisterRunFile::register_run_file`]. The function reads a world and changes nothing; the
//! file is written whole, when the run ends or is broken off.

use std::sync::Arc;

use bevy::prelude::*;

use super::state::RegisterState;

/// The text of a file; none where the run has nothing of the kind.
type Text = Arc<dyn Fn(&World) -> Option<String> + Send + Sync>;

/// One registered file.
#[derive(Clone)]
pub struct RunFile {
    /// Its name in the folder.
    pub name: &'static str,
    /// What stands in it, in a sentence.
    pub about: &'static str,
    text: Text,
}

impl RunFile {
    /// What stands in it; none where the run has nothing of the kind.
    pub fn text(&self, world: &World) -> Option<String> {
        (self.text)(world)
    }
}

/// All registered files, in the order of registration.
#[derive(Resource, Clone, Default)]
pub struct RunFiles(pub Vec<RunFile>);

/// Registration, from a module's plugin.
pub trait RegisterRunFile {
    /// Registers a file of run folders.
    ///
    /// # Panics
    /// When there is one of that name, or it is no plain name of a file.
    fn register_run_file(
        &mut self,
        name: &'static str,
        about: &'static str,
        text: impl Fn(&World) -> Option<String> + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterRunFile for App {
    fn register_run_file(
        &mut self,
        name: &'static str,
        about: &'static str,
        text: impl Fn(&World) -> Option<String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.init_resource::<RunFiles>()
            .declare_remade::<RunFiles>("a list of what the program knows");
        let mut files = self.world_mut().resource_mut::<RunFiles>();
        assert!(
            files.0.iter().all(|known| known.name != name),
            "the file `{name}` is registered twice"
        );
        let is_plain = name.starts_with(char::is_alphanumeric) && !name.contains(['/', '\\', ':']);
        assert!(is_plain, "`{name}` is no plain name of a file");
        files.0.push(RunFile {
            name,
            about,
            text: Arc::new(text),
        });
        self
    }
}
