// Translucent boxes: the more of one lies on the way, the more light it takes.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph

struct Box {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) low: vec3<f32>,
    @location(1) @interpolate(flat) high: vec3<f32>,
    @location(2) @interpolate(flat) colour: vec4<f32>,
    @location(3) @interpolate(flat) veil: vec4<f32>,
    // Logarithm of the light that is let through on a um of the way.
    @location(4) @interpolate(flat) clear: f32,
    // The ray of the pixel at a depth of 1, in the world.
    @location(5) ray: vec3<f32>,
}

@vertex
fn vertex(@location(0) index: u32) -> Box {
    var out: Box;
    out.position = glyph::OUTSIDE;
    let number = index >> 2u;
    if number >= glyph::scene.count {
        return out;
    }
    let item = glyph::glyphs[number];
    let half = 0.5 * (item.b.xyz - item.a.xyz);
    let centre = 0.5 * (item.a.xyz + item.b.xyz);
    if glyph::side_of(centre) < -length(half) {
        return out;
    }
    let middle = glyph::seen(centre);
    // The corners of the box, as seen, bound it in the picture.
    let x = (view.view_from_world * vec4<f32>(half.x, 0.0, 0.0, 0.0)).xyz;
    let y = (view.view_from_world * vec4<f32>(0.0, half.y, 0.0, 0.0)).xyz;
    let z = (view.view_from_world * vec4<f32>(0.0, 0.0, half.z, 0.0)).xyz;
    let nearest = -middle.z - abs(x.z) - abs(y.z) - abs(z.z);
    let side = vec2<f32>(f32(index & 1u), f32((index >> 1u) & 1u));
    if nearest + 2.0 * (abs(x.z) + abs(y.z) + abs(z.z)) < glyph::NEAR {
        return out;
    }
    if nearest < glyph::NEAR {
        out.position = vec4<f32>(side * 2.0 - 1.0, 0.5, 1.0);
    } else {
        // No corner lies farther from the middle than this.
        let wide = abs(x.xy) + abs(y.xy) + abs(z.xy);
        let deep = abs(x.z) + abs(y.z) + abs(z.z);
        let centred = middle.xy / -middle.z;
        let reach = (wide + abs(centred) * deep) / (-middle.z - deep);
        let at = centred + reach * (side * 2.0 - 1.0);
        out.position = view.clip_from_view * vec4<f32>(at * -middle.z, middle.z, 1.0);
    }
    let ndc = out.position.xy / out.position.w;
    let ray = vec3<f32>(ndc / vec2<f32>(view.clip_from_view[0][0], view.clip_from_view[1][1]), -1.0);
    out.ray = (view.world_from_view * vec4<f32>(ray, 0.0)).xyz;
    out.low = item.a.xyz - view.world_position;
    out.high = item.b.xyz - view.world_position;
    out.colour = glyph::colour_of(item.paint);
    let edge = (abs(half.x) + abs(half.y) + abs(half.z)) * 2.0 / 3.0;
    out.clear = log2(max(1.0 - out.colour.a, 1.0e-4)) / max(edge, 1.0e-6);
    let mood = glyph::mood_of(item.paint, length(middle));
    out.colour = vec4<f32>(out.colour.rgb * glyph::dimmed(0.55, mood.y), out.colour.a);
    out.veil = glyph::veil_of(mood, middle);
    return out;
}

@fragment
fn fragment(in: Box) -> glyph::Pixel {
    // Distances along it are depths.
    let ray = in.ray;
    let safe = select(vec3<f32>(1.0e-9), ray, abs(ray) > vec3<f32>(1.0e-9));
    let to_low = in.low / safe;
    let to_high = in.high / safe;
    let enter = min(to_low, to_high);
    let leave = max(to_low, to_high);
    var from_here = max(max(enter.x, max(enter.y, enter.z)), glyph::NEAR);
    var to_there = min(leave.x, min(leave.y, leave.z));
    // What the cut leaves of the way.
    let start = dot(glyph::scene.cut.xyz, view.world_position) + glyph::scene.cut.w;
    let slope = dot(glyph::scene.cut.xyz, ray);
    if slope > 1.0e-6 { from_here = max(from_here, -start / slope); }
    if slope < -1.0e-6 { to_there = min(to_there, -start / slope); }
    if to_there <= from_here || (abs(slope) <= 1.0e-6 && start < 0.0) {
        discard;
    }
    let opacity = 1.0 - exp2(in.clear * (to_there - from_here) * length(ray));
    var out: glyph::Pixel;
    out.colour = vec4<f32>(glyph::veiled(in.colour.rgb, in.veil), opacity);
    out.depth = view.clip_from_view[3][2] / from_here;
    return out;
}
