//! The fields of a moment as files: a folder `fields_<hours>h` with two files for each molecule of each site.
//!
//! - `SITE_MOLECULE.npy`, NumPy's own format (version 1.0, <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): an array
//!   of 32-bit floats with the axes z, y, x;
//! - `SITE_MOLECULE.vti`, VTK's image data (XML, raw appended data), which ParaView opens: the same numbers as values of cells, with
//!   the place and size of the voxels in um.
//!
//! In file names all but ASCII letters, digits and `-` of the names of sites become `_`, and of a long name the beginning
//! stands. What would be called as another file is gets a number: `SITE_MOLECULE-2`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::core::files::{is_link, is_taken, remove_own};
use crate::simulation::Simulation;
use crate::tissue::{FieldValues, Molecule, Molecules, SiteField, Sites, TissueBlock};

/// Writes all fields into a folder that is not there yet.
///
/// # Errors
/// The file that cannot be written, and why.
pub(super) fn write_fields(
    folder: &Path,
    simulation: &Simulation,
) -> Result<(), (PathBuf, io::Error)> {
    fs::create_dir(folder).map_err(|error| (folder.to_owned(), error))?;
    let world = simulation.world();
    for (stem, field, molecule) in files(simulation) {
        let Some(values) = world.get::<FieldValues>(field.entity) else {
            continue;
        };
        let block = &field.grid.block;
        write(&folder.join(format!("{stem}.npy")), |file| {
            write_npy(file, block, &values.0)
        })?;
        let array = format!("{} ({})", molecule.name, molecule.unit);
        write(&folder.join(format!("{stem}.vti")), |file| {
            write_vti(file, block, &array, &values.0)
        })?;
    }
    Ok(())
}

/// Removes what [`write_fields`] has written into a folder, and the folder if nothing else is in it.
///
/// # Errors
/// What cannot be removed, and why.
pub(super) fn remove_fields(
    folder: &Path,
    simulation: &Simulation,
) -> Result<(), (PathBuf, io::Error)> {
    if !is_taken(folder) {
        return Ok(());
    }
    if is_link(folder) {
        let error = io::Error::other("it is a link, which is not followed");
        return Err((folder.to_owned(), error));
    }
    for (stem, ..) in files(simulation) {
        for end in ["npy", "vti"] {
            let file = folder.join(format!("{stem}.{end}"));
            remove_own(&file).map_err(|error| (file, error))?;
        }
    }
    fs::remove_dir(folder).map_err(|error| (folder.to_owned(), error))
}

/// The fields of all sites with the names of their files, without ending, and their molecules.
fn files(simulation: &Simulation) -> Vec<(String, &SiteField, &Molecule)> {
    let world = simulation.world();
    let (sites, molecules) = (world.resource::<Sites>(), world.resource::<Molecules>());
    let mut taken = BTreeSet::new();
    let mut files = Vec::new();
    for site in &sites.list {
        for field in &site.fields {
            let molecule = molecules.get(field.molecule);
            let stem = file_stem(&site.block.name, &molecule.name, &mut taken);
            files.push((stem, field, molecule));
        }
    }
    files
}

/// The name of the files of a molecule in a site, without ending, told from those that are taken.
fn file_stem(site: &str, molecule: &str, taken: &mut BTreeSet<String>) -> String {
    /// Letters of a name: with both, a number and the ending less than the 255 bytes that most systems allow.
    const LONGEST: usize = 100;
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let short = |name: &str| name.chars().take(LONGEST).map(plain).collect::<String>();
    let stem = format!("{}_{}", short(site), short(molecule));
    // Some file systems take `Lung` for `lung`.
    let mut is_free = |name: &str| taken.insert(name.to_ascii_lowercase());
    if is_free(&stem) {
        return stem;
    }
    let mut number = 2;
    loop {
        let name = format!("{stem}-{number}");
        if is_free(&name) {
            return name;
        }
        number += 1;
    }
}

fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), (PathBuf, io::Error)> {
    let made = File::create_new(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        fill(&mut file)?;
        file.flush()?;
        // A checkpoint written later will take it for granted.
        file.get_ref().sync_all()
    });
    made.map_err(|error| (path.to_owned(), error))
}

/// Writes numbers as both formats hold them.
fn write_values(file: &mut impl Write, values: &[f32]) -> io::Result<()> {
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

fn write_npy(file: &mut impl Write, block: &TissueBlock, values: &[f32]) -> io::Result<()> {
    /// What comes before the header: the magic string, the version and the length of the header.
    const BEFORE: usize = 10;
    let [nx, ny, nz] = block.dims.to_array();
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({nz}, {ny}, {nx}), }}");
    // The data begin at a multiple of 64 bytes; the header ends with a line break.
    while !(BEFORE + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(io::Error::other)?;
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    write_values(file, values)
}

fn write_vti(
    file: &mut impl Write,
    block: &TissueBlock,
    array: &str,
    values: &[f32],
) -> io::Result<()> {
    let [nx, ny, nz] = block.dims.to_array();
    let extent = format!("0 {nx} 0 {ny} 0 {nz}");
    let [x, y, z] = block.min_um.to_array();
    let [dx, dy, dz] = block.voxel_um.to_array();
    let array = escaped(array);
    write!(
        file,
        "<?xml version=\"1.0\"?>\n\
         <VTKFile type=\"ImageData\" version=\"1.0\" byte_order=\"LittleEndian\" header_type=\"UInt64\">\n\
         <ImageData WholeExtent=\"{extent}\" Origin=\"{x} {y} {z}\" Spacing=\"{dx} {dy} {dz}\">\n\
         <Piece Extent=\"{extent}\">\n\
         <CellData Scalars=\"{array}\">\n\
         <DataArray type=\"Float32\" Name=\"{array}\" format=\"appended\" offset=\"0\"/>\n\
         </CellData>\n</Piece>\n</ImageData>\n<AppendedData encoding=\"raw\">\n_"
    )?;
    let bytes = 4 * values.len() as u64;
    file.write_all(&bytes.to_le_bytes())?;
    write_values(file, values)?;
    file.write_all(b"\n</AppendedData>\n</VTKFile>\n")
}

/// A text as it may stand in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use bevy::prelude::*;

    use super::*;

    fn block() -> TissueBlock {
        TissueBlock {
            name: "dish".into(),
            min_um: Vec3::new(-40.0, -30.0, -5.0),
            dims: UVec3::new(4, 3, 1),
            voxel_um: Vec3::new(20.0, 20.0, 10.0),
            walls: true,
            perfusion_length_um: None,
        }
    }

    fn values() -> Vec<f32> {
        (0..12).map(|n| n as f32 * 0.25).collect()
    }

    fn numbers(bytes: &[u8]) -> Vec<f32> {
        let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
        bytes.chunks_exact(4).map(number).collect()
    }

    #[test]
    fn numpy_files_have_their_header_and_all_values() {
        let mut file = Vec::new();
        write_npy(&mut file, &block(), &values()).expect("memory is writable");
        assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([file[8], file[9]]));
        assert!((10 + length).is_multiple_of(64));
        let header = std::str::from_utf8(&file[10..10 + length]).expect("text");
        assert!(
            header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 4), }")
        );
        assert!(header.ends_with('\n'));
        assert_eq!(numbers(&file[10 + length..]), values());
    }

    #[test]
    fn image_files_say_where_voxels_lie_and_hold_all_values_raw() {
        let mut file = Vec::new();
        write_vti(&mut file, &block(), "oxygen (mmHg)", &values()).expect("memory is writable");
        let start = file
            .windows(2)
            .position(|two| two == b"\n_")
            .expect("there is data")
            + 2;
        let header = std::str::from_utf8(&file[..start]).expect("text");
        for part in [
            "WholeExtent=\"0 4 0 3 0 1\"",
            "Origin=\"-40 -30 -5\"",
            "Spacing=\"20 20 10\"",
            "Name=\"oxygen (mmHg)\"",
        ] {
            assert!(header.contains(part), "{part}: {header}");
        }
        let bytes: [u8; 8] = file[start..start + 8].try_into().expect("eight bytes");
        assert_eq!(u64::from_le_bytes(bytes), 48);
        assert_eq!(numbers(&file[start + 8..start + 56]), values());
        assert!(file.ends_with(b"\n</AppendedData>\n</VTKFile>\n"));
    }

    #[test]
    fn fields_of_like_names_get_files_of_their_own() {
        let mut taken = BTreeSet::new();
        let mut stem = |(site, molecule): (&str, &str)| file_stem(site, molecule, &mut taken);
        let stems = [
            ("lymph node", "oxygen"),
            ("lymph/node", "oxygen"),
            ("lung-2", "oxygen"),
            ("Lung-2", "oxygen"),
            ("a", "b_oxygen"),
            ("a_b", "oxygen"),
        ];
        assert_eq!(
            stems.map(&mut stem),
            [
                "lymph_node_oxygen",
                "lymph_node_oxygen-2",
                "lung-2_oxygen",
                "Lung-2_oxygen-2",
                "a_b_oxygen",
                "a_b_oxygen-2",
            ]
        );
        let long = "x".repeat(250);
        let [first, second] = [(); 2].map(|()| stem((&long, &long)));
        assert!(first != second && second.len() + ".npy".len() < 255);
    }
}
