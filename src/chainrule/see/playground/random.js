// @ts-check
// Python's random numbers: the Mersenne Twister (Matsumoto and Nishimura 1998), seeded and read as CPython's `random.Random`
// does, so that a seed gives the same numbers here as there.

const WORDS_OF_STATE = 624;
const SHIFT = 397;
const TWO_PI = 2 * Math.PI;

export class PythonRandom {
  /** @param {number} seed a whole number, from 0 to 2 ** 53 - 1 */
  constructor(seed) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a whole number from 0 on, not ${seed}`);
    this.words = new Uint32Array(WORDS_OF_STATE);
    this.at = WORDS_OF_STATE;
    /** @type {number | null} the second of two normal numbers, which are made together */
    this.next = null;
    const key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.mix(key[1] ? key : key.slice(0, 1));
  }

  /** Fills the words from one number. @param {number} seed */
  fill(seed) {
    const { words } = this;
    words[0] = seed;
    for (let i = 1; i < WORDS_OF_STATE; i += 1) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
  }

  /** Mixes a key into the words: `init_by_array` of the reference implementation. @param {number[]} key */
  mix(key) {
    this.fill(19650218);
    const { words } = this;
    let i = 1;
    const turn = () => {
      i += 1;
      if (i < WORDS_OF_STATE) return;
      words[0] = words[WORDS_OF_STATE - 1];
      i = 1;
    };
    const before = () => words[i - 1] ^ (words[i - 1] >>> 30);
    for (let k = 0; k < WORDS_OF_STATE; k += 1) {
      const j = k % key.length;
      words[i] = (words[i] ^ Math.imul(before(), 1664525)) + key[j] + j;
      turn();
    }
    for (let k = 1; k < WORDS_OF_STATE; k += 1) {
      words[i] = (words[i] ^ Math.imul(before(), 1566083941)) - i;
      turn();
    }
    words[0] = 0x80000000;
  }

  /** Makes the next 624 words. */
  twist() {
    const { words } = this;
    for (let i = 0; i < WORDS_OF_STATE; i += 1) {
      const y = (words[i] & 0x80000000) | (words[(i + 1) % WORDS_OF_STATE] & 0x7fffffff);
      words[i] = words[(i + SHIFT) % WORDS_OF_STATE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  /** 32 random bits. */
  word() {
    if (this.at === WORDS_OF_STATE) this.twist();
    let y = this.words[this.at];
    this.at += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A number from 0 up to but not including 1, a multiple of 2 ** -53. */
  random() {
    const [high, low] = [this.word() >>> 5, this.word() >>> 6];
    return (high * 67108864 + low) / 2 ** 53;
  }

  /** @param {number} low @param {number} high */
  uniform(low, high) {
    return low + (high - low) * this.random();
  }

  /** A normal number. Two are made at a time, by the method of Box and Muller. @param {number} mean @param {number} deviation */
  gauss(mean, deviation) {
    let z = this.next;
    this.next = null;
    if (z === null) {
      const angle = this.random() * TWO_PI;
      const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * radius;
      this.next = Math.sin(angle) * radius;
    }
    return mean + z * deviation;
  }

  /** A whole number from 0 up to but not including `n`, at most 2 ** 32. @param {number} n */
  below(n) {
    const bits = 32 - Math.clz32(n);
    let found = n;
    while (found >= n) found = this.word() >>> (32 - bits);
    return found;
  }

  /** Shuffles a list in place. @param {any[]} list */
  shuffle(list) {
    for (let i = list.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}
