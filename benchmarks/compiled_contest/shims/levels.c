/* floors/levels.c with the benchmark's graph, and passes on demand. */
#define main floor_main
#include "../../floors/levels.c"
#undef main

int read_graph(const char *name) {
    FILE *file = fopen(name, "r");
    int read = file && load(file);
    if (file) fclose(file);
    return read;
}

void run(long passes, double *value) {
    for (long k = 0; k < passes; k++) *value = value_and_gradient();
}

void copy_gradient(double *out) { memcpy(out, grads, sizeof *out * inputs); }
