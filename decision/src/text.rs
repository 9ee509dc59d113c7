//! Strings borrowed from the request where they can be, and the string maps of Kubernetes metadata.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A string of the request: borrowed when its JSON has no escapes, owned when it has. JSON `null` reads as the empty string,
/// as the API server reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The string itself.
    pub(crate) fn into_cow(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A map of strings (labels, annotations, node selectors), sorted by key. A key that stands twice is an error: the API server
/// would keep one of the two, and nobody could say which was meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> Pairs<'a> {
    /// Puts `text` in the place of the value that is the empty string at `place`, and says whether there is one. `place` is the empty
    /// slice of the JSON that this was read from, between two quotation marks: only the string that opens right there has its address,
    /// since an empty value without escapes is borrowed from the JSON and every other one is not.
    pub fn put_back(&mut self, place: &'a str, text: &'a str) -> bool {
        let mut values = self.0.iter_mut().map(|(_, Text(value))| value);
        let here = |value: &Cow<'_, str>| matches!(value, Cow::Borrowed("")) && std::ptr::eq(value.as_ptr(), place.as_ptr());
        let Some(value) = values.find(|value| here(value)) else { return false };
        *value = Cow::Borrowed(text);
        true
    }

    /// The value under `key`, if the key is there.
    pub fn value(&self, key: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(found).map(|(_, value)| &**value)
    }

    /// All keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The keys that begin with `prefix`, with their values; costs only as much as there are such keys.
    pub fn starting_with<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (&'s str, &'s str)> {
        let start = self.0.partition_point(|(key, _)| &**key < prefix);
        self.0.iter().skip(start).map(|(key, value)| (&**key, &**value)).take_while(move |(key, _)| key.starts_with(prefix))
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_unit<E: Error>(self) -> Result<Pairs<'de>, E> {
        Ok(Pairs::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs: Vec<(Text<'de>, Text<'de>)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let twice = pairs.iter().zip(pairs.iter().skip(1)).find(|((a, _), (b, _))| a == b);
        match twice {
            Some(((key, _), _)) => Err(A::Error::custom(format_args!("key {:?} stands twice", &**key))),
            None => Ok(Pairs(pairs)),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_string_is_borrowed_and_an_escaped_one_is_not() {
        let plain: Text<'_> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("plain")));
        let escaped: Text<'_> = serde_json::from_str(r#""a\u003cb""#).unwrap();
        assert_eq!(&*escaped, "a<b");
    }

    #[test]
    fn pairs_are_found_by_key_and_by_prefix() {
        let pairs: Pairs<'_> = serde_json::from_str(r#"{"b/y":"2","a":"1","b/x":null}"#).unwrap();
        assert_eq!(pairs.value("a"), Some("1"));
        assert_eq!(pairs.value("c"), None);
        assert_eq!(pairs.starting_with("b/").collect::<Vec<_>>(), [("b/x", ""), ("b/y", "2")]);
    }

    #[test]
    fn a_text_is_put_back_at_its_own_place_alone() {
        let json = r#"{"a":"","b":"","c":"d"}"#;
        let read = || serde_json::from_str::<Pairs<'_>>(json).unwrap();
        let at = |place: usize| json.get(place..place).unwrap();
        let [of_a, of_b, of_c] = [r#"{"a":""#, r#"{"a":"","b":""#, r#"{"a":"","b":"","c":""#].map(str::len);
        let values = |pairs: &Pairs<'_>| pairs.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>();
        for (place, put_back) in [(of_a, ["x", "", "d"]), (of_b, ["", "x", "d"])] {
            let mut pairs = read();
            assert!(pairs.put_back(at(place), "x"));
            assert_eq!(values(&pairs), put_back);
        }
        for place in [0, of_c] {
            let mut pairs = read();
            assert!(!pairs.put_back(at(place), "x"), "{place}");
            assert_eq!(pairs, read());
        }
    }

    #[test]
    fn a_key_that_is_the_prefix_itself_begins_with_it() {
        let pairs: Pairs<'_> = serde_json::from_str(r#"{"a":"1","b/":"2","b/x":"3","b0":"4"}"#).unwrap();
        assert_eq!(pairs.starting_with("b/").collect::<Vec<_>>(), [("b/", "2"), ("b/x", "3")]);
    }

    #[test]
    fn what_is_not_a_map_is_refused_and_null_is_an_empty_one() {
        let error = serde_json::from_str::<Pairs<'_>>("[]").unwrap_err();
        assert!(error.to_string().starts_with("invalid type: sequence, expected a map of strings"), "{error}");
        assert_eq!(serde_json::from_str::<Pairs<'_>>("null").unwrap(), Pairs::default());
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_by_name() {
        let error = serde_json::from_str::<Pairs<'_>>(r#"{"a":"1","a":"2"}"#).unwrap_err();
        assert!(error.to_string().starts_with("key \"a\" stands twice"), "{error}");
    }

    #[test]
    fn a_value_that_is_not_a_string_is_refused() {
        let error = serde_json::from_str::<Pairs<'_>>(r#"{"a":true}"#).unwrap_err();
        assert!(error.to_string().starts_with("invalid type: boolean `true`, expected a string"), "{error}");
    }
}
