// Glowing points of a pixel or two: they add light, and lie in front of what they float before.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::glyph

struct Spark {
    @builtin(position) position: vec4<f32>,
    @location(0) off: vec2<f32>,
    @location(1) @interpolate(flat) colour: vec4<f32>,
    @location(2) @interpolate(flat) haze: f32,
}

@vertex
fn vertex(@location(0) index: u32) -> Spark {
    var out: Spark;
    out.position = glyph::OUTSIDE;
    let number = index >> 2u;
    if number >= glyph::scene.count {
        return out;
    }
    let item = glyph::glyphs[number];
    let place = glyph::seen(item.a.xyz);
    if -place.z < glyph::NEAR || glyph::side_of(item.a.xyz) < 0.0 {
        return out;
    }
    let size = view.viewport.zw;
    // The glow reaches twice as far as the grain itself.
    let radius = max(item.a.w * size.y / 720.0, 0.5) * 2.0;
    let corner = vec2<f32>(f32(index & 1u), f32((index >> 1u) & 1u)) * 2.0 - 1.0;
    let clip = view.clip_from_view * vec4<f32>(place, 1.0);
    out.position = vec4<f32>(clip.xy + corner * radius / (size * 0.5) * clip.w, clip.zw);
    out.off = corner * 2.0;
    let mood = glyph::mood_of(item.paint, length(place));
    out.colour = glyph::colour_of(item.paint);
    out.colour += vec4<f32>(mood.z * 0.7);
    out.haze = mood.x;
    return out;
}

@fragment
fn fragment(in: Spark) -> @location(0) vec4<f32> {
    let r2 = dot(in.off, in.off);
    if glyph::scene.is_plain == 1u {
        // Light adds nothing to paper: a disc that covers it.
        let cover = 1.0 - smoothstep(0.8, 1.2, r2);
        return vec4<f32>(in.colour.rgb * in.colour.a * cover, in.colour.a * cover);
    }
    let glow = exp(-1.6 * r2) * (1.0 - smoothstep(3.0, 4.0, r2));
    return vec4<f32>(in.colour.rgb * glow * in.colour.a * (1.0 - 0.6 * in.haze), 0.0);
}
