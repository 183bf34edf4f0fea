// Balls.
#import tumorscape::glyph

@vertex
fn vertex(@location(0) index: u32) -> glyph::Solid {
    return glyph::solid(index);
}

@fragment
fn fragment(in: glyph::Solid) -> glyph::Pixel {
    let at = glyph::at_of(in.position);
    let ray = glyph::ray_of(at);
    let start = dot(ray, in.a.xyz);
    let span = glyph::join_ball(vec2<f32>(1.0e30, -1.0e30), ray * start, ray, in.a) + start;
    let hit = glyph::first_seen(span, ray);
    if hit.y < 0.0 || glyph::lets_through(in.position, in.colour.a) {
        discard;
    }
    let place = ray * hit.x;
    var lit = in.colour.rgb * glyph::dimmed(0.72, in.openness);
    if hit.y < 0.5 {
        lit = glyph::light(in.colour.rgb, normalize(place - in.a.xyz), ray, in.openness);
    }
    var out: glyph::Pixel;
    out.colour = vec4<f32>(glyph::veiled(lit, in.veil), 1.0);
    out.depth = glyph::depth_at(place);
    return out;
}
