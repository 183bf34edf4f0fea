//! Components on their way to an entity that is not there yet.
//!
//! Who asks for a newcomer says what it shall carry; it is made later, in `Turnover`. Until then its components are kept
//! as bytes, so that newcomers asked for from many threads can be put in an order that depends on nothing but what they
//! are: two that are equal in all of it are the same, whichever comes first.

use std::any::TypeId;
use std::cmp::Ordering;

use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::append;

type Insert = fn(&mut EntityWorldMut, &[u8]);

/// Some components, in the postcard format.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

/// Where one component lies.
#[derive(Clone, Copy, Debug)]
struct Part {
    of: TypeId,
    name: &'static str,
    insert: Insert,
    /// Where its bytes end.
    end: usize,
}

impl Carried {
    /// One more component.
    pub fn add<C>(&mut self, component: &C)
    where
        C: Component + Serialize + DeserializeOwned,
    {
        append(component, &mut self.bytes);
        let insert: Insert = |entity, bytes| {
            // They were written from the same type a moment ago.
            if let Ok(component) = postcard::from_bytes::<C>(bytes) {
                entity.insert(component);
            }
        };
        self.parts.push(Part {
            of: TypeId::of::<C>(),
            name: std::any::type_name::<C>(),
            insert,
            end: self.bytes.len(),
        });
    }

    /// The type of each component, and its name.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &'static str)> {
        self.parts.iter().map(|part| (part.of, part.name))
    }

    /// Gives all of them to an entity, in the order in which they were added.
    pub fn give(&self, entity: &mut EntityWorldMut) {
        let mut start = 0;
        for part in &self.parts {
            (part.insert)(entity, &self.bytes[start..part.end]);
            start = part.end;
        }
    }

    /// An order that depends on what is carried alone.
    pub fn order(&self, other: &Self) -> Ordering {
        let names = |of: &Self| of.parts.iter().map(|part| part.name).collect::<Vec<_>>();
        self.bytes
            .cmp(&other.bytes)
            .then_with(|| names(self).cmp(&names(other)))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Length(f32);

    #[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Names(Vec<String>);

    #[test]
    fn an_entity_gets_what_it_was_to_carry() {
        let mut carried = Carried::default();
        carried.add(&Length(2.5));
        carried.add(&Names(vec!["a".into(), "b".into()]));
        let mut world = World::new();
        let mut entity = world.spawn_empty();
        carried.give(&mut entity);
        assert_eq!(entity.get::<Length>(), Some(&Length(2.5)));
        assert_eq!(
            entity.get::<Names>(),
            Some(&Names(vec!["a".into(), "b".into()]))
        );
    }

    #[test]
    fn the_order_is_that_of_what_is_carried() {
        let carrying = |length| {
            let mut carried = Carried::default();
            carried.add(&Length(length));
            carried
        };
        assert_eq!(carrying(1.0).order(&carrying(1.0)), Ordering::Equal);
        let (a, b) = (carrying(1.0), carrying(2.0));
        assert_eq!(a.order(&b), b.order(&a).reverse());
        assert_ne!(a.order(&b), Ordering::Equal);
        let empty = Carried::default();
        assert_eq!(empty.order(&a), Ordering::Less);
    }
}
