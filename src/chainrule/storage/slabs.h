/* Memory for nodes of one size, in slabs of 64 KB, which lie in regions of 4 MB.
 *
 * A training loop makes the same graph again and again. From a plain list of free nodes each round would take them in
 * another order than the round before, until neighbours in the graph lie anywhere in memory, and every step of a walk over
 * it waits for the cache. Here a slab in which no node is left starts again from its beginning, so that the next graph lies
 * in the order in which it is made.
 *
 * Slabs without nodes are kept, up to 16 MB of them. The memory of the rest goes back to the system, slab by slab: a region
 * notes which of its slabs are cold, that is, have no memory, and goes as a whole once all are. (malloc would give back
 * only what is free at the end of its heap, where some live block always stands.) If memory that went back is wanted again,
 * as it is by a loop over large graphs, as much more is kept from then on: fetching it each time can double the time of the
 * step. That ends with Python's next full collection, which is when Python gives up free lists of its own, too.
 *
 * Nodes of many operands are of any size, so they lie in malloc's heap, which is told to give back by the same rule.
 *
 * CHAINRULE_NO_FREELIST leaves all this out, so that memory checkers see every node come and go.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define SLAB_BYTES ((size_t)1 << 16)
#define REGION_BYTES ((size_t)1 << 22)
#define ALL_COLD (~(uint64_t)1) /* one bit a slab; in place of the first there is the region's own record */
#define SPARE_BYTES ((size_t)1 << 24)

/* ---- how much memory without nodes is kept ---- */

typedef struct spare {
    size_t bytes; /* without nodes, and kept */
    size_t most;  /* how many may be kept */
    size_t gone;  /* went back to the system, and were not wanted again so far */
} spare;

/* Notes that there are nodes again in so much memory, that was kept or came from the system. */
static inline void spare_used(spare *s, size_t bytes) {
    if (s->bytes >= bytes) {
        s->bytes -= bytes;
    } else if (s->gone >= bytes) {
        s->gone -= bytes;
        s->most += bytes;
    }
}

static void spare_reset(spare *s) {
    s->most = SPARE_BYTES;
    s->gone = 0;
}

/* ---- regions: memory from the system, and back ---- */

typedef struct region {
    struct region *previous, *next; /* in the list of regions that have cold slabs */
    uint64_t cold;
} region;

static region region_cold = {&region_cold, &region_cold, 0}; /* both ends of that list */

static void region_list(region *r) {
    r->previous = &region_cold;
    r->next = region_cold.next;
    r->next->previous = region_cold.next = r;
}

static void region_unlist(region *r) {
    r->previous->next = r->next;
    r->next->previous = r->previous;
}

/* Memory for a region, at a multiple of its size; NULL if there is none. */
static void *region_map(void) {
#ifdef MAP_ANONYMOUS
    char *start = (char *)mmap(NULL, 2 * REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before = -(uintptr_t)start % REGION_BYTES;
    if (start == (char *)MAP_FAILED)
        return NULL;
    if (before > 0)
        munmap(start, before);
    munmap(start + before + REGION_BYTES, REGION_BYTES - before);
    return start + before;
#else
    return aligned_alloc(REGION_BYTES, REGION_BYTES);
#endif
}

/* Gives a region back of which all is cold; if the system does not take it, its slabs stay to be warmed again. */
static void region_unmap(region *r) {
    region_unlist(r);
#ifdef MAP_ANONYMOUS
    if (munmap(r, REGION_BYTES) != 0)
        region_list(r);
#else
    free(r);
#endif
}

/* Memory for a slab, NULL if there is none: the first cold one of a region. */
static void *region_warm(void) {
    region *r = region_cold.next;
    if (r == &region_cold) {
        r = (region *)region_map();
        if (r == NULL)
            return NULL;
        r->cold = ALL_COLD;
        region_list(r);
    }
    size_t i = 1;
    while (!(r->cold >> i & 1))
        i++;
    r->cold &= ~((uint64_t)1 << i);
    if (r->cold == 0)
        region_unlist(r);
    return (char *)r + i * SLAB_BYTES;
}

static void region_cool(void *slab) {
    region *r = (region *)((uintptr_t)slab & ~(uintptr_t)(REGION_BYTES - 1));
#ifdef MAP_ANONYMOUS
    madvise(slab, SLAB_BYTES, MADV_DONTNEED);
#endif
    if (r->cold == 0)
        region_list(r);
    r->cold |= (uint64_t)1 << ((char *)slab - (char *)r) / SLAB_BYTES;
    if (r->cold == ALL_COLD)
        region_unmap(r);
}

/* ---- slabs ---- */

typedef struct slab {
    struct slab *previous, *next; /* in the list of slabs with room; an empty one stands before those in use */
    char *fresh;                  /* from here on, no node was made since the slab was last empty */
    void *freed;                  /* nodes given back; each begins with a pointer to the next */
    unsigned used;                /* nodes in it */
    int listed;
    double nodes[];
} slab;

static slab slab_room = {&slab_room, &slab_room, NULL, NULL, 0, 1}; /* both ends of the list */
static slab *slab_current = &slab_room;                              /* from which nodes are taken; not listed */
static spare slab_spare = {0, SPARE_BYTES, 0};

static void slab_list_behind(slab *place, slab *s) {
    s->previous = place;
    s->next = place->next;
    s->next->previous = place->next = s;
    s->listed = 1;
}

static void slab_unlist(slab *s) {
    s->previous->next = s->next;
    s->next->previous = s->previous;
    s->listed = 0;
}

static void slab_reset(slab *s) {
    s->fresh = (char *)s->nodes;
    s->freed = NULL;
    s->used = 0;
}

/* Makes another slab the current one: an empty one, one with room, or a new one. Returns 0 if there is no memory. */
static int slab_change(void) {
    slab *s = slab_room.next;
    if (s != &slab_room) {
        slab_unlist(s);
    } else {
        s = (slab *)region_warm();
        if (s == NULL)
            return 0;
        slab_reset(s);
        s->listed = 0;
    }
    if (s->used == 0)
        spare_used(&slab_spare, SLAB_BYTES);
    slab_current = s; /* the one before was full: it is listed again once a node of it is given back */
    return 1;
}

static inline void *slab_take(size_t size) {
#ifdef CHAINRULE_NO_FREELIST
    return PyObject_Malloc(size);
#else
    void *node;
    for (;;) {
        slab *s = slab_current;
        if (s->freed != NULL) {
            node = s->freed;
            s->freed = *(void **)node;
        } else if (s->fresh != NULL && s->fresh + size <= (char *)s + SLAB_BYTES) {
            node = s->fresh;
            s->fresh += size;
        } else if (slab_change()) {
            continue;
        } else {
            return NULL;
        }
        s->used++;
        return node;
    }
#endif
}

/* What gives a node back that was the last of its slab. */
static void slab_emptied(slab *s) {
    slab_reset(s);
    if (s == slab_current)
        return;
    if (s->listed)
        slab_unlist(s);
    if (slab_spare.bytes < slab_spare.most) {
        slab_list_behind(&slab_room, s);
        slab_spare.bytes += SLAB_BYTES;
    } else {
        region_cool(s);
        slab_spare.gone += SLAB_BYTES;
    }
}

static inline void slab_give(void *node) {
#ifdef CHAINRULE_NO_FREELIST
    PyObject_Free(node);
#else
    slab *s = (slab *)((uintptr_t)node & ~(uintptr_t)(SLAB_BYTES - 1));
    *(void **)node = s->freed;
    s->freed = node;
    if (--s->used == 0)
        slab_emptied(s);
    else if (!s->listed && s != slab_current)
        slab_list_behind(slab_room.previous, s);
#endif
}

/* ---- nodes of many operands ---- */

#define SMALL_BYTES 512 /* Python has memory of its own for what is no larger, and gives it back */

static spare wide_spare = {0, SPARE_BYTES, 0};

static inline void *wide_take(size_t size) {
    if (size > SMALL_BYTES)
        spare_used(&wide_spare, size);
    return PyObject_Malloc(size);
}

static inline void wide_give(void *node, size_t size) {
    if (size > SMALL_BYTES)
        wide_spare.bytes += size;
    PyObject_Free(node);
}

static void wide_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    wide_spare.gone += wide_spare.bytes;
    wide_spare.bytes = 0;
}

/* To be called when all is freed that goes at once. */
static inline void wide_given(void) {
    if (wide_spare.bytes > wide_spare.most)
        wide_trim();
}

/* ---- Python's collector ---- */

static void give_memory_back(void) {
    for (; slab_spare.bytes > SPARE_BYTES; slab_spare.bytes -= SLAB_BYTES) {
        slab *s = slab_room.next; /* the empty ones come first */
        slab_unlist(s);
        region_cool(s);
    }
    if (wide_spare.bytes > SPARE_BYTES)
        wide_trim();
    spare_reset(&slab_spare);
    spare_reset(&wide_spare);
}

/* What Python calls before and after each collection, with a phase and a dict that has the generation. */
static PyObject *collected(PyObject *self, PyObject *arguments) {
    const char *phase;
    PyObject *info, *generation;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "sO!", &phase, &PyDict_Type, &info))
        return NULL;
    generation = PyDict_GetItemString(info, "generation");
    if (generation != NULL && PyLong_Check(generation) && PyLong_AsLong(generation) == 2 && strcmp(phase, "stop") == 0)
        give_memory_back();
    Py_RETURN_NONE;
}

static PyMethodDef collected_method = {"give_memory_back", collected, METH_VARARGS, NULL};

/* A callback for Python's `gc.callbacks`. */
static inline PyObject *collector_callback(void) {
    return PyCFunction_New(&collected_method, NULL);
}
