/* floors/gpt.c with the benchmark's parameters and order of names, and steps on demand. */
#define main floor_main
#include "../../floors/gpt.c"
#undef main

static row beginning[ROWS];

/* The same files as the program takes. Returns the number of names. */
int read_files(const char *names_file, const char *init_file) {
    FILE *names = fopen(names_file, "r"), *init = fopen(init_file, "r");
    if (!names || !init) return 0;
    while (ndocs < MAXDOCS && fscanf(names, "%15s", docs[ndocs]) == 1) ndocs++;
    load(init);
    memcpy(beginning, param, sizeof param);
    return fclose(names), fclose(init), ndocs;
}

void reset(void) {
    memcpy(param, beginning, sizeof param);
    memset(first, 0, sizeof first), memset(second, 0, sizeof second);
}

void run(long steps, double *losses) {
    for (long s = 0; s < steps; s++) losses[s] = step(s, docs[order[s % ndocs]]);
}
