//! Why an annotation's text cannot be measured as a policy.

/// Why an annotation's text is not what its platform measures. Positions count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More characters than the configuration permits.
    #[error("it has {found} characters, more than the {limit} that the configuration permits")]
    TooLong {
        /// How many characters the annotation has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A character outside the standard alphabet.
    #[error("character {character} at position {position} is not standard base64{hint}")]
    Character {
        /// The character, in words where it cannot be seen.
        character: String,
        /// Where it stands in the annotation.
        position: usize,
        /// What is probably meant, beginning with a colon, or nothing.
        hint: &'static str,
    },
    /// The padding at the end is missing or wrong.
    #[error(
        "its padding is wrong at position {position}: base64 comes in groups of four characters, the last filled up with \"=\""
    )]
    Padding {
        /// Where the text ends or the padding goes wrong.
        position: usize,
    },
    /// The last character carries bits that no byte uses.
    #[error(
        "the last character before the padding, at position {position}, carries bits that belong to no byte: the text was cut or changed"
    )]
    LooseBits {
        /// Where the character stands in the annotation.
        position: usize,
    },
    /// The bytes are not UTF-8 text, so they are neither Rego nor TOML.
    #[error("byte {position} of the {what} is not UTF-8 text")]
    NotText {
        /// What the bytes are.
        what: &'static str,
        /// Which byte.
        position: usize,
    },
    /// An initdata annotation does not hold gzip.
    #[error("its base64 decodes to something that is not gzip{hint}")]
    NotGzip {
        /// What is probably meant, beginning with a colon, or nothing.
        hint: &'static str,
    },
    /// The gzip stream ends before its end.
    #[error("its gzip stream ends too early: the annotation was cut off")]
    Truncated,
    /// The gzip stream contradicts itself.
    #[error("its gzip stream is damaged ({0})")]
    Damaged(String),
    /// The gzip stream is followed by another one.
    #[error(
        "a second gzip stream follows the first: runtimes do not agree on which of them count, so compress the document as one"
    )]
    SecondStream,
    /// The gzip stream is followed by something else.
    #[error("bytes follow its gzip stream ({count} of them): remove them")]
    TrailingBytes {
        /// How many bytes.
        count: usize,
    },
    /// The gzip stream unpacks to more bytes than the configuration permits.
    #[error("it unpacks to more than the {limit} bytes that the configuration permits")]
    TooLarge {
        /// How many bytes it may unpack to.
        limit: usize,
    },
    /// The document is built of more parts than any initdata needs.
    #[error("its document has more than {limit} TOML tokens, far more than any initdata needs")]
    TooManyTokens {
        /// How many tokens it may have.
        limit: usize,
    },
    /// The document is not TOML, or not of the shape of an initdata.
    #[error("line {line}, column {column} of its document: {message}")]
    NotInitdata {
        /// Which line of the document.
        line: usize,
        /// Which character of the line.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A version that no runtime knows.
    #[error("its document has version {0:?}, and only \"0.1.0\" is known")]
    Version(String),
    /// An algorithm that no runtime knows.
    #[error("its document names algorithm {0:?}, and only \"sha256\", \"sha384\" and \"sha512\" are known, written like that")]
    Algorithm(String),
}
