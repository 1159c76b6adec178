/* Small calls: value and derivatives of a few numbers, of some thousand, and of samples.
   cc -O3 -march=native -ffast-math small.c -o small -lm */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NUMBERS = 100, MANY = 2500, WEIGHTS = 16, ROWS = 128, SAMPLES = 10000, WIDTH = 15, BLOCK = 128 };

/* sin(x) y + exp(-x): the value, its derivatives in x and in y */
static void scalars(const double *restrict in, double *restrict out) {
    double s = sin(in[0]), e = exp(-in[0]);
    out[0] = s * in[1] + e, out[1] = cos(in[0]) * in[1] - e, out[2] = s;
}

/* The sum of squares: the value, then its gradient. */
static void array(const double *restrict x, double *restrict out) {
    double sum = 0;
    for (int i = 0; i < NUMBERS; i++) sum += x[i] * x[i], out[1 + i] = 2 * x[i];
    out[0] = sum;
}

static void logsumexp(const double *restrict x, double *restrict out) {
    double most = x[0], sum = 0;
    for (int i = 1; i < MANY; i++) most = x[i] > most ? x[i] : most;
    for (int i = 0; i < MANY; i++) out[1 + i] = exp(x[i] - most);
    for (int i = 0; i < MANY; i++) sum += out[1 + i];
    out[0] = most + log(sum);
    for (int i = 0; i < MANY; i++) out[1 + i] *= 1 / sum;
}

/* in: weights, rows, wanted */
static void least_squares(const double *restrict w, double *restrict out) {
    const double *rows = w + WEIGHTS, *wanted = rows + ROWS * WEIGHTS;
    double sum = 0, gradient[WEIGHTS] = {0};
    for (int n = 0; n < ROWS; n++) {
        double off = -wanted[n];
        for (int i = 0; i < WEIGHTS; i++) off += w[i] * rows[n * WEIGHTS + i];
        sum += off * off;
        for (int i = 0; i < WEIGHTS; i++) gradient[i] += 2 * off * rows[n * WEIGHTS + i];
    }
    out[0] = sum;
    memcpy(out + 1, gradient, sizeof gradient);
}

/* `scalars` of each sample: all values, all derivatives in x, all in y. Sines and cosines have a loop each: of one loop
   for both the compiler makes calls of sincos, which has no vectors. */
static void batch(const double *restrict x, double *restrict out) {
    const double *restrict y = x + SAMPLES;
    double c[BLOCK], e[BLOCK];
    for (int start = 0; start < SAMPLES; start += BLOCK) {
        int size = SAMPLES - start < BLOCK ? SAMPLES - start : BLOCK;
        double *restrict value = out + start, *restrict by_x = value + SAMPLES, *restrict by_y = by_x + SAMPLES;
        for (int n = 0; n < size; n++) by_y[n] = sin(x[start + n]);
        for (int n = 0; n < size; n++) c[n] = cos(x[start + n]);
        for (int n = 0; n < size; n++) e[n] = exp(-x[start + n]);
        for (int n = 0; n < size; n++) value[n] = by_y[n] * y[start + n] + e[n], by_x[n] = c[n] * y[start + n] - e[n];
    }
}

/* The derivatives of the sum of squares, and of exp(-the sum of sines), in each of a sample's 15 numbers. */
static void jacobian(const double *restrict x, double *restrict out) {
    double s[BLOCK * WIDTH], e[BLOCK];
    for (int start = 0; start < SAMPLES; start += BLOCK) {
        int size = SAMPLES - start < BLOCK ? SAMPLES - start : BLOCK;
        const double *restrict own = x + start * WIDTH;
        double *restrict first = out + start * WIDTH, *restrict second = first + SAMPLES * WIDTH;
        for (int i = 0; i < size * WIDTH; i++) s[i] = sin(own[i]);
        for (int i = 0; i < size * WIDTH; i++) second[i] = cos(own[i]);
        for (int i = 0; i < size * WIDTH; i++) first[i] = 2 * own[i];
        for (int n = 0; n < size; n++) {
            e[n] = 0;
            for (int i = 0; i < WIDTH; i++) e[n] += s[n * WIDTH + i];
        }
        for (int n = 0; n < size; n++) e[n] = -exp(-e[n]);
        for (int n = 0; n < size; n++)
            for (int i = 0; i < WIDTH; i++) second[n * WIDTH + i] *= e[n];
    }
}

typedef void call(const double *restrict in, double *restrict out);
static const struct { const char *name; call *call; } cases[] = {
    {"scalars", scalars}, {"array", array}, {"logsumexp", logsumexp},
    {"least_squares", least_squares}, {"batch", batch}, {"jacobian", jacobian},
};
enum { CASES = sizeof cases / sizeof *cases };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    enum { TIMES = 101 };
    static double in[SAMPLES * WIDTH], out[2 * SAMPLES * WIDTH], taken[TIMES];
    for (int i = 0; i < SAMPLES * WIDTH; i++) in[i] = i % 1000 / 1000.0;
    for (int k = 0; k < CASES; k++) {
        int repeats = k < 4 ? 1000 : 1;
        call *volatile f = cases[k].call;  /* or the compiler would call it once */
        for (int i = 0; i < TIMES; i++) {
            double start = seconds();
            for (int j = 0; j < repeats; j++) f(in, out);
            taken[i] = (seconds() - start) / repeats;
        }
        qsort(taken, TIMES, sizeof *taken, ascending);
        printf("%-14s %10.3f us\n", cases[k].name, 1e6 * taken[TIMES / 2]);
    }
}
