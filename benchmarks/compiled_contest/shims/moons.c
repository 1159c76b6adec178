/* floors/moons.c with the benchmark's data, and steps on demand. */
#define main floor_main
#include "../../floors/moons.c"
#undef main

/* Parameters neuron by neuron, weights before bias; points row by row. */
void put(const double *p, const double *points, const double *labels) {
    for (int i = 0; i < HIDDEN; i++) W1[i][0] = *p++, W1[i][1] = *p++, b1[i] = *p++;
    for (int i = 0; i < HIDDEN; i++) {
        for (int k = 0; k < HIDDEN; k++) W2[i][k] = *p++;
        b2[i] = *p++;
    }
    for (int k = 0; k < HIDDEN; k++) W3[k] = *p++;
    b3 = *p;
    for (int n = 0; n < SAMPLES; n++) x[0][n] = points[2 * n], x[1][n] = points[2 * n + 1], y[n] = labels[n];
}

void run(long steps, double *losses) {
    for (long k = 0; k < steps; k++) losses[k] = step(1.0 - 0.9 * k / 100, 1e-4);
}
