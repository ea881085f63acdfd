/* The log likelihood of a hinge under the beta-binomial, tuned by hand: what `python -m benchmarks
 * kernel` holds ours to. Gamma functions are Stirling's series from x + 4 on, and no function of the
 * C library is called in the loop over points.
 *
 * - A lane is a particle. Its parameters stay in registers while the loop goes over points.
 * - Where the processor has AVX-512, logarithms need no division: a table of 16 entries in
 *   registers, and a polynomial. Elsewhere, GCC's vectors and fdlibm's polynomial (Ng 1993).
 * - The products that carry x up to x + 4 are multiplied over all points, mantissas and exponents
 *   apart, and need one logarithm a particle.
 * - A count of at most FEW is a product and needs no logarithm at all; one of 0 needs nothing.
 * - Up to the changepoints of all lanes the mean is the floor, without an exponential.
 */
#include <math.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && !defined(PORTABLE)
#include <immintrin.h>
#define LANES 8
#define TABLE 1
#else
#define LANES 4
#define TABLE 0
#endif
#define FEW 12
#define BLOCK 16
#define SHIFT 4.0
#define MARGIN 1e-9
#define LOG2 0.69314718055994530942

typedef double V __attribute__((vector_size(8 * LANES)));
typedef long long W __attribute__((vector_size(8 * LANES)));
#define INLINE static inline __attribute__((always_inline))

INLINE V all(double x) { return x - (V){0}; }
INLINE V load(const double *x) { V v; memcpy(&v, x, sizeof v); return v; }
INLINE V larger(V x, V y) { W m = x > y; return (V)((m & (W)x) | (~m & (W)y)); }
INLINE V smaller(V x, V y) { W m = x < y; return (V)((m & (W)x) | (~m & (W)y)); }

#if TABLE

static __m512d inverse_low, inverse_high, log_low, log_high;

static void prepare(void)
{
    double inverse[16], logs[16];
    for (int i = 0; i < 16; i++) {
        inverse[i] = 1 / (1 + (i + 0.5) / 16);
        logs[i] = -log(inverse[i]);
    }
    inverse_low = _mm512_loadu_pd(inverse), inverse_high = _mm512_loadu_pd(inverse + 8);
    log_low = _mm512_loadu_pd(logs), log_high = _mm512_loadu_pd(logs + 8);
}

INLINE V exponent(V x) { return (V)_mm512_getexp_pd((__m512d)x); }
INLINE V mantissa(V x)
{
    return (V)_mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
}

/* log(m) = log(c) + log1p(m / c - 1), c the middle of one of 16 cells of [1, 2) */
INLINE V log_of(V x)
{
    V m = mantissa(x);
    __m512i cell = _mm512_srli_epi64((__m512i)x, 48); /* the permutation reads its last 4 bits */
    V inverse = (V)_mm512_permutex2var_pd(inverse_low, cell, inverse_high);
    V start = (V)_mm512_permutex2var_pd(log_low, cell, log_high);
    V r = (V)_mm512_fmsub_pd((__m512d)m, (__m512d)inverse, _mm512_set1_pd(1));
    V s = r * r, q = s * s;
    V tail = (1.0 / 3 - r * 0.25) + s * (0.2 - r * (1.0 / 6));
    tail += q * ((1.0 / 7 - r * 0.125) + s * (1.0 / 9));
    return (start + exponent(x) * LOG2) + (r + s * (r * tail - 0.5));
}

/* 14 bits, and one step of third order */
INLINE V inverse_of(V x)
{
    V r = (V)_mm512_rcp14_pd((__m512d)x), e = 1 - x * r;
    return r + r * (e + e * e);
}

INLINE V nearest(V x) { return (V)_mm512_roundscale_pd((__m512d)x, 0); }
INLINE V scaled(V x, V power) { return (V)_mm512_scalef_pd((__m512d)x, (__m512d)power); }
INLINE int any_positive(V x)
{
    return _mm512_cmp_pd_mask((__m512d)x, _mm512_setzero_pd(), _CMP_GT_OQ) != 0;
}

#else

static void prepare(void) {}

INLINE V float_of(W x) { return __builtin_convertvector(x, V); }
INLINE V exponent(V x) { return float_of(((W)x >> 52) - 1023); }
INLINE V mantissa(V x) { return (V)(((W)x & 0xFFFFFFFFFFFFFLL) | 0x3FF0000000000000LL); }

/* log(2^e (1 + f)) = e log(2) + 2 atanh(f / (2 + f)), 1 + f in [sqrt(1/2), sqrt(2)) */
INLINE V log_of(V x)
{
    W from = (W)x - 0x3FE6A09E667F3BCDLL;
    V f = (V)((W)x - (from & ~0xFFFFFFFFFFFFFLL)) - 1, s = f / (2 + f), z = s * s;
    V tail = 0.1531383769920937332 + z * 0.1479819860511658591;
    tail = 0.1818357216161805012 + z * tail;
    tail = 0.2222219843214978396 + z * tail;
    tail = 0.2857142874366239149 + z * tail;
    tail = 0.3999999999940941908 + z * tail;
    tail = z * (0.6666666666666735130 + z * tail);
    V half = 0.5 * f * f;
    return float_of(from >> 52) * LOG2 + (f - (half - s * (half + tail)));
}

INLINE V inverse_of(V x) { return 1 / x; }
INLINE V nearest(V x) { V y; for (int i = 0; i < LANES; i++) y[i] = rint(x[i]); return y; }
INLINE V scaled(V x, V power)
{
    return x * (V)((__builtin_convertvector(power, W) + 1023) << 52);
}
INLINE int any_positive(V x)
{
    int any = 0;
    for (int i = 0; i < LANES; i++) any |= x[i] > 0;
    return any;
}

#endif

/* exp(x) of x in [-700, 0] */
INLINE V exp_of(V x)
{
    x = larger(x, all(-700));
    V k = nearest(x * 1.4426950408889634), r = x - k * LOG2, s = r * r, q = s * s;
    V low = (1 + r) + s * (0.5 + r * (1.0 / 6));
    V middle = (1.0 / 24 + r * (1.0 / 120)) + s * (1.0 / 720 + r * (1.0 / 5040));
    V high = (1.0 / 40320 + r * (1.0 / 362880)) + s * (1.0 / 3628800 + r * (1.0 / 39916800));
    return scaled(low + q * (middle + q * high), k);
}

/* what Stirling's series adds to (x - 1/2) log x - x + log(2 pi)/2, x >= 4: to 1e-10 (DLMF 5.11.1) */
INLINE V stirling(V x)
{
    V r = inverse_of(x), q = r * r;
    V tail = 8.41750841750841751e-4 - q * 1.917526917526917527e-3;
    tail = 5.95238095238095238e-4 - q * tail;
    tail = 7.93650793650793651e-4 - q * tail;
    tail = 2.77777777777777778e-3 - q * tail;
    return r * (8.33333333333333333e-2 - q * tail);
}

/* x (x + 1) (x + 2) (x + 3) */
INLINE V four(V x) { V q = x * (x + 3); return q * (q + 2); }

/* a product over many points: mantissa and exponent */
typedef struct { V m, e; } Product;

INLINE void times(Product *p, V x)
{
    V m = p->m * x;
    p->e += exponent(m);
    p->m = mantissa(m);
}

INLINE V log_of_product(Product p) { return log_of(p.m) + p.e * LOG2; }

/* log Gamma(x + k) - log Gamma(x) but for the factors of a product and of what it is divided by;
 * those of both counts of a point lie within 1e-24 and 1e200 */
INLINE V many(V x, double k, V *above, V *below)
{
    V a = x + SHIFT, b = a + k;
    *above *= four(x);
    *below *= four(x + k);
    return (b - 0.5) * log_of(b) - (a - 0.5) * log_of(a) + (stirling(b) - stirling(a)) - k;
}

INLINE V few(V x, double k, V *above)
{
    V first = all(1), second = all(1);
    int i = 0;
    for (; i + 1 < (int)k; i += 2) {
        first *= x + i;
        second *= x + (i + 1);
    }
    if (i < (int)k) first *= x + i;
    *above *= first * second;
    return all(0);
}

INLINE V rising(V x, double k, V *above, V *below)
{
    return k <= FEW ? few(x, k, above) : many(x, k, above, below);
}

/* Parameters are arrays of particles, a multiple of LANES; u ascends. `sizes` are the different
 * numbers of trials and `often` how many points have them; `constant` are binomial coefficients. */
void log_likelihood(
    long points, const double *u, const double *successes, const double *failures,
    long kinds, const double *sizes, const double *often, double constant, double ceiling,
    long particles, const double *changepoint, const double *rate, const double *floor,
    const double *height, const double *overdispersion, double *out)
{
    prepare();
    for (long n = 0; n < particles; n += BLOCK * LANES) {
        V size[BLOCK], total[BLOCK], mean[BLOCK];
        Product above[BLOCK], below[BLOCK];
        int count = particles - n < BLOCK * LANES ? (int)((particles - n) / LANES) : BLOCK;
        for (int i = 0; i < count; i++) {
            V rho = load(overdispersion + n + i * LANES);
            size[i] = 1 / smaller(larger(rho * rho, all(1e-8)), all(0.999)) - 1;
            total[i] = all(constant);
            above[i] = below[i] = (Product){all(1), all(0)};
        }
        for (long p = 0; p < points; p++) {
            for (int i = 0; i < count; i++) {
                long at = n + i * LANES;
                V low = load(floor + at), beyond = u[p] - load(changepoint + at), one = low;
                if (any_positive(beyond)) {
                    V left = exp_of(-load(rate + at) * larger(beyond, all(0)));
                    one += (ceiling - low) * load(height + at) * (1 - left);
                }
                mean[i] = smaller(larger(one, all(MARGIN)), all(1 - MARGIN));
            }
            double k = successes[p], m = failures[p];
            if (k > FEW && m > FEW)
                for (int i = 0; i < count; i++) {
                    V alpha = mean[i] * size[i], up = all(1), down = all(1);
                    V sum = many(alpha, k, &up, &down);
                    total[i] += sum + many(size[i] - alpha, m, &up, &down);
                    times(&above[i], up);
                    times(&below[i], down);
                }
            else
                for (int i = 0; i < count; i++) {
                    V alpha = mean[i] * size[i], up = all(1), down = all(1);
                    V sum = rising(alpha, k, &up, &down);
                    total[i] += sum + rising(size[i] - alpha, m, &up, &down);
                    times(&above[i], up);
                    times(&below[i], down);
                }
        }
        for (int i = 0; i < count; i++) {
            for (long j = 0; j < kinds; j++) {
                V up = all(1), down = all(1), rest = rising(size[i], sizes[j], &up, &down);
                total[i] -= often[j] * (rest + log_of(up) - log_of(down));
            }
            total[i] += log_of_product(above[i]) - log_of_product(below[i]);
            memcpy(out + n + i * LANES, &total[i], sizeof total[i]);
        }
    }
}

long lanes(void) { return LANES; }
