//! Tables as Apache Parquet, which statistics programs read with the type of each column.
//!
//! The simplest file that the format allows (parquet-format 2.x): one row group, one page for each column, values written
//! plainly and not compressed, nothing optional. What is no number is NaN. Its heads are structs of Thrift's compact protocol.

use super::tables::{Table, Values};

/// At both ends of a file.
const MAGIC: &[u8; 4] = b"PAR1";
/// Values one after the other.
const PLAIN: i64 = 0;
/// How levels would be written, if there were any.
const RLE: i64 = 3;

/// Kinds of fields of Thrift's compact protocol.
mod kind {
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const STRUCT: u8 = 12;
}

/// A struct that is being written; fields come in the order of their numbers.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Small numbers of either sign as small ones without.
const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

impl Struct {
    fn field(&mut self, number: u8, kind: u8) {
        // All steps between fields here are below sixteen, which fit beside the kind.
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    fn int(mut self, number: u8, value: i64) -> Self {
        self.field(number, kind::I32);
        varint(&mut self.bytes, zigzag(value));
        self
    }

    fn long(mut self, number: u8, value: usize) -> Self {
        self.field(number, kind::I64);
        varint(&mut self.bytes, zigzag(value as i64));
        self
    }

    fn text(mut self, number: u8, text: &str) -> Self {
        self.field(number, kind::BINARY);
        varint(&mut self.bytes, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    fn inside(mut self, number: u8, inner: Self) -> Self {
        self.field(number, kind::STRUCT);
        self.bytes.extend(inner.end());
        self
    }

    /// A list of things of one kind, each already written.
    fn list(mut self, number: u8, of: u8, items: &[Vec<u8>]) -> Self {
        self.field(number, kind::LIST);
        if items.len() < 15 {
            self.bytes.push((items.len() as u8) << 4 | of);
        } else {
            self.bytes.push(0xf0 | of);
            varint(&mut self.bytes, items.len() as u64);
        }
        for item in items {
            self.bytes.extend_from_slice(item);
        }
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// The number of the type of a column.
const fn type_of(values: &Values) -> i64 {
    match values {
        Values::Texts(_) => 6,
        Values::Whole(_) => 2,
        Values::Numbers(_) => 5,
    }
}

/// The values one after the other.
fn plain(values: &Values) -> Vec<u8> {
    match values {
        Values::Texts(of) => {
            let mut bytes = Vec::new();
            for text in of {
                bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes
        }
        Values::Whole(of) => of.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Values::Numbers(of) => of.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

/// A table as a file.
pub fn to_parquet(table: &Table) -> Vec<u8> {
    let rows = table.rows();
    let mut file = MAGIC.to_vec();
    let root = Struct::default()
        .text(4, table.name)
        .int(5, table.columns.len() as i64);
    let mut schema = vec![root.end()];
    let mut chunks = Vec::new();
    for (name, values) in &table.columns {
        let column = Struct::default()
            .int(1, type_of(values))
            .int(3, 0)
            .text(4, name);
        let column = match values {
            Values::Texts(_) => column.int(6, 0),
            _ => column,
        };
        schema.push(column.end());
        let data = plain(values);
        let page = Struct::default()
            .int(1, rows as i64)
            .int(2, PLAIN)
            .int(3, RLE)
            .int(4, RLE);
        let head = Struct::default()
            .int(1, 0)
            .int(2, data.len() as i64)
            .int(3, data.len() as i64)
            .inside(5, page)
            .end();
        let at = file.len();
        let size = head.len() + data.len();
        file.extend(head);
        file.extend(data);
        let mut path = Vec::new();
        varint(&mut path, name.len() as u64);
        path.extend_from_slice(name.as_bytes());
        let encodings = [PLAIN, RLE].map(|of| vec![zigzag(of) as u8]);
        let about = Struct::default()
            .int(1, type_of(values))
            .list(2, kind::I32, &encodings)
            .list(3, kind::BINARY, &[path])
            .int(4, 0)
            .long(5, rows)
            .long(6, size)
            .long(7, size)
            .long(9, at);
        chunks.push((Struct::default().long(2, at).inside(3, about).end(), size));
    }
    let total = chunks.iter().map(|(_, size)| size).sum();
    let columns: Vec<Vec<u8>> = chunks.into_iter().map(|(chunk, _)| chunk).collect();
    let group = Struct::default()
        .list(1, kind::STRUCT, &columns)
        .long(2, total)
        .long(3, rows);
    let foot = Struct::default()
        .int(1, 1)
        .list(2, kind::STRUCT, &schema)
        .long(3, rows)
        .list(4, kind::STRUCT, &[group.end()])
        .text(6, concat!("tumorscape ", env!("CARGO_PKG_VERSION")))
        .end();
    file.extend_from_slice(&foot);
    file.extend_from_slice(&(foot.len() as u32).to_le_bytes());
    file.extend_from_slice(MAGIC);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a struct of the compact protocol holds: fields by number.
    #[derive(Debug, PartialEq)]
    enum Read {
        Number(i64),
        Bytes(Vec<u8>),
        List(Vec<Self>),
        Fields(Vec<(u8, Self)>),
    }

    struct Reader<'b>(&'b [u8]);

    impl Reader<'_> {
        fn byte(&mut self) -> u8 {
            let byte = self.0[0];
            self.0 = &self.0[1..];
            byte
        }

        fn varint(&mut self) -> u64 {
            let (mut number, mut shift) = (0, 0);
            loop {
                let byte = self.byte();
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return number;
                }
            }
        }

        fn value(&mut self, kind: u8) -> Read {
            match kind {
                5 | 6 => {
                    let number = self.varint();
                    Read::Number((number >> 1) as i64 ^ -((number & 1) as i64))
                }
                8 => {
                    let length = self.varint() as usize;
                    let (bytes, rest) = self.0.split_at(length);
                    self.0 = rest;
                    Read::Bytes(bytes.to_vec())
                }
                9 => {
                    let head = self.byte();
                    let count = match head >> 4 {
                        15 => self.varint(),
                        count => u64::from(count),
                    };
                    Read::List((0..count).map(|_| self.value(head & 15)).collect())
                }
                12 => {
                    let (mut fields, mut number) = (Vec::new(), 0);
                    loop {
                        let head = self.byte();
                        if head == 0 {
                            return Read::Fields(fields);
                        }
                        number += head >> 4;
                        fields.push((number, self.value(head & 15)));
                    }
                }
                kind => panic!("a field of kind {kind}"),
            }
        }
    }

    impl Read {
        fn get(&self, number: u8) -> &Self {
            let Self::Fields(fields) = self else {
                panic!("{self:?} is no struct");
            };
            &fields
                .iter()
                .find(|(known, _)| *known == number)
                .expect("the field is there")
                .1
        }

        fn items(&self) -> &[Self] {
            let Self::List(items) = self else {
                panic!("{self:?} is no list");
            };
            items
        }
    }

    #[test]
    fn values_are_written_plainly() {
        // Encoding PLAIN of parquet-format: lengths and numbers in little endian.
        let texts = ["ab", ""].map(str::to_owned).to_vec();
        assert_eq!(plain(&Values::Texts(texts)), b"\x02\0\0\0ab\0\0\0\0");
        let mut minus_two = [0xff_u8; 8];
        minus_two[0] = 0xfe;
        assert_eq!(plain(&Values::Whole(vec![-2])), minus_two);
        assert_eq!(
            plain(&Values::Numbers(vec![1.0])),
            [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
        );
    }

    #[test]
    fn a_file_says_of_itself_what_is_in_it() {
        let names = ["a", "\u{b5}m, \"x\"\n", ""];
        let mut columns: Vec<(String, Values)> = (0..20)
            .map(|number| {
                (
                    format!("n{number}"),
                    Values::Numbers(vec![1.5, f64::NAN, -3e300]),
                )
            })
            .collect();
        columns.push((
            "name".into(),
            Values::Texts(names.map(str::to_owned).to_vec()),
        ));
        columns.push(("whole".into(), Values::Whole(vec![0, -1, i64::MAX])));
        let table = Table {
            name: "things",
            columns,
        };
        let file = to_parquet(&table);
        assert!(file.starts_with(MAGIC) && file.ends_with(MAGIC));
        let end = file.len() - 8;
        let length = u32::from_le_bytes(file[end..end + 4].try_into().expect("four bytes"));
        let foot = Reader(&file[end - length as usize..end]).value(12);
        assert_eq!(foot.get(3), &Read::Number(3));
        let schema = foot.get(2).items();
        assert_eq!(schema[0].get(5), &Read::Number(22));
        assert_eq!(schema[21].get(4), &Read::Bytes(b"name".to_vec()));
        let chunks = foot.get(4).items()[0].get(1).items();
        for ((_, values), chunk) in table.columns.iter().zip(chunks) {
            let about = chunk.get(3);
            let (Read::Number(at), Read::Number(size)) = (about.get(9), about.get(7)) else {
                panic!("places are numbers");
            };
            let chunk = &file[*at as usize..(at + size) as usize];
            let mut reader = Reader(chunk);
            let head = reader.value(12);
            assert_eq!(head.get(3), &Read::Number(reader.0.len() as i64));
            assert_eq!(head.get(5).get(1), &Read::Number(3));
            assert_eq!(reader.0, plain(values));
        }
    }
}
