/* The floor for a random irregular graph of scalar operations: its value and gradient, level by level, from tables.
 *
 * The operations of a level do not depend on each other, and those of one kind stand together, so a graph is a list
 * of groups: a kind, and for each member the numbers of its operands. Results are numbered in the order in which they
 * are computed, so a group writes to a row. The forward sweep gathers operands, the reverse sweep adds to them, group
 * by group, last first. float64, one thread.
 *
 *   cc -O3 -march=native -ffast-math levels.c -o levels -lm && ./levels graph.txt
 *
 * prints nanoseconds per operation, value and gradient together (median of 9 blocks), and both. graph.txt:
 * `python -m compiled_contest.irregular.graphs wide` (or narrow), in benchmarks/, writes it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ADD, SUB, MUL, SCALE, SIN, TANH };
enum { BLOCKS = 9, PASSES = 20 };
typedef struct { int kind, count, first; } group; /* first: of its operands in the tables, not yet of its results */

static int inputs, operations, ngroups, nobserved, *left, *right, *observed;
static group *groups;
static double *values, *grads, *locals, *factors; /* locals: cos x for sin x, by operation */

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* Eight at a time, which makes a vector; lanes past the end compute on what is left there. */
static void sines(int n, const int *a, const double *v, double *y, double *slope) {
    static double x[8], s[8], c[8];
    for (int i = 0; i < n; i += 8) {
        int m = n - i < 8 ? n - i : 8;
        for (int j = 0; j < m; j++) x[j] = v[a[i + j]];
        for (int j = 0; j < 8; j++) s[j] = sin(x[j]);
        for (int j = 0; j < 8; j++) c[j] = cos(x[j]);
        for (int j = 0; j < m; j++) y[i + j] = s[j], slope[i + j] = c[j];
    }
}

static void tangents(int n, const int *a, const double *v, double *y) {
    static double x[8], t[8];
    for (int i = 0; i < n; i += 8) {
        int m = n - i < 8 ? n - i : 8;
        for (int j = 0; j < m; j++) x[j] = v[a[i + j]];
        for (int j = 0; j < 8; j++) t[j] = tanh(x[j]);
        for (int j = 0; j < m; j++) y[i + j] = t[j];
    }
}

/* Results are written to y, which no operand of the same group is in. */
static inline void forward(const group *g, const double *v, double *restrict y) {
    const int n = g->count, *restrict a = left + g->first, *restrict b = right + g->first;
    const double *restrict c = factors + g->first;
    double *restrict slope = locals + g->first;
    switch (g->kind) {
    case ADD: for (int i = 0; i < n; i++) y[i] = v[a[i]] + v[b[i]]; break;
    case SUB: for (int i = 0; i < n; i++) y[i] = v[a[i]] - v[b[i]]; break;
    case MUL: for (int i = 0; i < n; i++) y[i] = v[a[i]] * v[b[i]]; break;
    case SCALE: for (int i = 0; i < n; i++) y[i] = v[a[i]] * c[i]; break;
    case SIN: sines(n, a, v, y, slope); break;
    case TANH: tangents(n, a, v, y); break;
    }
}

static inline void backward(const group *g, const double *v, const double *y, double *d, const double *dy) {
    const int n = g->count, *a = left + g->first, *b = right + g->first;
    const double *c = factors + g->first, *slope = locals + g->first;
    switch (g->kind) {
    case ADD: for (int i = 0; i < n; i++) d[a[i]] += dy[i], d[b[i]] += dy[i]; break;
    case SUB: for (int i = 0; i < n; i++) d[a[i]] += dy[i], d[b[i]] -= dy[i]; break;
    case MUL:
        for (int i = 0; i < n; i++) {
            double x = v[a[i]], z = v[b[i]], up = dy[i];
            d[a[i]] += up * z, d[b[i]] += up * x;
        }
        break;
    case SCALE: for (int i = 0; i < n; i++) d[a[i]] += dy[i] * c[i]; break;
    case SIN: for (int i = 0; i < n; i++) d[a[i]] += dy[i] * slope[i]; break;
    case TANH: for (int i = 0; i < n; i++) d[a[i]] += dy[i] * (1 - y[i] * y[i]); break;
    }
}

/* The value; its derivatives in the inputs are the first of grads. */
static double value_and_gradient(void) {
    double total = 0, *v = values, *d = grads;
    for (const group *g = groups; g < groups + ngroups; g++) forward(g, v, v + inputs + g->first);
    memset(d, 0, sizeof *d * (inputs + operations));
    for (int i = 0; i < nobserved; i++) total += v[observed[i]], d[observed[i]] = 1.0 / nobserved;
    for (const group *g = groups + ngroups; g-- > groups;)
        backward(g, v, v + inputs + g->first, d, d + inputs + g->first);
    return total / nobserved;
}

static void *room(size_t count, size_t size) {
    void *found = aligned_alloc(64, (count * size + 63) / 64 * 64);
    return found ? found : (exit(1), NULL);
}

static int load(FILE *file) {
    if (fscanf(file, "%d %d %d %d", &inputs, &operations, &ngroups, &nobserved) != 4) return 0;
    values = room(inputs + operations, sizeof *values), grads = room(inputs + operations, sizeof *grads);
    locals = room(operations, sizeof *locals), factors = room(operations, sizeof *factors);
    left = room(operations, sizeof *left), right = room(operations, sizeof *right);
    groups = room(ngroups, sizeof *groups), observed = room(nobserved, sizeof *observed);
    for (int i = 0; i < inputs; i++)
        if (fscanf(file, "%lf", &values[i]) != 1) return 0;
    for (int g = 0, at = 0; g < ngroups; g++) {
        if (fscanf(file, "%d %d", &groups[g].kind, &groups[g].count) != 2) return 0;
        groups[g].first = at;
        for (int end = at + groups[g].count; at < end; at++)
            if (fscanf(file, "%d %d %lf", &left[at], &right[at], &factors[at]) != 3) return 0;
    }
    for (int i = 0; i < nobserved; i++)
        if (fscanf(file, "%d", &observed[i]) != 1) return 0;
    return 1;
}

static int ascending(const void *a, const void *b) {
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!file || !load(file)) return fprintf(stderr, "usage: levels graph.txt\n"), 1;
    double took[BLOCKS], value = 0, square = 0;
    for (int b = 0; b < BLOCKS; b++) {
        double start = seconds();
        for (int k = 0; k < PASSES; k++) value = value_and_gradient();
        took[b] = (seconds() - start) / PASSES / operations;
    }
    for (int i = 0; i < inputs; i++) square += grads[i] * grads[i];
    qsort(took, BLOCKS, sizeof *took, ascending);
    printf("%.2f ns/operation, value %.9f, length of the gradient %.9f\n", 1e9 * took[BLOCKS / 2], value, sqrt(square));
}
