//! Tails of the negative binomial distribution.
//!
//! With mean m and variance v > m, size r = m² / (v − m) and p = r / (r + m), the tails are regularized incomplete beta functions:
//! P(X ≥ x) = I(1−p; x, r) and P(X ≤ x) = I(p; r, x+1) (Abramowitz and Stegun, 26.5.26). The beta function is computed by its
//! continued fraction with Lentz's method, the gamma function by Lanczos' approximation (Numerical Recipes, 6.1 and 6.4).

/// A size above this is a Poisson distribution for our purposes; the fraction converges in about its root.
const LARGEST_SIZE: f64 = 1e5;

/// P(X ≥ x) and P(X ≤ x).
pub(crate) fn tails(x: f64, mean: f64, variance: f64) -> (f64, f64) {
    let mean = mean.max(1e-3);
    let size = (mean * mean / (variance - mean).max(1e-9)).min(LARGEST_SIZE);
    let p = size / (size + mean);
    let above = if x <= 0.0 { 1.0 } else { incomplete_beta(x, size, 1.0 - p) };
    (above, incomplete_beta(size, x + 1.0, p))
}

fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, 1.0 - x) / b
    }
}

fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for step in 1..2_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        sum *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        sum *= d * c;
        if (d * c - 1.0).abs() < 1e-12 {
            break;
        }
    }
    sum
}

pub(crate) fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let shifted = x + 5.5;
    let log = (x + 0.5) * shifted.ln() - shifted;
    let mut y = x;
    let mut series = 1.000_000_000_190_015;
    for term in TERMS {
        y += 1.0;
        series += term / y;
    }
    log + (2.506_628_274_631_000_5 * series / x).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-6 * b.abs().max(1e-30)
    }

    #[test]
    fn the_tails_are_those_of_the_sums() {
        // Direct sums of the probability function, mean 6, variance 12: size 6, p = 1/2.
        let (size, p) = (6.0_f64, 0.5_f64);
        let mut probability = p.powf(size);
        let (mut below, mut terms) = (0.0, Vec::new());
        for k in 0..40_u32 {
            terms.push(probability);
            below += probability;
            let (_, at_most) = tails(f64::from(k), 6.0, 12.0);
            assert!(close(at_most, below), "{k}: {at_most} {below}");
            probability *= (size + f64::from(k)) / f64::from(k + 1) * (1.0 - p);
        }
        let (at_least, _) = tails(10.0, 6.0, 12.0);
        assert!(close(at_least, 1.0 - terms[..10].iter().sum::<f64>()));
    }

    #[test]
    fn without_extra_variance_it_is_poisson() {
        let (at_least, at_most) = tails(0.0, 12.0, 12.0);
        assert_eq!(at_least, 1.0);
        assert!((at_most.ln() + 12.0).abs() < 0.01, "{at_most}");
    }
}
