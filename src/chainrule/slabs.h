/* Memory for nodes of one size, in slabs of 64 KB.
 *
 * A training loop makes the same graph again and again. From a plain list of free nodes each round would take them in
 * another order than the round before, until neighbours in the graph lie anywhere in memory, and every step of a walk over
 * it waits for the cache. Here a slab in which no node is left starts again from its beginning, so that the next graph lies
 * in the order in which it is made. Slabs without nodes are kept, up to 16 MB of them; the rest goes back to the system.
 *
 * CHAINRULE_NO_FREELIST leaves all this out, so that memory checkers see every node come and go.
 */
#include <stdint.h>
#include <stdlib.h>

#define SLAB_BYTES ((size_t)1 << 16)
#define MOST_EMPTY_SLABS 256

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
static int slab_empty = 0;

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
        slab_empty -= s->used == 0;
    } else {
        s = (slab *)aligned_alloc(SLAB_BYTES, SLAB_BYTES);
        if (s == NULL)
            return 0;
        slab_reset(s);
        s->listed = 0;
    }
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
    if (slab_empty < MOST_EMPTY_SLABS) {
        slab_list_behind(&slab_room, s);
        slab_empty++;
    } else {
        free(s);
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
