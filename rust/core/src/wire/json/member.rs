//! Objects and lists: names to members, null as absent, and the last member of a name as the one that counts.

use crate::error::{Error, Result};

use super::scan::{Fault, Scanner};

const NOT_JSON: &str =
    "Send one JSON document as RFC 8259 describes it: no NaN, no trailing commas, nothing behind the value.";
const NOT_OTLP: &str = "Write the member as OTLP/JSON describes it, or leave it out. Inside a span, on_error=\"skip\" \
     drops that span and keeps the rest.";

/// The members of one message: their camelCase names, and their snake_case names, which also stand in error paths.
pub(super) trait Member: Copy + PartialEq {
    fn path(self) -> &'static str;
}

macro_rules! members {
    ($message:ident { $($member:ident = $camel:literal | $snake:literal),* $(,)? }) => {
        #[derive(Clone, Copy, PartialEq)]
        enum $message { $($member,)* }

        impl $message {
            #[allow(unreachable_patterns)]
            fn of(name: &str) -> Option<Self> {
                match name {
                    $($camel | $snake => Some(Self::$member),)*
                    _ => None,
                }
            }
        }

        impl $crate::wire::json::member::Member for $message {
            fn path(self) -> &'static str {
                match self { $(Self::$member => $snake,)* }
            }
        }
    };
}
pub(super) use members;

impl From<Fault> for Error {
    #[cold]
    fn from(fault: Fault) -> Self {
        if fault.too_deep {
            return Error::limit(
                fault.offset,
                "max_json_nesting",
                "nests JSON containers more deeply than the cap allows",
            );
        }
        Error::decode(fault.offset, format!("is not sound JSON: {}", fault.what), NOT_JSON)
    }
}

/// A value of a JSON type that the member cannot have, or one that cannot be understood.
#[cold]
pub(super) fn unexpected(offset: usize, found: &str, expected: &str) -> Error {
    Error::decode(offset, format!("is {found} where {expected} is expected"), NOT_OTLP)
}

/// The error for a value of the wrong JSON type; not being JSON at all comes first.
#[cold]
pub(super) fn mistyped(scanner: &mut Scanner<'_>, expected: &str) -> Error {
    let offset = scanner.offset();
    let found = match scanner.peek() {
        Ok(b'"') => "a string",
        Ok(b'{') => "an object",
        Ok(b'[') => "a list",
        Ok(b't' | b'f') => "a boolean",
        Ok(b'n') => "null",
        Ok(b'-' | b'0'..=b'9') => "a number",
        Ok(_) => "no JSON value",
        Err(fault) => return fault.into(),
    };
    let place = scanner.place();
    match scanner.skip_value() {
        Ok(()) => {
            scanner.go_back(place);
            unexpected(offset, found, expected)
        }
        Err(fault) => fault.into(),
    }
}

/// Takes a null, which stands for an absent member.
#[inline]
pub(super) fn take_null(scanner: &mut Scanner<'_>) -> Result<bool> {
    if scanner.peek()? != b'n' {
        return Ok(false);
    }
    scanner.literal("null")?;
    Ok(true)
}

/// Reads an object, or null for none: `read` gets every member that `of` knows, with the cursor before its value, and
/// sets what belongs to that member anew each time.
#[inline]
pub(super) fn object<'a, M: Member>(
    scanner: &mut Scanner<'a>,
    of: impl Fn(&str) -> Option<M>,
    mut read: impl FnMut(&mut Scanner<'a>, M) -> Result<()>,
) -> Result<()> {
    if take_null(scanner)? {
        return Ok(());
    }
    if scanner.peek()? != b'{' {
        return Err(mistyped(scanner, "an object"));
    }
    scanner.open()?;
    let mut held: Vec<(M, Error)> = Vec::new();
    let mut first = true;
    while let Some(name) = scanner.next_member(&mut first)? {
        let Some(member) = of(&name) else {
            scanner.skip_value()?;
            continue;
        };
        let start = scanner.place();
        let result = read(scanner, member);
        if !held.is_empty() {
            held.retain(|(earlier, _)| *earlier != member);
        }
        if let Err(error) = result {
            held.push((member, go_on_behind(scanner, start, error.at(member.path()))?));
        }
    }
    match held.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Moves behind a value that could not be read, if it is at least sound JSON, and hands back the error to be held until
/// no later member can replace the value.
#[cold]
pub(super) fn go_on_behind(scanner: &mut Scanner<'_>, start: super::scan::Place, error: Error) -> Result<Error> {
    scanner.go_back(start);
    match scanner.skip_value() {
        Ok(()) => Ok(error),
        // Both may tell of the same damage; the first error then knows the longer path.
        Err(fault) if fault.offset == error.offset => Err(error),
        Err(fault) => Err(fault.into()),
    }
}

/// Reads a list, or null for none: `read` gets every element that is not null, with the element's index in the text.
#[inline]
pub(super) fn list<'a>(
    scanner: &mut Scanner<'a>,
    mut read: impl FnMut(&mut Scanner<'a>, usize) -> Result<()>,
) -> Result<()> {
    if take_null(scanner)? {
        return Ok(());
    }
    if scanner.peek()? != b'[' {
        return Err(mistyped(scanner, "a list"));
    }
    scanner.open()?;
    let (mut first, mut index) = (true, 0usize);
    while scanner.next_element(&mut first)? {
        if !take_null(scanner)? {
            read(scanner, index).map_err(|error| error.at(format!("[{index}]")))?;
        }
        index = index.saturating_add(1);
    }
    Ok(())
}
