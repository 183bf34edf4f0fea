// A plane through the tissue that shows a field: each pixel has the colour that the colour bar has for its value,
// neither shaded nor mixed with anything. Contour lines at meaningful levels lie on it as marks.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

struct Slice {
    // Corner of the plane and its two edges, um.
    origin: vec4<f32>,
    along: vec4<f32>,
    across: vec4<f32>,
    // Values at the ends of the colour map.
    scale: vec4<f32>,
    // Levels of contour lines; unused ones lie below the scale.
    levels: vec4<f32>,
    // Cutting plane as for cells.
    cut: vec4<f32>,
    // The window of the plane: its middle, in parts of the edges, and its radius, um; none where that is 0.
    window: vec4<f32>,
    // x: 1 draws the contours only. y: 1 in the plain look.
    mode: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> slice: Slice;
// x: value, y: 1 where there is one, 0 elsewhere.
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var field: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var colours: texture_2d<f32>;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) at: vec2<f32>,
    @location(1) side: f32,
}

@vertex
fn vertex(@location(0) corner: u32) -> Varyings {
    let at = vec2<f32>(f32(corner & 1u), f32((corner >> 1u) & 1u));
    let place = slice.origin.xyz + slice.along.xyz * at.x + slice.across.xyz * at.y;
    var out: Varyings;
    out.position = view.clip_from_world * vec4<f32>(place, 1.0);
    out.at = at;
    out.side = dot(slice.cut.xyz, place) + slice.cut.w;
    return out;
}

fn sample_field(at: vec2<f32>) -> vec2<f32> {
    let size = vec2<i32>(textureDimensions(field));
    let place = at * vec2<f32>(size) - 0.5;
    let low = floor(place);
    let part = place - low;
    let a = clamp(vec2<i32>(low), vec2<i32>(0), size - 1);
    let b = clamp(vec2<i32>(low) + 1, vec2<i32>(0), size - 1);
    let lower = mix(textureLoad(field, a, 0).xy, textureLoad(field, vec2<i32>(b.x, a.y), 0).xy, part.x);
    let upper = mix(textureLoad(field, vec2<i32>(a.x, b.y), 0).xy, textureLoad(field, b, 0).xy, part.x);
    return mix(lower, upper, part.y);
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let here = sample_field(in.at);
    let steep = max(fwidth(here.x), 1.0e-9);
    // How far inside the edge of the plane, um, and how long a pixel is there.
    let size = vec2<f32>(length(slice.along.xyz), length(slice.across.xyz));
    let place = in.at * size;
    var inside = min(min(place.x, size.x - place.x), min(place.y, size.y - place.y));
    if slice.window.z > 0.0 {
        inside = min(inside, slice.window.z - distance(place, slice.window.xy * size));
    }
    let pixel = max(length(fwidth(place)) * 0.7, 1.0e-6);
    if in.side < -1.0 || inside < 0.0 {
        discard;
    }
    let contours_only = slice.mode.x > 0.5;
    let has_value = here.y > 0.999;

    // A light line with a dark seam is seen on every colour of a map.
    var line = 0.0;
    var seam = 0.0;
    let wide = view.viewport.w / 720.0;
    for (var i = 0; i < 4; i++) {
        let away = abs(here.x - slice.levels[i]) / steep;
        // The first level is the one below which cells die: its line is heavier.
        let width = select(0.7, 1.25, i == 0) * wide;
        line = max(line, 1.0 - smoothstep(width - 0.5, width + 0.6, away));
        seam = max(seam, 1.0 - smoothstep(width + 0.6, width + 2.0, away));
    }
    // Where the field is flat a level has no line.
    let slant = steep / max(slice.scale.y - slice.scale.x, 1.0e-6);
    let drawn = select(0.0, smoothstep(0.0, 1.0e-4, slant), has_value);
    line *= drawn;
    seam *= drawn * 0.55;

    let white = vec3<f32>(0.93, 0.96, 1.0);
    let dark = vec3<f32>(0.01, 0.012, 0.02);
    if contours_only {
        return vec4<f32>(mix(dark, white, line), max(line, seam));
    }
    if inside < pixel * 1.6 * wide {
        return vec4<f32>(select(vec3<f32>(0.42, 0.48, 0.56), dark, slice.mode.y > 0.5), 1.0);
    }
    if !has_value {
        return vec4<f32>(shade::hatched(vec3<f32>(0.22, 0.22, 0.22), in.position.xy, view.viewport.w), 1.0);
    }
    let at = (here.x - slice.scale.x) / (slice.scale.y - slice.scale.x);
    let entry = i32(clamp(at, 0.0, 1.0) * 255.0 + 0.5);
    let colour = textureLoad(colours, vec2<i32>(entry, 0), 0).rgb;
    return vec4<f32>(mix(mix(colour, dark, seam), white, line), 1.0);
}
