//! Content encodings and content types: what is undone, what is recognised, and bombs.

use std::borrow::Cow;
use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use spanmap_core::error::{Error, Kind};
use spanmap_core::limits::Limits;
use spanmap_core::wire::compression::decompress;
use spanmap_core::wire::{Encoding, detect};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;
const ENCODINGS: &[(&str, Compress)] =
    &[("gzip", gzip), ("x-gzip", gzip), (" GZip ", gzip), ("deflate", zlib), ("deflate", deflate), ("zstd", zstd)];

/// Bytes that do not compress well.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let step = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 24) as u8
    };
    (0..length).map(|_| step(&mut state)).collect()
}

fn kind_of(body: &[u8], encoding: &str, limits: &Limits) -> Kind {
    let error: Error = decompress(body, Some(encoding), limits).expect_err(encoding);
    assert!(error.advice.ends_with('.') && error.path().is_empty(), "{error}");
    error.kind
}

#[test]
fn test_every_encoding_gives_back_the_body() {
    for length in [1, 100, 70_000, 1_500_000] {
        let body = noise(length);
        for (name, compress) in ENCODINGS {
            let compressed = compress(&body);
            assert!(
                decompress(&compressed, Some(name), &Limits::default()).unwrap() == body,
                "{name} of {length} bytes"
            );
        }
    }
    let empty = gzip(b"");
    assert!(decompress(&empty, Some("gzip"), &Limits::default()).unwrap().is_empty(), "the decoders refuse it");
}

#[test]
fn test_body_without_an_encoding_is_borrowed() {
    for encoding in [None, Some(""), Some("identity"), Some(" Identity ")] {
        let body = decompress(b"body", encoding, &Limits::default()).unwrap();
        assert!(matches!(body, Cow::Borrowed(b"body")));
    }
}

#[test]
fn test_concatenated_members_are_one_body() {
    for (name, compress) in [("gzip", gzip as Compress), ("zstd", zstd)] {
        let body = [compress(b"first "), compress(b"second")].concat();
        assert_eq!(decompress(&body, Some(name), &Limits::default()).unwrap().as_ref(), b"first second");
    }
}

#[test]
fn test_damaged_streams_are_refused() {
    let limits = Limits::default();
    for (name, compress) in ENCODINGS {
        let whole = compress(&noise(5000));
        for length in [1, 2, 9, 10, 100, whole.len() / 2, whole.len() - 1] {
            assert_eq!(kind_of(&whole[..length], name, &limits), Kind::Decode, "{name} cut to {length}");
        }
        let trailing = [whole.clone(), b"x".to_vec()].concat();
        assert_eq!(kind_of(&trailing, name, &limits), Kind::Decode, "{name} with a byte behind it");
        assert_eq!(kind_of(b"plainly not compressed", name, &limits), Kind::Decode, "{name}");
    }
    let mut checksum = gzip(b"body");
    let at = checksum.len() - 5;
    checksum[at] ^= 1;
    assert_eq!(kind_of(&checksum, "gzip", &limits), Kind::Decode);
}

#[test]
fn test_empty_bodies_and_unknown_encodings_are_refused() {
    for encoding in [None, Some("gzip")] {
        assert_eq!(decompress(b"", encoding, &Limits::default()).unwrap_err().what, "is empty");
    }
    for encoding in ["br", "compress", "gzip, gzip", "gzip;q=1"] {
        let error = decompress(b"body", Some(encoding), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(encoding) && error.advice.contains("zstd"), "{error}");
    }
}

#[test]
fn test_caps_hold_at_their_value_and_refuse_one_more() {
    let body = noise(2000);
    let at = |cap| Limits { max_decompressed_bytes: cap, ..Limits::default() };
    for (name, compress) in ENCODINGS.iter().chain(&[("identity", (|body: &[u8]| body.to_vec()) as Compress)]) {
        let compressed = compress(&body);
        assert!(decompress(&compressed, Some(name), &at(2000)).is_ok(), "{name}");
        assert_eq!(kind_of(&compressed, name, &at(1999)), Kind::Limit("max_decompressed_bytes"), "{name}");
        let received = |cap| Limits { max_body_bytes: cap, ..Limits::default() };
        assert!(decompress(&compressed, Some(name), &received(compressed.len())).is_ok(), "{name}");
        let cap = received(compressed.len() - 1);
        assert_eq!(kind_of(&compressed, name, &cap), Kind::Limit("max_body_bytes"), "{name}");
    }
}

#[test]
fn test_bombs_are_refused_for_their_ratio_but_small_bodies_never() {
    let zeros = vec![0; 32 << 20];
    for (name, compress) in ENCODINGS {
        assert_eq!(
            kind_of(&compress(&zeros), name, &Limits::default()),
            Kind::Limit("max_decompression_ratio"),
            "{name}"
        );
        assert!(decompress(&compress(&zeros[..1 << 20]), Some(name), &Limits::default()).is_ok(), "{name}");
        let error = decompress(&compress(&zeros[..(1 << 20) + 1]), Some(name), &Limits::default()).unwrap_err();
        assert_eq!(error.offset, 1 << 20, "{name}");
    }
}

#[test]
fn test_zstd_window_beyond_what_decoders_must_support_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&noise(100)).unwrap();
    assert_eq!(kind_of(&encoder.finish().unwrap(), "zstd", &Limits::default()), Kind::Decode);
}

#[test]
fn test_content_type_names_the_encoding_whatever_the_body_looks_like() {
    for (content_type, encoding) in [
        ("application/json", Encoding::Json),
        ("Application/JSON; charset=utf-8", Encoding::Json),
        (" application/json ;x", Encoding::Json),
        ("application/x-protobuf", Encoding::Protobuf),
        ("application/protobuf;proto=x", Encoding::Protobuf),
        ("APPLICATION/X-PROTOBUF", Encoding::Protobuf),
    ] {
        assert_eq!(detect(Some(content_type), b"{").unwrap(), encoding, "{content_type}");
        assert_eq!(detect(Some(content_type), b"\n").unwrap(), encoding, "{content_type}");
    }
    for content_type in ["", "text/plain", "application/jsonp", "application/x-ndjson", "json"] {
        let error = detect(Some(content_type), b"{}").unwrap_err();
        assert!(error.what.contains(content_type) && error.advice.contains("application/x-protobuf"), "{error}");
    }
    assert_eq!(detect(Some("application/json"), b"").unwrap_err().what, "is empty");
}

#[test]
fn test_body_tells_its_encoding_by_its_beginning() {
    for body in [&b"{}"[..], b" \t\r\n{", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf\n {", b"{\"a\":\"\xc3\xa9\"}"] {
        assert_eq!(detect(None, body).unwrap(), Encoding::Json, "{body:?}");
    }
    for body in [&b"\n"[..], b"[]", b"\"{\"", b"\n\x02\x12\x00", b" ", b"x{"] {
        assert_eq!(detect(None, body).unwrap(), Encoding::Protobuf, "{body:?}");
    }
}

#[test]
fn test_protobuf_of_123_bytes_is_not_taken_for_json() {
    // The key of resource_spans is a line feed, and its length, 123, is `{`.
    let resource = [&b"\x0a\x77\x0a\x03key\x12\x70\x0a\x6e"[..], &[b'v'; 110]].concat();
    let body = [&b"\x0a\x7b\x0a\x79"[..], &resource].concat();
    assert_eq!((body.len(), &body[..2]), (125, &b"\n{"[..]));
    assert_eq!(detect(None, &body).unwrap(), Encoding::Protobuf);
}
