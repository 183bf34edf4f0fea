//! Oxygen in a ball of cells, solved for itself: `D (r^2 p')'/r^2 = u(r) p/(p + K)` with `p` held at the surface, by
//! finite volumes on thin shells and Newton's method. Of the simulator it has nothing but the uptake `u(r)` measured in
//! a run.

/// Of Grimes et al. 2014 (J R Soc Interface 11:20131124), as in the scene.
pub const UPTAKE_MMHG_PER_S: f64 = 22.1;
pub const DIFFUSIVITY_UM2_PER_S: f64 = 2000.0;
pub const SURFACE_MMHG: f64 = 100.0;
/// Half-saturation of uptake, as in the scene.
pub const HALF_SATURATION_MMHG: f64 = 2.0;
/// Oxygen below which cells begin to die, and below which they do so at the full rate, mmHg.
pub const NECROSIS_MMHG: (f64, f64) = (5.0, 2.5);
/// Mean time to necrosis at the full rate, h.
pub const DELAY_HOURS: f64 = 6.0;

const SHELLS: usize = 600;

/// Oxygen in shells of equal thickness, from the centre out.
pub struct Profile {
    thickness_um: f64,
    mmhg: Vec<f64>,
}

impl Profile {
    /// Solves for a ball of that radius with that uptake at saturation (mmHg/s, of the radius in um).
    pub fn solve(radius_um: f64, half_saturation: f64, uptake: impl Fn(f64) -> f64) -> Self {
        let h = radius_um / SHELLS as f64;
        let volume = |i: usize| h.powi(3) * ((i + 1).pow(3) - i.pow(3)) as f64 / 3.0;
        // Flow through the outer face of a shell for each mmHg.
        let outward = |i: usize| {
            let reach = if i + 1 == SHELLS { 0.5 * h } else { h };
            DIFFUSIVITY_UM2_PER_S * (h * (i + 1) as f64).powi(2) / reach
        };
        let demand: Vec<f64> = (0..SHELLS)
            .map(|i| volume(i) * uptake((i as f64 + 0.5) * h))
            .collect();
        // From nothing on, Newton's method rises to the solution: uptake is concave and the matrix an M-matrix.
        let mut mmhg = vec![0.0; SHELLS];
        let mut change = f64::MAX;
        while change > 1e-9 {
            // Thomas's algorithm; `p_i = ratio_i p_(i+1) + rest_i`.
            let (mut ratio, mut rest) = (vec![0.0; SHELLS], vec![0.0; SHELLS]);
            for i in 0..SHELLS {
                let saturation: f64 = mmhg[i] + half_saturation;
                let slope = demand[i] * half_saturation / saturation.powi(2);
                let offset = demand[i] * (mmhg[i] / saturation).powi(2);
                let inward = if i == 0 { 0.0 } else { outward(i - 1) };
                let (before, left) = if i == 0 {
                    (0.0, 0.0)
                } else {
                    (ratio[i - 1], rest[i - 1])
                };
                let pivot = outward(i) + inward * (1.0 - before) + slope;
                ratio[i] = outward(i) / pivot;
                rest[i] = (inward * left - offset) / pivot;
            }
            let mut next = SURFACE_MMHG;
            change = 0.0;
            for i in (0..SHELLS).rev() {
                next = ratio[i] * next + rest[i];
                change = f64::max(change, (next - mmhg[i]).abs());
                mmhg[i] = next;
            }
        }
        Self {
            thickness_um: h,
            mmhg,
        }
    }

    /// Oxygen at the centre, mmHg.
    pub fn centre_mmhg(&self) -> f64 {
        self.mmhg[0]
    }

    /// Radius of the ball that has less than that, um; 0 if none has.
    pub fn radius_below_um(&self, mmhg: f64) -> f64 {
        let Some(last) = self.mmhg.iter().rposition(|here| *here < mmhg) else {
            return 0.0;
        };
        let (low, high) = (
            self.mmhg[last],
            self.mmhg.get(last + 1).copied().unwrap_or(SURFACE_MMHG),
        );
        (last as f64 + 0.5 + (mmhg - low) / (high - low)) * self.thickness_um
    }

    /// Radius inside which more cells have died than live, um, if the front behind which oxygen is short moves outward
    /// through them at that speed, um/h: where `integral of rate(p) dr / speed` from the front inwards is `ln 2`.
    pub fn dead_radius_um(&self, speed_um_per_h: f64) -> f64 {
        let (onset, full) = NECROSIS_MMHG;
        let mut died = 0.0;
        for (i, mmhg) in self.mmhg.iter().enumerate().rev() {
            let share = ((onset - mmhg) / (onset - full)).clamp(0.0, 1.0);
            died += share / DELAY_HOURS * self.thickness_um / speed_um_per_h;
            if died > 2.0_f64.ln() {
                return (i as f64 + 0.5) * self.thickness_um;
            }
        }
        0.0
    }
}

/// Radius at which the centre of a ball of that uptake runs out of oxygen, um.
pub fn onset_radius_um(half_saturation: f64, uptake: f64) -> f64 {
    let (mut low, mut high) = (1.0, 2000.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        let centre = Profile::solve(middle, half_saturation, |_| uptake).centre_mmhg();
        if centre > NECROSIS_MMHG.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn the_theory_has_its_known_limits() {
    // Nearly constant uptake: p(r) = p_0 - u (R^2 - r^2)/(6 D), down to 5 mmHg at sqrt(6 D p/u).
    const NEARLY_NONE: f64 = 0.01;
    let first =
        (6.0 * DIFFUSIVITY_UM2_PER_S * (SURFACE_MMHG - NECROSIS_MMHG.0) / UPTAKE_MMHG_PER_S).sqrt();
    let found = onset_radius_um(NEARLY_NONE, UPTAKE_MMHG_PER_S);
    assert!((found / first - 1.0).abs() < 1e-3, "{found}, not {first}");
    // Beyond it a core without oxygen, with c the root of p_0 = u/(6 D) (R^2 - 3 c^2 + 2 c^3/R).
    let radius: f64 = 400.0;
    let core = Profile::solve(radius, NEARLY_NONE, |_| UPTAKE_MMHG_PER_S)
        .radius_below_um(2.0 * NEARLY_NONE);
    let drop = UPTAKE_MMHG_PER_S / (6.0 * DIFFUSIVITY_UM2_PER_S)
        * (radius.powi(2) - 3.0 * core.powi(2) + 2.0 * core.powi(3) / radius);
    assert!((drop / SURFACE_MMHG - 1.0).abs() < 0.01, "{core}, {drop}");
    // First-order uptake, k = u/K: p(0) = p_0 x/sinh x with x = R sqrt(k/D).
    let (k, much) = (0.16, 1e7);
    let x = 200.0 * (k / DIFFUSIVITY_UM2_PER_S).sqrt();
    let found = Profile::solve(200.0, much, |_| k * much).centre_mmhg();
    assert!((found / (SURFACE_MMHG * x / x.sinh()) - 1.0).abs() < 1e-3);
}
