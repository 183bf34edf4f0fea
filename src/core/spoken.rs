//! Names of files as people write them.

/// A name as it stands in a picture or a table's heading: spaces for underscores, and what has a digit, one letter or no vowel in
/// capitals, since it is short for something: `CD8 T cell`, `NK cell`, `MDSC`.
pub fn spoken(name: &str) -> String {
    let word = |word: &str| {
        let is_short = word.len() == 1
            || word.contains(|c: char| c.is_ascii_digit())
            || !word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        if is_short {
            word.to_uppercase()
        } else {
            word.to_owned()
        }
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_for_something_is_in_capitals() {
        for (name, written) in [
            ("cd8_t_cell", "CD8 T cell"),
            ("nk_cell", "NK cell"),
            ("mdsc", "MDSC"),
            ("regulatory_t_cell", "regulatory T cell"),
            ("lung_epithelial_cell", "lung epithelial cell"),
            ("wild", "wild"),
        ] {
            assert_eq!(spoken(name), written);
        }
    }
}
