// Long cells: a cylinder with round ends, darker where it is cut near its wall, with a long nucleus.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph

// Radius of a body whose nucleus is drawn, pixels, times about half the depth of field of the lens.
const LEAST: f32 = 2.5;

@vertex
fn vertex(@location(0) index: u32) -> glyph::Solid {
    return glyph::solid(index);
}

@fragment
fn fragment(in: glyph::Solid) -> glyph::Pixel {
    let at = glyph::at_of(in.position);
    let ray = glyph::ray_of(at);
    let hit = glyph::meets(ray, in.a, in.b);
    if hit.y < 0.0 || glyph::lets_through(in.position, in.colour.a) {
        discard;
    }
    let place = ray * hit.x;
    var base = in.colour.rgb;
    // The nucleus, where it is larger than a few pixels: the inner half of the body, seen through it.
    if in.a.w * view.viewport.w > LEAST * -in.a.z {
        let middle = 0.5 * (in.a.xyz + in.b.xyz);
        let a = vec4<f32>(mix(middle, in.a.xyz, 0.42), in.a.w * 0.55);
        let b = vec4<f32>(mix(middle, in.b.xyz, 0.42), in.b.w * 0.55);
        let inner = glyph::through(ray, a, b);
        let dark = base * base * 0.55 + vec3<f32>(0.012, 0.006, 0.028);
        let depth = clamp((inner.y - max(inner.x, hit.x)) / in.a.w, 0.0, 1.0);
        base = mix(base, dark, smoothstep(0.0, 0.5, depth) * 0.75);
    }
    var lit: vec3<f32>;
    if hit.y < 0.5 {
        lit = glyph::light(base, glyph::normal_at(place, in.a, in.b), ray, in.openness);
    } else {
        let ba = in.b.xyz - in.a.xyz;
        let share = clamp(dot(place - in.a.xyz, ba) / max(dot(ba, ba), 1.0e-6), 0.0, 1.0);
        let off = length(place - in.a.xyz - ba * share) / in.a.w;
        lit = base * (1.02 - 0.45 * smoothstep(0.84, 0.97, off)) * glyph::dimmed(0.72, in.openness);
    }
    var out: glyph::Pixel;
    out.colour = vec4<f32>(glyph::veiled(lit, in.veil), 1.0);
    out.depth = glyph::depth_at(place);
    return out;
}
