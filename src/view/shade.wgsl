// What all shaders of the view share: the colours of the background and how things fade into it.
//
// The alpha of a pixel says which cell is seen there, 1/255 to 254/255, and 1 where none is; `outline.wgsl` draws the
// lines between cells from it and leaves alpha 1 everywhere. Whatever is not a cell writes 1, and what is translucent
// leaves the alpha that it finds (`quads::translucent`).
#define_import_path tumorscape::shade

// Linear RGB of the background at a height of the picture, 0 at the top to 1 at the bottom.
fn backdrop(at: vec2<f32>) -> vec3<f32> {
    let top = vec3<f32>(0.0125, 0.0195, 0.0315);
    let middle = vec3<f32>(0.0300, 0.0440, 0.0640);
    let bottom = vec3<f32>(0.0105, 0.0150, 0.0230);
    let upper = mix(top, middle, smoothstep(0.0, 0.55, at.y));
    let gradient = mix(upper, bottom, smoothstep(0.55, 1.0, at.y));
    let off = at - vec2<f32>(0.5, 0.5);
    return gradient * (1.0 - 0.55 * dot(off, off));
}

// Linear RGB of the background of the plain look: paper.
fn paper() -> vec3<f32> {
    return vec3<f32>(0.905, 0.896, 0.871);
}

// sRGB to linear, exactly.
fn linear(c: vec3<f32>) -> vec3<f32> {
    let low = c / 12.92;
    let high = pow((c + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, low, c <= vec3<f32>(0.04045));
}

// What there is no value of: stripes, which no scale has, the same on cells and on planes.
fn hatched(colour: vec3<f32>, pixel: vec2<f32>, height: f32) -> vec3<f32> {
    let period = max(7.0 * height / 720.0, 5.0);
    let along = fract((pixel.x + pixel.y) / period);
    return colour * select(1.0, 0.42, along < 0.36);
}

// A number in 0-1 that looks random.
fn hash(p: vec3<f32>) -> f32 {
    let q = fract(p * 0.1031 + 0.7);
    let r = q + dot(q, q.yzx + 33.33);
    return fract((r.x + r.y) * r.z);
}
