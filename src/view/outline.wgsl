// Lines between cells: a pass over the finished picture, whose alpha says which cell each pixel shows.
#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

struct Outline {
    // Linear RGB of the lines, and how much of it they take; the rest is the colour of the cell, darkened.
    ink: vec4<f32>,
    // x: how strong the lines are, 0-1. y: their half width, pixels. z: how much is left of the cell's colour in a line.
    // w: how much the pixels along a line are smoothed.
    style: vec4<f32>,
}

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var nearest: sampler;
@group(0) @binding(2) var<uniform> outline: Outline;

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let at = vec2<i32>(in.position.xy);
    let here = textureLoad(picture, at, 0);
    // Only cells have outlines; a plane keeps the colours of its values to the bit.
    if here.a > 0.998 {
        return vec4<f32>(here.rgb, 1.0);
    }
    let last = vec2<i32>(textureDimensions(picture)) - 1;
    var near = 0.0;
    var mean = here.rgb;
    for (var i = 0; i < 4; i++) {
        var step = vec2<i32>(select(-1, 1, (i & 1) == 1), 0);
        if i > 1 { step = step.yx; }
        let beside = textureLoad(picture, clamp(at + step, vec2<i32>(0), last), 0);
        if abs(beside.a - here.a) > 0.002 {
            near += 1.0;
            // Neighbours of another kind lend their colour only where they are cells, too.
            mean += select(beside.rgb, here.rgb, beside.a > 0.998);
        } else {
            mean += here.rgb;
        }
    }
    var line = min(near * 0.6, 1.0);
    let half_width = i32(outline.style.y);
    if half_width > 1 && line < 1.0 {
        for (var i = 0; i < 8; i++) {
            let angle = f32(i) * 0.7853982;
            let step = vec2<i32>(round(vec2<f32>(cos(angle), sin(angle)) * f32(half_width)));
            let beside = textureLoad(picture, clamp(at + step, vec2<i32>(0), last), 0).a;
            line += select(0.0, 0.30, abs(beside - here.a) > 0.002);
        }
        line = min(line, 1.0);
    }
    line *= outline.style.x;
    let soft = mix(here.rgb, mean * 0.2, select(0.0, outline.style.w, near > 0.0));
    let ink = mix(soft * outline.style.z, outline.ink.rgb, outline.ink.a);
    return vec4<f32>(mix(soft, ink, line), 1.0);
}
