//! What a JSON document looks like from above, without building it: the members of its objects, or one of its values.
//! All of the text is checked, also where nobody looks.

use super::{Kind, Scanner, Shape};

/// Passes the members of these names of every object in an array of objects to `visit`: the element's index, the name,
/// the value's text. Of members with one name all are passed, in order. `None` where the text is not a sound array of objects;
/// `visit` may have been called then too.
pub fn each_member<'t>(
    text: &'t str,
    max_nesting: usize,
    names: &[&'static str],
    mut visit: impl FnMut(usize, &'static str, &'t str),
) -> Option<Objects> {
    let mut scanner = Scanner::new(text, max_nesting);
    if scanner.peek().ok()? != b'[' {
        return None;
    }
    scanner.open().ok()?;
    let (mut count, mut first) = (0usize, true);
    while scanner.next_element(&mut first).ok()? {
        if scanner.peek().ok()? != b'{' {
            return None;
        }
        scanner.open().ok()?;
        let mut first = true;
        while let Some(name) = scanner.next_member(&mut first).ok()? {
            match names.iter().find(|wanted| **wanted == name) {
                Some(name) => visit(count, name, value_text(&mut scanner, text)?),
                None => scanner.skip_value().ok()?,
            }
        }
        count = count.saturating_add(1);
    }
    scanner.end().ok()?;
    let (lone_surrogates, huge_numbers) = (scanner.lone_surrogates, scanner.huge_numbers);
    Some(Objects { count, shape: Shape { kind: Kind::Array, lone_surrogates, huge_numbers } })
}

/// A sound JSON array that holds nothing but objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objects {
    pub count: usize,
    pub shape: Shape,
}

fn value_text<'t>(scanner: &mut Scanner<'t>, text: &'t str) -> Option<&'t str> {
    let start = scanner.offset();
    scanner.skip_value().ok()?;
    let end = scanner.offset();
    text.get(start..end).map(str::trim_ascii_end)
}

/// The text of the value at a path such as `choices.0.finish_reason` in a sound JSON document: `Some(None)` where there
/// is nothing, `None` where the text is not JSON. Of members with one name the last one counts.
pub fn locate<'t>(text: &'t str, path: &str, max_nesting: usize) -> Option<Option<&'t str>> {
    let mut scanner = Scanner::new(text, max_nesting);
    let found = below(&mut scanner, text, path)?;
    scanner.end().ok()?;
    Some(found)
}

fn below<'t>(scanner: &mut Scanner<'t>, text: &'t str, path: &str) -> Option<Option<&'t str>> {
    if path.is_empty() {
        return value_text(scanner, text).map(Some);
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let (mut found, mut first) = (None, true);
    match scanner.peek().ok()? {
        b'{' => {
            scanner.open().ok()?;
            while let Some(member) = scanner.next_member(&mut first).ok()? {
                if member == name {
                    found = below(scanner, text, rest)?;
                } else {
                    scanner.skip_value().ok()?;
                }
            }
        }
        b'[' => {
            scanner.open().ok()?;
            let (mut index, wanted) = (0usize, name.parse().ok());
            while scanner.next_element(&mut first).ok()? {
                if Some(index) == wanted {
                    found = below(scanner, text, rest)?;
                } else {
                    scanner.skip_value().ok()?;
                }
                index = index.saturating_add(1);
            }
        }
        _ => scanner.skip_value().ok()?,
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_names_are_passed_with_the_text_of_their_values() {
        let mut seen = Vec::new();
        let found =
            each_member(r#" [{"role" : "user" , "x":0, "n":[1, 2]}, {}] "#, 8, &["role", "n"], |index, name, text| {
                seen.push((index, name.to_owned(), text.to_owned()));
            });
        assert_eq!(found.map(|objects| objects.count), Some(2));
        let expected = [(0, "role", "\"user\""), (0, "n", "[1, 2]")];
        assert_eq!(seen, expected.map(|(index, name, text)| (index, name.to_owned(), text.to_owned())));
    }

    #[test]
    fn only_sound_arrays_of_objects_have_members() {
        for text in ["{}", "[1]", "[{}", "[{}]x", "[{\"a\":}]", "[[]]", "", "null", "[{\"a\":[[]]}]"] {
            assert_eq!(each_member(text, 3, &["a"], |_, _, _| {}), None, "{text}");
        }
        assert_eq!(each_member("[]", 3, &["a"], |_, _, _| {}).map(|objects| objects.count), Some(0));
    }

    #[test]
    fn a_value_is_located_by_names_and_indexes_and_the_last_of_equal_names_counts() {
        let text = r#"{"a":{"b":0},"c":[{"d": "x" }],"a":{"b":[1]}}"#;
        let cases =
            [("a.b", Some("[1]")), ("c.0.d", Some("\"x\"")), ("c.1", None), ("c.x", None), ("a.b.0", Some("1"))];
        for (path, expected) in cases {
            assert_eq!(locate(text, path, 8), Some(expected), "{path}");
        }
        assert_eq!(locate(r#"{"a":1,"b":}"#, "a", 8), None);
        assert_eq!(locate(r#"{"a":{"b":1},"a":2}"#, "a.b", 8), Some(None));
    }
}
