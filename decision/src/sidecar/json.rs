//! JSON for comparison: borrowed from its text, objects sorted by key, a key that stands twice refused.
//!
//! `serde_json`'s own values would keep the last of two equal keys, where the runtime perhaps takes the first. Sorted keys make equality and
//! lookup cheap whatever a pod says, and nothing is copied that has no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::text::Text;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// A JSON object: sorted by key, each key once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Json<'a> {
    /// A text.
    pub(super) const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A copy that borrows nothing.
    fn owned(&self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(text) => Json::Text(Cow::Owned(text.clone().into_owned())),
            Self::List(elements) => Json::List(elements.iter().map(Json::owned).collect()),
            Self::Object(object) => Json::Object(object.owned()),
        }
    }

    /// The same value, borrowed.
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(elements) => Self::List(elements.iter().map(Self::of).collect()),
            Value::Object(fields) => Self::Object(Object::of(fields)),
        }
    }

    /// The text, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The fields, if it is an object.
    pub(super) fn as_object(&self) -> Option<&Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The fields to change, if it is an object.
    pub(super) fn as_object_mut(&mut self) -> Option<&mut Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::List(elements) => elements.iter().map(Self::to_value).collect(),
            Self::Object(object) => object.iter().map(|(key, value)| (key.to_owned(), value.to_value())).collect(),
        }
    }
}

/// As compact JSON, for messages.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

impl<'a> Object<'a> {
    /// Reads an object from its text; a key that stands twice, at any level, is an error.
    pub(super) fn read(json: &'a str) -> Result<Self, serde_json::Error> {
        match serde_json::from_str(json)? {
            Json::Object(object) => Ok(object),
            _ => Err(serde_json::Error::custom("not an object")),
        }
    }

    /// The same object, borrowed.
    pub(super) fn of(map: &'a Map<String, Value>) -> Self {
        let mut fields: Vec<_> = map.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Json::of(value))).collect();
        fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self(fields)
    }

    /// A copy that borrows nothing.
    pub(super) fn owned(&self) -> Object<'static> {
        Object(self.0.iter().map(|(key, value)| (Cow::Owned(key.clone().into_owned()), value.owned())).collect())
    }

    /// The fields in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The fields in the order of their keys, to change their values.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// Whether there are no fields.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(found, _)| (**found).cmp(key))
    }

    /// The value under `key`.
    pub(super) fn value(&self, key: &str) -> Option<&Json<'a>> {
        self.0.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    /// The value under `key`, to change it.
    pub(super) fn value_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Puts a value under `key` where there is none.
    pub(super) fn fill_in(&mut self, key: &'static str, value: Json<'a>) {
        if let Err(place) = self.place(key) {
            self.0.insert(place, (Cow::Borrowed(key), value));
        }
    }

    /// Takes the value under `key` out.
    pub(super) fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }

    /// Keeps the fields that `kept` says yes to.
    pub(super) fn retain(&mut self, mut kept: impl FnMut(&str, &Json<'a>) -> bool) {
        self.0.retain(|(key, value)| kept(key, value));
    }

    /// Adds the fields of `others` whose keys are not there.
    pub(super) fn fill_in_all(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
        // Stable: of two equal keys the one that was there comes first.
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup_by(|(later, _), (earlier, _)| later == earlier);
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed.deserialize(deserializer)
    }
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Json<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number out of range"))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(Seed)? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut fields: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(key) = entries.next_key::<Text<'de>>()? {
            fields.push((key.into_cow(), entries.next_value_seed(Seed)?));
        }
        fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let twice = fields.iter().zip(fields.iter().skip(1)).find(|((a, _), (b, _))| a == b);
        match twice {
            Some(((key, _), _)) => Err(A::Error::custom(format_args!("key {key:?} stands twice"))),
            None => Ok(Json::Object(Object(fields))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Object<'_> {
        Object::read(json).unwrap()
    }

    #[test]
    fn the_order_of_fields_does_not_matter_and_that_of_elements_does() {
        assert_eq!(read(r#"{"a":1,"b":{"c":[1,2],"d":null}}"#), read(r#"{"b":{"d":null,"c":[1,2]},"a":1}"#));
        assert_ne!(read(r#"{"a":[1,2]}"#), read(r#"{"a":[2,1]}"#));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_level() {
        for json in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"c":2,"\u0061":2}]}"#] {
            let error = Object::read(json).unwrap_err().to_string();
            assert!(error.starts_with("key \"a\" stands twice"), "{error}");
        }
    }

    #[test]
    fn filling_keeps_what_is_there() {
        let mut object = read(r#"{"b":1,"d":1}"#);
        object.fill_in_all(&read(r#"{"a":2,"b":2,"c":2}"#));
        assert_eq!(object, read(r#"{"a":2,"b":1,"c":2,"d":1}"#));
    }
}
