// Straight lines of constant width in pixels: ribbons turned towards the eye.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

struct Lines {
    colour: vec4<f32>,
    // Lower and upper corner of the block whose edges are drawn, um.
    low: vec4<f32>,
    high: vec4<f32>,
    // x: width in pixels for a picture 720 pixels high.
    style: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> lines: Lines;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) across: f32,
    @location(1) @interpolate(flat) width: f32,
}

fn corner_of_block(corner: u32) -> vec3<f32> {
    return mix(
        lines.low.xyz,
        lines.high.xyz,
        vec3<f32>(f32(corner & 1u), f32((corner >> 1u) & 1u), f32((corner >> 2u) & 1u)),
    );
}

@vertex
fn vertex(@location(0) index: u32) -> Varyings {
    // Edge 0-11: the axis it runs along, and which of the four parallel edges it is.
    let edge = index >> 2u;
    let axis = edge >> 2u;
    let start = low_bits(edge & 3u, axis);
    let a_world = corner_of_block(start);
    let b_world = corner_of_block(start | (1u << axis));

    var a = view.clip_from_world * vec4<f32>(a_world, 1.0);
    var b = view.clip_from_world * vec4<f32>(b_world, 1.0);
    // Keep both ends in front of the eye.
    let near = view.clip_from_view[3][2];
    if a.w < near && b.w < near {
        var gone: Varyings;
        gone.position = vec4<f32>(0.0, 0.0, -1.0, 1.0);
        return gone;
    }
    if a.w < near { a = mix(a, b, (near - a.w) / (b.w - a.w)); }
    if b.w < near { b = mix(b, a, (near - b.w) / (a.w - b.w)); }

    let size = view.viewport.zw;
    let a_px = a.xy / a.w * size * 0.5;
    let b_px = b.xy / b.w * size * 0.5;
    let run = b_px - a_px;
    let along = run / max(length(run), 1.0e-4);
    let normal = vec2<f32>(-along.y, along.x);
    let width = max(lines.style.x * size.y / 720.0, 1.0);
    let half = width * 0.5 + 1.0;
    let side = f32(index & 1u) * 2.0 - 1.0;
    var end = a;
    if ((index >> 1u) & 1u) == 1u { end = b; }
    let shift = normal * side * half / (size * 0.5);

    var out: Varyings;
    out.position = vec4<f32>(end.xy + shift * end.w, end.zw);
    out.across = side * half;
    out.width = width;
    return out;
}

// Spreads the two bits of `which` over the two axes other than `axis`.
fn low_bits(which: u32, axis: u32) -> u32 {
    let below = which & ((1u << axis) - 1u);
    let above = which >> axis;
    return below | (above << (axis + 1u));
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let cover = clamp(in.width * 0.5 + 0.5 - abs(in.across), 0.0, 1.0);
    return vec4<f32>(lines.colour.rgb, lines.colour.a * cover);
}
