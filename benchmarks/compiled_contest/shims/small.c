/* floors/small.c with the benchmark's numbers. */
#define main floor_main
#include "../../floors/small.c"
#undef main

/* Returns whether there is such a case. */
int run(const char *name, int steps, const double *in, double *out) {
    for (int k = 0; k < CASES; k++) {
        call *volatile f = cases[k].call;
        if (strcmp(name, cases[k].name)) continue;
        for (int i = 0; i < steps; i++) f(in, out);
        return 1;
    }
    return 0;
}
