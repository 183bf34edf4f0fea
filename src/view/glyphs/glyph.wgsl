// What the shaders of all glyphs share: the buffers, the quad that just covers a glyph, light, haze and cut. All
// geometry is done relative to the eye, z points out of the picture.
#define_import_path tumorscape::glyph
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

struct Scene {
    // Cutting plane: unit normal towards the part that is kept, and offset; normal zero when nothing is cut.
    cut: vec4<f32>,
    // Middle of the tissue and its radius, for the depth cue.
    bounds: vec4<f32>,
    // Glyphs in the buffer.
    count: u32,
    // 1: plain look.
    is_plain: u32,
    pad_b: u32,
    pad_c: u32,
}

struct Glyph {
    // Places, um, and the size at each.
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    // x: colour (sRGB) and opacity; y: openness in the lowest byte, whether it is selected in the next.
    paint: vec4<u32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> scene: Scene;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<storage, read> glyphs: array<Glyph>;

const OUTSIDE: vec4<f32> = vec4<f32>(0.0, 0.0, -1.0, 1.0);
// Nothing nearer to the eye than this is drawn, um.
const NEAR: f32 = 2.0;

struct Solid {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) a: vec4<f32>,
    @location(1) @interpolate(flat) b: vec4<f32>,
    // Linear colour, opacity.
    @location(2) @interpolate(flat) colour: vec4<f32>,
    // What is mixed in of haze and highlight, and how much of the own light is left.
    @location(3) @interpolate(flat) veil: vec4<f32>,
    @location(4) @interpolate(flat) openness: f32,
}

struct Pixel {
    @location(0) colour: vec4<f32>,
    @builtin(frag_depth) depth: f32,
}

fn seen(place: vec3<f32>) -> vec3<f32> {
    return (view.view_from_world * vec4<f32>(place, 1.0)).xyz;
}

// On which side of the cut a place lies: kept where it is not negative.
fn side_of(place: vec3<f32>) -> f32 {
    return dot(scene.cut.xyz, place) + scene.cut.w;
}

// The cutting plane as the eye sees it.
fn cut_seen() -> vec4<f32> {
    let normal = (view.view_from_world * vec4<f32>(scene.cut.xyz, 0.0)).xyz;
    return vec4<f32>(normal, dot(scene.cut.xyz, view.world_position) + scene.cut.w);
}

fn colour_of(paint: vec4<u32>) -> vec4<f32> {
    let colour = unpack4x8unorm(paint.x);
    return vec4<f32>(shade::linear(colour.rgb), colour.a);
}

// Haze of what is so far away, openness, selected.
fn mood_of(paint: vec4<u32>, away: f32) -> vec4<f32> {
    let middle = length(scene.bounds.xyz - view.world_position);
    let depth = (away - middle) / max(scene.bounds.w, 1.0);
    let more = unpack4x8unorm(paint.y);
    return vec4<f32>(smoothstep(-0.7, 1.5, depth), more.x, more.y, 0.0);
}

// Where the corner of the quad is, in the direction `e` of the picture at depth 1, of a ball `x` off the axis at `depth`:
// its lower and its upper edge.
fn edges(x: f32, depth: f32, radius: f32) -> vec2<f32> {
    let wide = radius * sqrt(max(x * x + depth * depth - radius * radius, 0.0));
    return vec2<f32>(x * depth - wide, x * depth + wide) / (depth * depth - radius * radius);
}

// The corner of a quad that just covers two balls and what lies between them.
fn cover(a: vec4<f32>, b: vec4<f32>, index: u32) -> vec4<f32> {
    let corner = vec2<f32>(f32(index & 1u), f32((index >> 1u) & 1u));
    let depth_a = -a.z;
    let depth_b = -b.z;
    if max(depth_a + a.w, depth_b + b.w) < NEAR {
        return OUTSIDE;
    }
    if min(depth_a - a.w, depth_b - b.w) < NEAR {
        // It reaches the eye: the whole picture may show it.
        return vec4<f32>(corner * 2.0 - 1.0, 0.5, 1.0);
    }
    let run = b.xy / depth_b - a.xy / depth_a;
    var along = vec2<f32>(1.0, 0.0);
    if dot(run, run) > 1.0e-14 {
        along = normalize(run);
    }
    let across = vec2<f32>(-along.y, along.x);
    let a_along = edges(dot(a.xy, along), depth_a, a.w);
    let b_along = edges(dot(b.xy, along), depth_b, b.w);
    let a_across = edges(dot(a.xy, across), depth_a, a.w);
    let b_across = edges(dot(b.xy, across), depth_b, b.w);
    let low = min(vec2<f32>(a_along.x, a_across.x), vec2<f32>(b_along.x, b_across.x));
    let high = max(vec2<f32>(a_along.y, a_across.y), vec2<f32>(b_along.y, b_across.y));
    let at = mix(low, high, corner);
    let depth = max(depth_a, NEAR * 1.5);
    let place = vec3<f32>((along * at.x + across * at.y) * depth, -depth);
    return view.clip_from_view * vec4<f32>(place, 1.0);
}

// The quad of a solid glyph.
fn solid(index: u32) -> Solid {
    var out: Solid;
    out.position = OUTSIDE;
    let number = index >> 2u;
    if number >= scene.count {
        return out;
    }
    let glyph = glyphs[number];
    let a = vec4<f32>(seen(glyph.a.xyz), glyph.a.w);
    let b = vec4<f32>(seen(glyph.b.xyz), glyph.b.w);
    let cut = cut_seen();
    if dot(cut.xyz, a.xyz) + cut.w < -a.w && dot(cut.xyz, b.xyz) + cut.w < -b.w {
        return out;
    }
    out.position = cover(a, b, index);
    out.a = a;
    out.b = b;
    out.colour = colour_of(glyph.paint);
    let middle = 0.5 * (a.xyz + b.xyz);
    let mood = mood_of(glyph.paint, length(middle));
    out.veil = veil_of(mood, middle);
    out.openness = mood.y;
    return out;
}

// Haze and highlight of a glyph whose middle is there: a glyph is so small that the ground behind it has one colour.
fn veil_of(mood: vec4<f32>, middle: vec3<f32>) -> vec4<f32> {
    if scene.is_plain == 1u {
        return vec4<f32>(vec3<f32>(0.6), 0.4) * step(0.5, mood.z) + vec4<f32>(0.0, 0.0, 0.0, 1.0) * step(mood.z, 0.5);
    }
    let off = middle.xy / max(-middle.z, NEAR) * vec2<f32>(view.clip_from_view[0][0], view.clip_from_view[1][1]);
    let at = clamp(vec2<f32>(0.5, 0.5) + off * vec2<f32>(0.5, -0.5), vec2<f32>(0.0), vec2<f32>(1.0));
    let haze = mood.x * 0.62;
    let white = step(0.5, mood.z) * 0.6;
    return vec4<f32>(shade::backdrop(at) * haze + white * (1.0 - haze), (1.0 - white) * (1.0 - haze));
}

// A colour behind the veil of its glyph.
fn veiled(lit: vec3<f32>, veil: vec4<f32>) -> vec3<f32> {
    return lit * veil.w + veil.xyz;
}

// Place of a pixel in the picture, 0-1.
fn at_of(position: vec4<f32>) -> vec2<f32> {
    return (position.xy - view.viewport.xy) / view.viewport.zw;
}

// Direction of the ray of a pixel, unit length.
fn ray_of(at: vec2<f32>) -> vec3<f32> {
    return normalize(vec3<f32>(
        (at.x * 2.0 - 1.0) / view.clip_from_view[0][0],
        (1.0 - at.y * 2.0) / view.clip_from_view[1][1],
        -1.0,
    ));
}

fn depth_at(place: vec3<f32>) -> f32 {
    return view.clip_from_view[3][2] / max(-place.z, 1.0e-3);
}

// Widens the stretch `span` of a ray from `origin` that lies in a ball.
fn join_ball(span: vec2<f32>, origin: vec3<f32>, ray: vec3<f32>, ball: vec4<f32>) -> vec2<f32> {
    let to = ball.xyz - origin;
    let middle = dot(to, ray);
    let miss = to - ray * middle;
    let inside = ball.w * ball.w - dot(miss, miss);
    if inside < 0.0 {
        return span;
    }
    let half = sqrt(inside);
    return vec2<f32>(min(span.x, middle - half), max(span.y, middle + half));
}

// The stretch of a ray from the eye that lies in two balls or between them (a round cone, after I. Quilez); empty, with
// its end before its start, where it misses them.
fn through(ray: vec3<f32>, a: vec4<f32>, b: vec4<f32>) -> vec2<f32> {
    // Near the glyph numbers are small and exact.
    let start = dot(ray, 0.5 * (a.xyz + b.xyz));
    let origin = ray * start;
    var span = vec2<f32>(1.0e30, -1.0e30);
    span = join_ball(span, origin, ray, a);
    span = join_ball(span, origin, ray, b);
    let ba = b.xyz - a.xyz;
    let oa = origin - a.xyz;
    let rr = a.w - b.w;
    let m0 = dot(ba, ba);
    let m1 = dot(ba, oa);
    let m2 = dot(ba, ray);
    let m3 = dot(ray, oa);
    let d2 = m0 - rr * rr;
    if d2 > 1.0e-6 {
        let k2 = d2 - m2 * m2;
        let k1 = d2 * m3 - m1 * m2 + m2 * rr * a.w;
        let k0 = d2 * dot(oa, oa) - m1 * m1 + m1 * rr * a.w * 2.0 - m0 * a.w * a.w;
        let h = k1 * k1 - k0 * k2;
        if h >= 0.0 && abs(k2) > 1.0e-6 * d2 {
            let root = sqrt(h);
            for (var side = -1.0; side < 2.0; side += 2.0) {
                let t = (side * root - k1) / k2;
                let y = m1 - a.w * rr + t * m2;
                if y > 0.0 && y < d2 {
                    span = vec2<f32>(min(span.x, t), max(span.y, t));
                }
            }
        }
    }
    return span + start;
}

// Where a ray from the eye enters what `through` runs through, if nothing is cut: less than `NEAR` where it misses or
// the eye is inside.
fn enters(ray: vec3<f32>, a: vec4<f32>, b: vec4<f32>) -> f32 {
    let start = dot(ray, 0.5 * (a.xyz + b.xyz));
    let origin = ray * start;
    let ba = b.xyz - a.xyz;
    let oa = origin - a.xyz;
    let ob = origin - b.xyz;
    let rr = a.w - b.w;
    let m0 = dot(ba, ba);
    let d2 = m0 - rr * rr;
    let m1 = dot(ba, oa);
    let m2 = dot(ba, ray);
    let m3 = dot(ray, oa);
    let m5 = dot(oa, oa);
    let k2 = d2 - m2 * m2;
    let k1 = d2 * m3 - m1 * m2 + m2 * rr * a.w;
    let k0 = d2 * m5 - m1 * m1 + m1 * rr * a.w * 2.0 - m0 * a.w * a.w;
    let h = k1 * k1 - k0 * k2;
    if d2 > 1.0e-6 && k2 > 1.0e-6 * d2 {
        // A ray that misses the endless cone misses both balls as well.
        if h < 0.0 { return -1.0; }
        let t = (-sqrt(h) - k1) / k2;
        let y = m1 - a.w * rr + t * m2;
        if y > 0.0 && y < d2 { return t + start; }
    }
    let m6 = dot(ray, ob);
    let in_a = m3 * m3 - m5 + a.w * a.w;
    let in_b = m6 * m6 - dot(ob, ob) + b.w * b.w;
    var first = 1.0e30;
    if in_a > 0.0 { first = -m3 - sqrt(in_a); }
    if in_b > 0.0 { first = min(first, -m6 - sqrt(in_b)); }
    return select(first + start, -1.0, first == 1.0e30);
}

// The first of a body of two balls and what lies between them that a ray meets in what the cut leaves, as `first_seen`.
fn meets(ray: vec3<f32>, a: vec4<f32>, b: vec4<f32>) -> vec2<f32> {
    if all(scene.cut.xyz == vec3<f32>(0.0)) {
        let entry = enters(ray, a, b);
        if entry >= NEAR { return vec2<f32>(entry, 0.0); }
        if entry < 0.0 { return vec2<f32>(0.0, -1.0); }
    }
    return first_seen(through(ray, a, b), ray);
}

// The outward normal of two balls and what lies between them, at a place on their surface.
fn normal_at(place: vec3<f32>, a: vec4<f32>, b: vec4<f32>) -> vec3<f32> {
    let ba = b.xyz - a.xyz;
    let rr = a.w - b.w;
    let d2 = dot(ba, ba) - rr * rr;
    let y = dot(place - a.xyz, ba) - a.w * rr;
    if d2 <= 1.0e-6 {
        if a.w >= b.w { return normalize(place - a.xyz); }
        return normalize(place - b.xyz);
    }
    if y <= 0.0 { return normalize(place - a.xyz); }
    if y >= d2 { return normalize(place - b.xyz); }
    return normalize(d2 * (place - a.xyz) - ba * y);
}

// Where a ray that runs through a body from `span.x` to `span.y` first meets what the cut leaves of it; x: how far, y:
// 1 on the cut face, -1 if it meets nothing.
fn first_seen(span: vec2<f32>, ray: vec3<f32>) -> vec2<f32> {
    if span.y < max(span.x, NEAR) {
        return vec2<f32>(0.0, -1.0);
    }
    let start = max(span.x, NEAR);
    if all(scene.cut.xyz == vec3<f32>(0.0)) {
        return vec2<f32>(start, 0.0);
    }
    let cut = cut_seen();
    if dot(cut.xyz, ray * start) + cut.w >= 0.0 {
        return vec2<f32>(start, 0.0);
    }
    let slope = dot(cut.xyz, ray);
    let plane = -cut.w / max(slope, 1.0e-6);
    if slope <= 1.0e-6 || plane > span.y {
        return vec2<f32>(0.0, -1.0);
    }
    return vec2<f32>(plane, 1.0);
}

// Light on a matt surface.
fn light(base: vec3<f32>, normal: vec3<f32>, ray: vec3<f32>, openness: f32) -> vec3<f32> {
    let up = view.view_from_world[2].xyz;
    let facing = clamp(-dot(normal, ray), 0.0, 1.0);
    if scene.is_plain == 1u {
        // Flat, with an outline.
        return base * mix(0.3, 1.0, smoothstep(0.24, 0.34, facing));
    }
    let key = max(dot(normal, vec3<f32>(-0.42, 0.56, 0.71)) + 0.30, 0.0) / 1.30;
    let sky = 0.5 + 0.5 * dot(normal, up);
    let ambient = mix(vec3<f32>(0.26, 0.23, 0.27), vec3<f32>(0.52, 0.54, 0.57), sky);
    let lit = ambient * openness * (0.4 + 0.6 * openness)
        + vec3<f32>(1.16, 1.11, 1.04) * key * (0.25 + 0.75 * openness);
    let wall = mix(0.45, 1.0, smoothstep(0.0, 0.55, facing));
    // The 24th power of how much it looks between eye and lamp.
    let half_way = max(dot(normal, vec3<f32>(-0.22723, 0.30297, 0.92513)), 0.0);
    let second = half_way * half_way;
    let eighth = second * second * second * second;
    let gloss = eighth * eighth * eighth * 0.12;
    return base * lit * wall + gloss * openness;
}

// How bright a place is that no light falls on from a side, such as a cut face: dimmer deep inside, but for the plain
// look.
fn dimmed(least: f32, openness: f32) -> f32 {
    return select(least + (1.0 - least) * openness, 1.0, scene.is_plain == 1u);
}

// The colour of something fine and pale, which the plain look puts on paper: darker there.
fn on_ground(colour: vec3<f32>) -> vec3<f32> {
    return select(colour, colour * colour * 0.42, scene.is_plain == 1u);
}

// Whether a pixel of something of this opacity is left out: a fixed pattern, so that what is opaque for the depth can
// let the light through.
fn lets_through(position: vec4<f32>, opacity: f32) -> bool {
    if opacity > 0.99 {
        return false;
    }
    let x = u32(position.x);
    let y = u32(position.y);
    let mixed = x ^ y;
    let order = ((mixed & 1u) << 3u) | ((y & 1u) << 2u) | ((mixed & 2u)) | ((y & 2u) >> 1u);
    return opacity < (f32(order) + 0.5) / 16.0;
}

// Haze, and a light skin for what is selected.
fn finish(lit: vec3<f32>, mood: vec4<f32>, at: vec2<f32>) -> vec3<f32> {
    let shown = mix(lit, vec3<f32>(1.0, 1.0, 1.0), step(0.5, mood.z) * 0.6);
    if scene.is_plain == 1u {
        return shown;
    }
    return mix(shown, shade::backdrop(at), mood.x * 0.62);
}
