// Cells as ray-traced spheres: a quad per cell, expanded from the vertex number, on which each pixel finds
// where its ray meets the sphere. All geometry is done relative to the eye, which keeps it exact far away.
//
// Bodies overlap where cells touch. Of two overlapping spheres the front surface and, on a cut, the smaller power
// distance wins a pixel; both part at the plane of equal power, so neighbours flatten against each other.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

struct Scene {
    // Cutting plane: unit normal towards the part that is kept, and offset; normal zero when nothing is cut.
    cut: vec4<f32>,
    // Middle of the tissue and its radius, for the depth cue.
    bounds: vec4<f32>,
    // Cells in the buffers.
    count: u32,
    // 1: plain look.
    is_plain: u32,
    // 1: colours are values of a scale.
    is_scale: u32,
    pad: u32,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> scene: Scene;
// Centre and radius, um.
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<storage, read> spheres: array<vec4<f32>>;
// x: colour (sRGB) and openness; y: nucleus radius / cell radius, seed, reach on a cut, kind and flags; z: long axis and
// length over width; w: colour of the rim (sRGB) and whether there is one.
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var<storage, read> paints: array<vec4<u32>>;

const PLAIN: u32 = 0u;
const SHRUNKEN: u32 = 1u;
const SWOLLEN: u32 = 2u;
const REMAINS: u32 = 3u;
const DIVIDING: u32 = 4u;
const SELECTED: u32 = 16u;
const NO_VALUE: u32 = 32u;

// How much further than the body a cell may reach on a cut, at most, in body radii; as in `cells.rs`.
const MOST_REACH: f32 = 0.5;
// Longest cell that is drawn, of its width; as in `cells.rs`.
const LONGEST: f32 = 20.0;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) sphere: vec4<f32>,
    @location(1) @interpolate(flat) colour: vec4<f32>,
    @location(2) @interpolate(flat) nucleus: vec4<f32>,
    @location(3) @interpolate(flat) cut: vec4<f32>,
    // x: haze, y: kind, z: seed, w: reach on the cut, body radii.
    @location(4) @interpolate(flat) mood: vec4<f32>,
    @location(5) @interpolate(flat) flags: u32,
    // Long axis, and what space is stretched by along it to make the cell a ball, less 1: 0 for a ball.
    @location(6) @interpolate(flat) axis: vec4<f32>,
    @location(7) @interpolate(flat) rim: vec4<f32>,
}

// The long axis and the length over width of a cell.
fn stretch_of(code: u32) -> vec4<f32> {
    if (code >> 24u) == 0u {
        return vec4<f32>(1.0, 0.0, 0.0, 1.0);
    }
    let at = vec2<f32>(f32(code & 0xFFFu), f32((code >> 12u) & 0xFFFu)) / 4095.0 * 2.0 - 1.0;
    var axis = vec3<f32>(at, 1.0 - abs(at.x) - abs(at.y));
    if axis.z < 0.0 {
        let signs = select(vec2<f32>(-1.0), vec2<f32>(1.0), axis.xy >= vec2<f32>(0.0));
        axis = vec3<f32>((1.0 - abs(axis.yx)) * signs, axis.z);
    }
    let longer = f32(code >> 24u) / 255.0;
    return vec4<f32>(normalize(axis), 1.0 + longer * longer * (LONGEST - 1.0));
}

// How far a spheroid of that axis and half width, so many times as long as wide, reaches in a direction.
fn support(axis: vec3<f32>, half: f32, ratio: f32, direction: vec3<f32>) -> f32 {
    let along = dot(axis, direction);
    return half * sqrt(1.0 + (ratio * ratio - 1.0) * along * along);
}

// A place or a way in the space in which the cell is a ball.
fn as_ball(axis: vec4<f32>, way: vec3<f32>) -> vec3<f32> {
    if axis.w == 0.0 {
        return way;
    }
    return way + axis.xyz * (dot(axis.xyz, way) * axis.w);
}

fn hidden() -> Varyings {
    var out: Varyings;
    out.position = vec4<f32>(0.0, 0.0, -1.0, 1.0);
    return out;
}

@vertex
fn vertex(@location(0) index: u32) -> Varyings {
    let cell = index >> 2u;
    if cell >= scene.count {
        return hidden();
    }
    let sphere = spheres[cell];
    let paint = paints[cell];
    let stretch = stretch_of(paint.z);
    // Half the width of a spheroid of the volume of the ball.
    var radius = sphere.w;
    if stretch.w > 1.0 { radius *= pow(stretch.w, -1.0 / 3.0); }
    let shape = unpack4x8unorm(paint.y);
    let reach = 1.0 + shape.z * MOST_REACH;
    let cut_distance = dot(scene.cut.xyz, sphere.xyz) + scene.cut.w;
    let across_cut = support(stretch.xyz, radius, stretch.w, scene.cut.xyz) * reach;
    if cut_distance < -across_cut {
        return hidden();
    }
    var outline = radius;
    if cut_distance < across_cut {
        outline = radius * reach;
    }
    let centre = (view.view_from_world * vec4<f32>(sphere.xyz, 1.0)).xyz;
    let away = length(centre);
    if away <= outline * stretch.w * 1.01 || centre.z > outline * stretch.w {
        return hidden();
    }

    // The quad stands upright to the line of sight and just covers the outline of the sphere.
    let forward = centre / away;
    var right = normalize(cross(forward, vec3<f32>(0.0, 1.0, 0.0)));
    var size = vec2<f32>(outline * away / sqrt((away - outline) * (away + outline)));
    var axis = vec3<f32>(1.0, 0.0, 0.0);
    if stretch.w > 1.0 {
        // Along the axis as it is seen; what is nearest to the eye looks largest.
        axis = (view.view_from_world * vec4<f32>(stretch.xyz, 0.0)).xyz;
        let run = axis - forward * dot(axis, forward);
        if dot(run, run) > 1.0e-6 { right = normalize(run); }
        let near = away / (away - support(axis, outline, stretch.w, forward));
        size = vec2<f32>(support(axis, outline, stretch.w, right), outline) * near;
    }
    let up = cross(right, forward);
    let corner = vec2<f32>(f32(index & 1u), f32((index >> 1u) & 1u)) * 2.0 - 1.0;
    let place = centre + right * (corner.x * size.x) + up * (corner.y * size.y);

    let colour = unpack4x8unorm(paint.x);
    let seed = u32(shape.y * 255.0 + 0.5);
    let flags = paint.y >> 24u;
    let nucleus_radius = shape.x * radius;
    // The nucleus sits a little off the middle, in a direction of its own that turns with the tissue.
    let angle = f32(seed & 15u) * 0.3926991;
    let tilt = (f32(seed >> 4u) - 7.5) / 8.5;
    let flat_part = sqrt(1.0 - tilt * tilt);
    let off_world = vec3<f32>(cos(angle) * flat_part, sin(angle) * flat_part, tilt)
        * (radius - nucleus_radius) * 0.34;
    let off = (view.view_from_world * vec4<f32>(off_world, 0.0)).xyz;

    var out: Varyings;
    out.position = view.clip_from_view * vec4<f32>(place, 1.0);
    out.sphere = vec4<f32>(centre, radius);
    out.colour = vec4<f32>(shade::linear(colour.rgb), colour.a);
    out.nucleus = vec4<f32>(off, nucleus_radius);
    let normal = (view.view_from_world * vec4<f32>(scene.cut.xyz, 0.0)).xyz;
    out.cut = vec4<f32>(normal, cut_distance - dot(normal, centre));
    let middle = (view.view_from_world * vec4<f32>(scene.bounds.xyz, 1.0)).xyz;
    let depth = (away - length(middle)) / max(scene.bounds.w, 1.0);
    out.mood = vec4<f32>(smoothstep(-0.8, 1.5, depth), f32(flags & 15u), f32(seed), reach);
    out.flags = flags;
    out.axis = vec4<f32>(axis, 1.0 / stretch.w - 1.0);
    let rim = unpack4x8unorm(paint.w);
    out.rim = vec4<f32>(shade::linear(rim.rgb), rim.a);
    return out;
}

struct Pixel {
    // Alpha says which cell is seen: `outline.wgsl` draws the lines between them from it.
    @location(0) colour: vec4<f32>,
    @builtin(frag_depth) depth: f32,
}

@fragment
fn fragment(in: Varyings) -> Pixel {
    let at = (in.position.xy - view.viewport.xy) / view.viewport.zw;
    // A ray of unit depth, so that its parameter is the depth itself.
    let ray = vec3<f32>(
        (at.x * 2.0 - 1.0) / view.clip_from_view[0][0],
        (1.0 - at.y * 2.0) / view.clip_from_view[1][1],
        -1.0,
    );
    let length2 = dot(ray, ray);
    let centre = in.sphere.xyz;
    let radius = in.sphere.w;

    // The cut face comes first: what lies before it is gone.
    let slope = dot(in.cut.xyz, ray);
    var t = -1.0;
    var from_centre = vec3<f32>(0.0);
    var r2 = 2.0;
    var is_section = false;
    if slope > 1.0e-6 {
        t = -in.cut.w / slope;
        from_centre = as_ball(in.axis, ray * t - centre);
        r2 = dot(from_centre, from_centre) / (radius * radius);
        is_section = t > 0.0 && r2 <= in.mood.w * in.mood.w;
    }
    var below_cut = 1.0e9;
    if is_section {
        // All cut faces lie in one plane. The one of the smaller power distance comes to the front, by a hair: cells
        // part along the straight line in which their plane of equal power meets the cut.
        t -= min(0.0025 * (1.0 - r2) * radius * radius, 0.7);
    } else {
        let way = as_ball(in.axis, ray);
        let to = as_ball(in.axis, centre);
        let way2 = dot(way, way);
        let middle = dot(way, to) / way2;
        let miss = way * middle - to;
        let inside = radius * radius - dot(miss, miss);
        if inside < 0.0 {
            discard;
        }
        t = middle - sqrt(inside / way2);
        from_centre = way * t - to;
        let side = dot(in.cut.xyz, ray * t) + in.cut.w;
        if side < 0.0 {
            discard;
        }
        if any(in.cut.xyz != vec3<f32>(0.0)) { below_cut = side; }
    }

    let view_dir = ray * inverseSqrt(length2);
    let kind = u32(in.mood.y + 0.5);
    let openness = in.colour.a;
    let is_plain = scene.is_plain == 1u;
    var base = in.colour.rgb;
    if (in.flags & NO_VALUE) != 0u {
        base = shade::hatched(base, in.position.xy, view.viewport.w);
    }

    // The nucleus takes a deeper shade of the cell's own colour, so that a scale stays readable.
    var nucleus_colour = base * base * 0.55 + vec3<f32>(0.012, 0.006, 0.028);
    var nucleus_strength = 0.82;
    if kind == SWOLLEN { nucleus_strength = 0.38; }
    if kind == REMAINS { nucleus_strength = 0.0; }
    if kind == SHRUNKEN { nucleus_colour = base * 0.25; nucleus_strength = 0.95; }
    // In mitosis the chromosomes lie in a dense plate.
    var flat_axis = vec3<f32>(0.0);
    if kind == DIVIDING {
        nucleus_colour = base * base * 0.14 + vec3<f32>(0.008, 0.004, 0.02);
        nucleus_strength = 1.0;
        flat_axis = normalize(in.nucleus.xyz + vec3<f32>(1.0e-4, 0.0, 0.0));
    }
    if is_plain { nucleus_colour = base * 0.42; }

    var lit: vec3<f32>;
    if is_section {
        // As in a stained section: cytoplasm, a denser cortex, the nucleus with its envelope. A value keeps the colour
        // of its scale to the bit; the rest is marks on it.
        var flesh = base;
        if !is_plain && scene.is_scale == 0u {
            flesh *= 1.06 - 0.26 * smoothstep(0.35, 1.05, r2);
        }
        var within = from_centre - in.nucleus.xyz;
        within += flat_axis * (dot(within, flat_axis) * 1.9);
        let to_nucleus = length(within) / max(in.nucleus.w, 0.01);
        var envelope = smoothstep(0.72, 0.95, to_nucleus) * 0.35;
        if is_plain { envelope = 0.0; }
        let in_nucleus = 1.0 - smoothstep(0.93, 1.07, to_nucleus);
        flesh = mix(flesh, nucleus_colour * (1.25 - envelope), in_nucleus * nucleus_strength);
        if kind == REMAINS || kind == SWOLLEN {
            let grain = shade::hash(floor((from_centre + in.mood.z) * 1.4));
            flesh *= select(0.78 + 0.4 * grain, select(1.0, 0.72, grain > 0.72), is_plain);
        }
        if scene.is_scale == 0u {
            flesh = mix(flesh, in.rim.rgb, in.rim.a * smoothstep(0.62, 0.80, r2));
        }
        lit = flesh;
        if !is_plain && scene.is_scale == 0u {
            lit = flesh * (0.80 + 0.26 * openness);
        }
    } else {
        let normal = normalize(as_ball(in.axis, from_centre));
        // Looking through the soft body: how much of the nucleus lies on the way.
        let way = as_ball(in.axis, ray);
        let nucleus = as_ball(in.axis, centre) + in.nucleus.xyz;
        var passing = way * (dot(way, nucleus) / dot(way, way)) - nucleus;
        passing += flat_axis * (dot(passing, flat_axis) * 1.9);
        let chord = 1.0 - dot(passing, passing) / max(in.nucleus.w * in.nucleus.w, 0.01);
        var through = smoothstep(0.0, 0.45, chord) * nucleus_strength * 0.85;
        if is_plain { through = smoothstep(0.0, 0.12, chord) * nucleus_strength; }
        var flesh = mix(base, nucleus_colour, through);
        if kind == REMAINS || kind == SWOLLEN {
            let grain = shade::hash(floor((from_centre + in.mood.z) * 1.2));
            flesh *= select(0.75 + 0.45 * grain, select(1.0, 0.72, grain > 0.72), is_plain);
        }
        let facing = clamp(-dot(normal, view_dir), 0.0, 1.0);
        flesh = mix(flesh, in.rim.rgb, in.rim.a * (1.0 - smoothstep(0.42, 0.66, facing)));
        if is_plain {
            lit = flesh;
        } else {
            let up = view.view_from_world[2].xyz;
            let key = max(dot(normal, vec3<f32>(-0.42, 0.56, 0.71)) + 0.30, 0.0) / 1.30;
            let sky = 0.5 + 0.5 * dot(normal, up);
            let ambient = mix(vec3<f32>(0.26, 0.23, 0.27), vec3<f32>(0.52, 0.54, 0.57), sky);
            let shadow = 0.25 + 0.75 * openness;
            let light = ambient * openness * (0.4 + 0.6 * openness) + vec3<f32>(1.16, 1.11, 1.04) * key * shadow;
            // The wall of the cell: darker where the eye grazes it, with a thin bright skin.
            let wall = mix(0.42, 1.0, smoothstep(0.0, 0.55, facing));
            let skin = pow(1.0 - facing, 3.0) * 0.10 * openness;
            let gloss = pow(max(dot(normal, normalize(vec3<f32>(-0.42, 0.56, 1.71))), 0.0), 24.0) * 0.10;
            lit = flesh * light * wall + (skin * base + gloss) * shadow;
            // Whoever lies a little below a cut lies in its shade.
            lit *= mix(0.42, 1.0, smoothstep(0.0, 16.0, below_cut));
            lit = mix(lit, shade::backdrop(at), in.mood.x * 0.66);
        }
    }
    if (in.flags & SELECTED) != 0u {
        let rim = 1.0 - clamp(-dot(from_centre / radius, view_dir), 0.0, 1.0);
        lit = mix(lit, vec3<f32>(1.0, 1.0, 1.0), 0.25 + 0.75 * smoothstep(0.3, 0.8, rim));
    }

    var out: Pixel;
    out.colour = vec4<f32>(lit, in.mood.z / 255.0);
    out.depth = view.clip_from_view[3][2] / t;
    return out;
}
