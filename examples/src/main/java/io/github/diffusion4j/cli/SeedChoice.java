package io.github.diffusion4j.cli;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;

/**
 * The seeds asked for: none, the first, or one for each picture.
 *
 * @param seeds as given
 * @param count pictures asked for
 */
record SeedChoice(List<Long> seeds, OptionalInt count) {

  /** A seed that stands for a random one, as in the web UIs. */
  static final long RANDOM = -1;

  /** Copies the list. */
  SeedChoice {
    seeds = List.copyOf(seeds);
    if (seeds.size() > 1 && seeds.contains(RANDOM)) {
      throw new IllegalArgumentException(
          "--seed -1 means a random seed and must stand alone, got " + seeds);
    }
    if (count.isPresent() && count.getAsInt() < 1) {
      throw new IllegalArgumentException("--count must be at least 1, got " + count.getAsInt());
    }
  }

  /** Whether nothing is asked for. */
  boolean isEmpty() {
    return seeds.isEmpty() && count.isEmpty();
  }

  /** Whether a random seed is asked for, in place of any other that is known. */
  boolean random() {
    return seeds.equals(List.of(RANDOM));
  }

  /** This choice, with what it leaves open taken from another. */
  SeedChoice over(SeedChoice other) {
    return new SeedChoice(
        seeds.isEmpty() ? other.seeds : seeds, count.isPresent() ? count : other.count);
  }

  /** A seed for each picture, the first one from elsewhere where none is given. */
  List<Long> list(LongSupplier first) {
    int pictures = count.orElse(Math.max(1, seeds.size()));
    if (seeds.size() > 1 && seeds.size() != pictures) {
      throw new IllegalArgumentException(
          "expected one seed, or one for each of the "
              + pictures
              + " pictures, got "
              + seeds.size());
    }
    if (seeds.size() == pictures && !random()) {
      return seeds;
    }
    long start = seeds.isEmpty() || random() ? first.getAsLong() : seeds.get(0);
    return LongStream.range(0, pictures).map(k -> start + k).boxed().toList();
  }
}
