package io.github.diffusion4j.scheduler;

/** The last few samples that a multistep solver remembers, in arrays used over and over. */
final class History {

  private final float[][] slots;
  private int newest;
  private int count;

  History(GridRun run, int size) {
    slots = new float[size][];
    for (int i = 0; i < size; i++) {
      slots[i] = run.newSample();
    }
  }

  /** How many are remembered, at most the size. */
  int count() {
    return count;
  }

  /** Makes room for a new one, forgetting the oldest of too many; to be written by the caller. */
  float[] push() {
    newest = (newest + 1) % slots.length;
    count = Math.min(count + 1, slots.length);
    return slots[newest];
  }

  /** The k-th newest, 0 the newest. */
  float[] get(int k) {
    return slots[(newest - k + slots.length) % slots.length];
  }
}
