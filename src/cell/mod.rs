pub mod mechanics;
