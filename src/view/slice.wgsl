// A plane through the tissue that shows a field: colours of a map, contour lines at meaningful levels.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

struct Slice {
    // Corner of the plane and its two edges, um.
    origin: vec4<f32>,
    along: vec4<f32>,
    across: vec4<f32>,
    // Values at the ends of the colour map; opacity where there is no tissue; opacity where there is.
    scale: vec4<f32>,
    // Levels of contour lines; unused ones lie below the scale.
    levels: vec4<f32>,
    // Cutting plane as for cells.
    cut: vec4<f32>,
    // x: 1 draws the contours only.
    mode: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> slice: Slice;
// x: value, y: how much tissue there is, 0-1.
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
    let steep = max(fwidth(here.x), 1.0e-6);
    var line = 0.0;
    for (var i = 0; i < 4; i++) {
        let away = abs(here.x - slice.levels[i]) / steep;
        // The first level is the one below which cells die: its line is heavier.
        let width = select(0.7, 1.25, i == 0);
        line = max(line, (1.0 - smoothstep(width - 0.5, width + 0.6, away)) * select(0.75, 1.0, i == 0));
    }
    // Where the field is flat a level has no line.
    line *= smoothstep(0.0, 1.0e-4, steep / max(slice.scale.y - slice.scale.x, 1.0e-6));
    if in.side < -1.0 {
        discard;
    }
    let at = (here.x - slice.scale.x) / (slice.scale.y - slice.scale.x);
    let entry = i32(clamp(at, 0.0, 1.0) * 255.0 + 0.5);
    let colour = textureLoad(colours, vec2<i32>(entry, 0), 0).rgb;
    // Soft edges, so that the plane does not look like a wall.
    let rim = min(min(in.at.x, 1.0 - in.at.x), min(in.at.y, 1.0 - in.at.y));
    let fade = smoothstep(0.0, 0.16, rim);
    let white = vec3<f32>(0.93, 0.96, 1.0);
    if slice.mode.x > 0.5 {
        return vec4<f32>(white, line * 0.9 * fade);
    }
    let opacity = mix(slice.scale.z, slice.scale.w, here.y) * fade;
    return vec4<f32>(mix(colour * 0.85, white, line * 0.8), max(opacity, line * 0.8 * fade));
}
