// Vessels: pieces with round ends that close their junctions. A cut opens the wall and shows the inside. A wall that is not opaque lets
// one see into the lumen where one looks straight at it, and less towards its rims, as glass does.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph
#import tumorscape::shade

// Share of the radius that is lumen.
const LUMEN: f32 = 0.78;

@vertex
fn vertex(@location(0) index: u32) -> glyph::Solid {
    return glyph::solid(index);
}

@fragment
fn fragment(in: glyph::Solid) -> glyph::Pixel {
    let at = glyph::at_of(in.position);
    let ray = glyph::ray_of(at);
    let hit = glyph::meets(ray, in.a, in.b);
    if hit.y < 0.0 {
        discard;
    }
    var place = ray * hit.x;
    var opacity = in.colour.a;
    if opacity < 0.99 && hit.y < 0.5 {
        let aslant = 1.0 + dot(glyph::normal_at(place, in.a, in.b), ray);
        opacity = mix(opacity, 1.0, clamp(aslant * aslant * 1.6, 0.0, 1.0));
    }
    if glyph::lets_through(in.position, opacity) {
        discard;
    }
    var lit: vec3<f32>;
    if hit.y < 0.5 {
        let normal = glyph::normal_at(place, in.a, in.b);
        // Cells of the wall lie like tiles around the vessel.
        let ba = in.b.xyz - in.a.xyz;
        let along = dot(place - in.a.xyz, normalize(ba + vec3<f32>(1.0e-5))) / max(in.a.w, 1.0);
        let seam = smoothstep(0.42, 0.5, abs(fract(along * 0.5) - 0.5));
        lit = glyph::light(in.colour.rgb * (1.0 - 0.16 * seam), normal, ray, in.openness);
    } else {
        let inner = glyph::through(ray, vec4<f32>(in.a.xyz, in.a.w * LUMEN), vec4<f32>(in.b.xyz, in.b.w * LUMEN));
        if inner.x < hit.x && inner.y > hit.x {
            // Into the lumen: its far wall, dark.
            place = ray * inner.y;
            let normal = -glyph::normal_at(place, in.a, in.b);
            lit = glyph::light(in.colour.rgb * 0.42, normal, ray, in.openness * 0.8);
        } else {
            lit = in.colour.rgb * 0.95;
        }
    }
    var out: glyph::Pixel;
    out.colour = vec4<f32>(glyph::veiled(lit, in.veil), 1.0);
    out.depth = glyph::depth_at(place);
    return out;
}
