// The background: a quad over the whole picture, behind everything.
#import bevy_pbr::mesh_view_bindings::view
#import tumorscape::shade

// x: 1 in the plain look.
@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> style: vec4<f32>;

@vertex
fn vertex(@location(0) corner: u32) -> @builtin(position) vec4<f32> {
    let at = vec2<f32>(f32(corner & 1u), f32((corner >> 1u) & 1u)) * 2.0 - 1.0;
    return vec4<f32>(at, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    if style.x > 0.5 {
        return vec4<f32>(shade::paper(), 1.0);
    }
    let at = (position.xy - view.viewport.xy) / view.viewport.zw;
    // Half a step of eight-bit noise keeps the gradient free of bands.
    let noise = (shade::hash(vec3<f32>(position.xy, 1.0)) - 0.5) * 0.0012;
    return vec4<f32>(shade::backdrop(at) + noise, 1.0);
}
