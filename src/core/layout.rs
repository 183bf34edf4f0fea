//! How a type lies in a file of the postcard format, in words.
//!
//! That format stores values without names: a file of another build, whose types have other fields, can be read
//! to nonsense. So what a file holds is written beside it, as `Clock{step:u64,step_minutes:f64}`, and compared. A
//! type is asked by letting it read itself from a source that takes down every question and answers with zeros. Of
//! an enum this tells the names of all variants and what the first one holds.

use std::fmt::{Display, Write};

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor, value,
};

/// The layout of a type: equal for two builds if what one writes means the same to the other, but for what variants of an
/// enum after the first hold.
pub fn layout_of<T: DeserializeOwned>() -> String {
    let mut text = String::new();
    if T::deserialize(Scribe(&mut text)).is_err() {
        // It wants more than zeros; what was taken down stands for it.
        text.push('?');
    }
    text
}

/// Takes down what it is asked for.
struct Scribe<'t>(&'t mut String);

impl Scribe<'_> {
    fn note(&mut self, words: impl Display) {
        write!(self.0, "{words}").expect("a text takes everything");
    }

    /// Takes down parts between brackets; `names` are those of the parts, if they have any.
    fn parts<'de, V: Visitor<'de>>(
        &mut self,
        brackets: [char; 2],
        names: &'static [&'static str],
        count: usize,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(brackets[0]);
        let value = visitor.visit_seq(Parts {
            scribe: Scribe(self.0),
            names,
            given: 0,
            count,
        })?;
        self.note(brackets[1]);
        Ok(value)
    }
}

/// The parts of a struct, tuple or list, one after the other.
struct Parts<'t> {
    scribe: Scribe<'t>,
    names: &'static [&'static str],
    given: usize,
    count: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = value::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, value::Error> {
        if self.given == self.count {
            return Ok(None);
        }
        if self.given > 0 {
            self.scribe.note(',');
        }
        if let Some(name) = self.names.get(self.given) {
            self.scribe.note(format_args!("{name}:"));
        }
        self.given += 1;
        seed.deserialize(Scribe(self.scribe.0)).map(Some)
    }
}

/// A map of one entry.
struct Entry<'t>(Scribe<'t>, bool);

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = value::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, value::Error> {
        if std::mem::replace(&mut self.1, true) {
            return Ok(None);
        }
        seed.deserialize(Scribe(self.0.0)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, value::Error> {
        self.0.note("=>");
        seed.deserialize(Scribe(self.0.0))
    }
}

impl<'de> EnumAccess<'de> for Scribe<'_> {
    type Error = value::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), value::Error> {
        Ok((seed.deserialize(0_u32.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Scribe<'_> {
    type Error = value::Error;

    fn unit_variant(self) -> Result<(), value::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, value::Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.parts(['(', ')'], &[], len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.parts(['{', '}'], fields, fields.len(), visitor)
    }
}

/// Methods that take down a name and answer with one value.
macro_rules! answers {
    ($($method:ident $name:literal $visit:ident $zero:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, value::Error> {
            self.note($name);
            visitor.$visit($zero)
        }
    )*};
}

impl<'de> Deserializer<'de> for Scribe<'_> {
    type Error = value::Error;

    answers! {
        deserialize_bool "bool" visit_bool false;
        deserialize_i8 "i8" visit_i8 0;
        deserialize_i16 "i16" visit_i16 0;
        deserialize_i32 "i32" visit_i32 0;
        deserialize_i64 "i64" visit_i64 0;
        deserialize_i128 "i128" visit_i128 0;
        deserialize_u8 "u8" visit_u8 0;
        deserialize_u16 "u16" visit_u16 0;
        deserialize_u32 "u32" visit_u32 0;
        deserialize_u64 "u64" visit_u64 0;
        deserialize_u128 "u128" visit_u128 0;
        deserialize_f32 "f32" visit_f32 0.0;
        deserialize_f64 "f64" visit_f64 0.0;
        deserialize_char "char" visit_char ' ';
        deserialize_str "text" visit_borrowed_str "";
        deserialize_string "text" visit_borrowed_str "";
        deserialize_bytes "bytes" visit_borrowed_bytes &[];
        deserialize_byte_buf "bytes" visit_borrowed_bytes &[];
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, value::Error> {
        self.note("()");
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, value::Error> {
        self.note('?');
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(name);
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(format_args!("{name} "));
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, value::Error> {
        self.parts(['[', ']'], &[], 1, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.parts(['(', ')'], &[], len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(name);
        self.parts(['(', ')'], &[], len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, value::Error> {
        self.note('{');
        let value = visitor.visit_map(Entry(Scribe(self.0), false))?;
        self.note('}');
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(name);
        self.parts(['{', '}'], fields, fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.note(format_args!("{name}<{}>", variants.join("|")));
        visitor.visit_enum(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, value::Error> {
        Err(Error::custom("the format does not say what comes next"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.deserialize_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bevy::math::Vec3;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its layout is asked for")]
    struct Everything {
        at: Vec3,
        names: BTreeMap<String, Option<u16>>,
        kind: Kind,
        pairs: Vec<(bool, f64)>,
        single: Single,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its layout is asked for")]
    enum Kind {
        Far { by: i64 },
        Near,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its layout is asked for")]
    struct Single([u8; 2]);

    #[test]
    fn a_layout_names_all_parts_in_their_order() {
        assert_eq!(
            layout_of::<Everything>(),
            "Everything{at:Vec3(f32,f32,f32),names:{text=>?u16},kind:Kind<Far|Near>{by:i64},\
             pairs:[(bool,f64)],single:Single (u8,u8)}"
        );
    }
}
