//! The body of a request about a pod, with the long text of a policy taken out before its JSON is read.
//!
//! Why: that text is nearly all of a big review, and the JSON reader looks for its end eight bytes at a time. Of a review of a policy
//! seen before, that was an eighth of the processor time; here the end is found by vector instructions.

use countersign_decision::pod::Pod;
use countersign_policy::Measured;
use memchr::{memchr2, memmem};

/// Shorter texts are left where they are: it would take longer to copy what is around them. So are those below a third of their body:
/// that copy is memory that nobody counts.
const LONG: usize = 8 * 1024;

/// The body of a request.
#[derive(Debug)]
pub struct Body<'b> {
    pub(super) bytes: &'b [u8],
    /// The same, if it is UTF-8 as JSON has to be.
    pub(super) text: Option<&'b str>,
    pub(super) cut: Option<Cut<'b>>,
}

impl<'b> Body<'b> {
    /// The body that has these bytes, whatever they are.
    pub fn of(bytes: &'b [u8]) -> Self {
        // The whole at once: the JSON reader would look at every string again by itself, and more slowly.
        let text = simdutf8::basic::from_utf8(bytes).ok();
        Self { bytes, text, cut: text.and_then(Cut::of) }
    }

    /// The same, to be read as it is: what [`Body::of`] has to agree with.
    pub fn whole(bytes: &'b [u8]) -> Self {
        Self { cut: None, ..Self::of(bytes) }
    }
}

/// A JSON text without one of its strings.
#[derive(Debug)]
pub(super) struct Cut<'b> {
    /// The text around the string: the same JSON, with an empty string in its place.
    pub(super) rest: String,
    /// Where in `rest` that empty string is.
    at: usize,
    string: &'b str,
}

impl<'b> Cut<'b> {
    /// Takes out the value of the first key of a policy's annotation, if it is long and plain. On an update that is one of two.
    ///
    /// What is taken out has no quotation mark, no escape and no control character, so a reader of JSON that comes to it within a
    /// string finds that string's end where the text ends; one that comes to it otherwise fails before.
    fn of(text: &'b str) -> Option<Self> {
        let at = start(text)?;
        let (before, after) = text.split_at_checked(at)?;
        let end = memchr2(b'"', b'\\', after.as_bytes())?;
        let (string, after) = after.split_at_checked(end)?;
        let plain = after.starts_with('"') && string.bytes().fold(u8::MAX, u8::min) >= b' ';
        (plain && string.len() >= LONG.max(text.len() / 3)).then(|| Self { rest: [before, after].concat(), at, string })
    }

    /// Puts the string back into a pod that was read from `rest`, and says whether one of the pod's annotations is where it was. Where
    /// none is, it belongs to something else, and `rest` is not to be used.
    pub(super) fn put_back<'a>(&'a self, pod: &mut Pod<'a>) -> bool {
        let place = self.rest.get(self.at..self.at);
        place
            .zip(pod.metadata.annotations.as_mut())
            .is_some_and(|(place, annotations)| annotations.put_back(place, self.string))
    }
}

/// Where the value of the first annotation begins that carries a policy, as the API server writes JSON: without spaces.
fn start(text: &str) -> Option<usize> {
    if text.len() < LONG {
        return None;
    }
    memmem::find_iter(text.as_bytes(), "\"io.katacontainers.config.").find_map(|quote| {
        let key = text.get(quote..)?.strip_prefix('"')?;
        let value = Measured::ALL.iter().find_map(|measured| key.strip_prefix(measured.annotation())?.strip_prefix("\":\""))?;
        text.len().checked_sub(value.len())
    })
}

#[cfg(test)]
mod tests {
    use super::super::question::{around, read};
    use super::*;

    const KEY: &str = "io.katacontainers.config.agent.policy";

    fn policy() -> String {
        "QUJD".repeat(LONG / 4)
    }

    fn review(object: &str, old: &str) -> String {
        format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","kind":{{"group":"","version":"v1","kind":"Pod"}},"operation":"UPDATE","namespace":"kafka","userInfo":{{}},"object":{object},"oldObject":{old}}}}}"#
        )
    }

    fn pod(annotations: &str, volumes: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"p","annotations":{{"a":"",{annotations},"z":""}}}},"spec":{{"containers":[{{"name":"c"}}],"volumes":[{volumes}]}}}}"#
        )
    }

    /// A pod with a policy that is long enough.
    fn with_policy() -> String {
        pod(&format!(r#""{KEY}":"{}""#, policy()), "")
    }

    /// What is read of a body, whichever way that is.
    fn read_of(body: &Body<'_>) -> String {
        format!("{:?}", read(body))
    }

    /// Whether a body is read around its policy; whichever way it is read, the same comes of it.
    fn read_around(text: &str) -> bool {
        let body = Body::of(text.as_bytes());
        assert_eq!(read_of(&body), read_of(&Body::whole(text.as_bytes())), "{text}");
        body.cut.as_ref().and_then(around).is_some()
    }

    #[test]
    fn a_long_policy_is_taken_out_and_put_back() {
        for key in Measured::ALL.map(Measured::annotation) {
            let other = r#""io.katacontainers.config.hypervisor.machine_type":"q35""#;
            let with = pod(&format!(r#"{other},"{key}":"{}""#, policy()), "");
            assert!(read_around(&review(&with, "null")), "{key}");
            assert!(read_around(&review(&with, &with)), "{key}");
            assert!(read_around(&review(&pod(other, ""), &with)), "{key}: of the pod as it was");
        }
        let keys = Measured::ALL.map(Measured::annotation);
        let two = pod(&format!(r#""{}":"{text}","{}":"{text}""#, keys[1], keys[0], text = policy()), "");
        assert!(read_around(&review(&two, "null")), "the first of two");
        let letters = pod(&format!(r#""{KEY}":"{}""#, "\u{e9}\u{1f980}".repeat(LONG)), "");
        assert!(read_around(&review(&letters, "null")), "text that is not ASCII is refused later, by its own rule");
    }

    #[test]
    fn what_is_no_plain_annotation_of_the_pod_is_read_as_a_whole() {
        let text = policy();
        for object in [
            // Too short, or with what a reader of JSON has to look at.
            pod(&format!(r#""{KEY}":"{}""#, &text[1..]), ""),
            pod(&format!(r#""{KEY}":"{text}\n""#), ""),
            pod(&format!(r#""{KEY}":"{text}\"""#), ""),
            pod(&format!("\"{KEY}\":\"{text}\n\""), ""),
            // Too much around it.
            pod(&format!(r#""{KEY}":"{text}","b":"{}""#, text.repeat(3)), ""),
            // No end.
            format!(r#"{{"metadata":{{"annotations":{{"{KEY}":"{text}"#),
            // Not where annotations are.
            pod(r#""b":"c""#, &format!(r#"{{"name":"v","csi":{{"volumeAttributes":{{"{KEY}":"{text}"}}}}}}"#)),
            pod(r#""b":"c""#, "").replace(r#""spec""#, &format!(r#""later":{{"{KEY}":"{text}"}},"spec""#)),
            // The annotation of that name is another one, written with an escape.
            pod(&format!(r#""{}":"""#, KEY.replace(".policy", "\\u002epolicy")), "")
                .replace(r#""spec""#, &format!(r#""later":{{"{KEY}":"{text}"}},"spec""#)),
            // The name stands twice.
            pod(&format!(r#""{KEY}":"{text}","{KEY}":"""#), ""),
            // A name that ends with that one's is one of its own, and a text in a text is none.
            with_policy().replace(r#""a":"","#, &format!(r#""a":"\"{KEY}\":\"{text}\"","#)),
        ] {
            let around = read_around(&review(&object, "null"));
            assert_eq!(around, object.contains(r#""a":"\""#), "{object}");
        }
        assert!(read_around(&review(&pod(&format!(r#""b\"{KEY}":"{text}""#), ""), "null")), "read with the name that it has");
    }

    #[test]
    fn a_body_with_any_of_its_bytes_changed_is_read_the_same_either_way() {
        let bytes = review(&with_policy(), "null").into_bytes();
        let text = bytes.windows(8).position(|window| window == b"QUJDQUJD").unwrap();
        let around_the_text = (0..text + 2).chain(text + LONG - 2..bytes.len());
        for at in around_the_text {
            for byte in *b"\"\\{}[],: 0x\n\x01\xff" {
                let mut changed = bytes.clone();
                changed[at] = byte;
                assert_eq!(read_of(&Body::of(&changed)), read_of(&Body::whole(&changed)), "byte {at} made {byte:?}");
            }
        }
    }
}
