// Fine fibres: ribbons turned towards the eye. Thinner than a pixel they get fainter, not thinner.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph
#import tumorscape::shade

// Least width of a ribbon, pixels of a picture 720 pixels high.
const LEAST: f32 = 1.1;

struct Ribbon {
    @builtin(position) position: vec4<f32>,
    @location(0) across: f32,
    @location(1) side: f32,
    @location(2) @interpolate(flat) colour: vec4<f32>,
    @location(3) @interpolate(flat) mood: vec4<f32>,
    @location(4) @interpolate(flat) width: f32,
}

@vertex
fn vertex(@location(0) index: u32) -> Ribbon {
    var out: Ribbon;
    out.position = glyph::OUTSIDE;
    let number = index >> 2u;
    if number >= glyph::scene.count {
        return out;
    }
    let item = glyph::glyphs[number];
    var a = glyph::seen(item.a.xyz);
    var b = glyph::seen(item.b.xyz);
    let depth_a = -a.z;
    let depth_b = -b.z;
    if max(depth_a, depth_b) < glyph::NEAR {
        return out;
    }
    // Keep both ends in front of the eye.
    if depth_a < glyph::NEAR { a = mix(a, b, (glyph::NEAR - depth_a) / (depth_b - depth_a)); }
    if depth_b < glyph::NEAR { b = mix(b, a, (glyph::NEAR - depth_b) / (-a.z - depth_b)); }
    let clip_a = view.clip_from_view * vec4<f32>(a, 1.0);
    let clip_b = view.clip_from_view * vec4<f32>(b, 1.0);
    let size = view.viewport.zw;
    let run = (clip_b.xy / clip_b.w - clip_a.xy / clip_a.w) * size * 0.5;
    let along = run / max(length(run), 1.0e-4);
    let normal = vec2<f32>(-along.y, along.x);
    var end = clip_a;
    var here = a;
    var radius = item.a.w;
    if ((index >> 1u) & 1u) == 1u { end = clip_b; here = b; radius = item.b.w; }
    let wanted = 2.0 * radius * view.clip_from_view[1][1] * size.y * 0.5 / max(-here.z, glyph::NEAR);
    let width = max(wanted, LEAST * size.y / 720.0);
    let half = width * 0.5 + 0.5;
    let side = f32(index & 1u) * 2.0 - 1.0;
    out.position = vec4<f32>(end.xy + normal * side * half / (size * 0.5) * end.w, end.zw);
    out.across = side * half;
    out.side = glyph::side_of((view.world_from_view * vec4<f32>(here, 1.0)).xyz);
    out.width = width;
    out.colour = glyph::colour_of(item.paint);
    out.colour.a *= clamp(wanted / width, 0.12, 1.0);
    out.mood = glyph::mood_of(item.paint, length(0.5 * (a + b)));
    return out;
}

@fragment
fn fragment(in: Ribbon) -> @location(0) vec4<f32> {
    if in.side < 0.0 {
        discard;
    }
    let cover = clamp(in.width * 0.5 + 0.5 - abs(in.across), 0.0, 1.0);
    let round = 1.0 - 0.35 * abs(in.across) / max(in.width * 0.5, 1.0e-3);
    let lit = glyph::on_ground(in.colour.rgb) * round * glyph::dimmed(0.4, in.mood.y);
    return vec4<f32>(glyph::finish(lit, in.mood, glyph::at_of(in.position)), in.colour.a * cover);
}
