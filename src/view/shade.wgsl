// What all shaders of the view share: the colours of the background and how things fade into it.
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

// sRGB to linear, close enough for eight bits per channel.
fn linear(c: vec3<f32>) -> vec3<f32> {
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

// A number in 0-1 that looks random.
fn hash(p: vec3<f32>) -> f32 {
    let q = fract(p * 0.1031 + 0.7);
    let r = q + dot(q, q.yzx + 33.33);
    return fract((r.x + r.y) * r.z);
}
