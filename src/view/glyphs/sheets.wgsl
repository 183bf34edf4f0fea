// A thin translucent sheet of triangles. Where its integrity falls it opens in ragged holes that go on across triangles.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph
#import tumorscape::shade

// Size of the rags of a hole, um.
const RAG_UM: f32 = 7.0;
// Size of the meshes of the felt that a sheet is made of, um: finer in life, drawn so that one sees a sheet and not a tint.
const FELT_UM: f32 = 5.0;

struct Patch {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec3<f32>,
    @location(1) integrity: f32,
    @location(2) @interpolate(flat) normal: vec3<f32>,
    @location(3) @interpolate(flat) colour: vec4<f32>,
    @location(4) @interpolate(flat) mood: vec4<f32>,
}

@vertex
fn vertex(@location(0) index: u32) -> Patch {
    var out: Patch;
    out.position = glyph::OUTSIDE;
    let number = index >> 2u;
    if number >= glyph::scene.count {
        return out;
    }
    let item = glyph::glyphs[number];
    var corner = item.a;
    let which = index & 3u;
    if which == 1u { corner = item.b; }
    if which >= 2u { corner = item.c; }
    let normal = cross(item.b.xyz - item.a.xyz, item.c.xyz - item.a.xyz);
    out.position = view.clip_from_world * vec4<f32>(corner.xyz, 1.0);
    out.place = corner.xyz;
    out.integrity = corner.w;
    out.normal = normalize((view.view_from_world * vec4<f32>(normal, 0.0)).xyz + vec3<f32>(0.0, 0.0, 1.0e-9));
    out.colour = glyph::colour_of(item.paint);
    let middle = (item.a.xyz + item.b.xyz + item.c.xyz) / 3.0;
    out.mood = glyph::mood_of(item.paint, length(glyph::seen(middle)));
    return out;
}

// Smooth noise in 0-1.
fn noise(place: vec3<f32>) -> f32 {
    let low = floor(place);
    let s = place - low;
    let w = s * s * (3.0 - 2.0 * s);
    var sum = 0.0;
    for (var corner = 0u; corner < 8u; corner += 1u) {
        let off = vec3<f32>(f32(corner & 1u), f32((corner >> 1u) & 1u), f32(corner >> 2u));
        let weight = mix(1.0 - w, w, off);
        sum += weight.x * weight.y * weight.z * shade::hash(low + off);
    }
    return sum;
}

@fragment
fn fragment(in: Patch) -> @location(0) vec4<f32> {
    // Strands where two noises agree; from afar they run into one. Slopes are asked for before anything is left out.
    let weave = noise(in.place / FELT_UM + 17.0) - noise(in.place / FELT_UM * 1.3 + 51.0);
    let width = 0.06 + 0.5 * fwidth(weave);
    if dot(glyph::scene.cut.xyz, in.place) + glyph::scene.cut.w < 0.0 {
        discard;
    }
    // The noise hardly leaves 0.1-0.9: whole is whole, gone is gone.
    let rags = 0.08 + 0.84 * (0.7 * noise(in.place / RAG_UM) + 0.3 * noise(in.place / RAG_UM * 2.7));
    let left = in.integrity - rags * step(0.001, 1.0 - in.integrity);
    if left < 0.0 {
        discard;
    }
    let at = glyph::at_of(in.position);
    let ray = glyph::ray_of(at);
    var normal = in.normal;
    if dot(normal, ray) > 0.0 { normal = -normal; }
    let facing = abs(dot(normal, ray));
    let felt = (1.0 - smoothstep(0.3 * width, width, abs(weave))) * min(0.06 / width, 1.0);
    // Seen edge on there is more of it on the way; the rim of a hole is frayed and light.
    let fray = (1.0 - smoothstep(0.0, 0.09, left)) * step(in.integrity, 0.999);
    let whole = in.colour.a * (0.6 + 0.8 * (1.0 - facing));
    let opacity = clamp(whole + in.colour.a * (0.9 * fray + 0.8 * felt), 0.0, 1.0);
    let base = glyph::on_ground(in.colour.rgb);
    var lit = base * mix(1.0, 0.55, max(fray, 0.5 * felt));
    if glyph::scene.is_plain == 0u {
        lit = glyph::light(base, normal, ray, in.mood.y) + (0.4 * fray + 0.2 * felt) * base;
    }
    return vec4<f32>(glyph::finish(lit, in.mood, at), opacity);
}
