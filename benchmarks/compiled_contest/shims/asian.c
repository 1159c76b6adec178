/* floors/asian.c with the benchmark's normals. */
#define main floor_main
#include "../../floors/asian.c"
#undef main

void run(const double *z, double s0, double vol, double r, double strike, double *out) {
    price(z, s0, vol, r, strike, out);
}
